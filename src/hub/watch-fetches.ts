/** How far the fetching of a file is. */
export interface FetchProgress {
  /** The address of the file. */
  readonly file: string
  /** Bytes that are there, of an earlier try too, and those that there will be. */
  readonly done: number
  readonly total: number
}

/** Who is told of what is fetched from the Hub, whoever asked for it. */
export interface FetchWatch {
  onProgress?(progress: FetchProgress): void
  /** Told when a file has come whole. */
  onEnd?(progress: FetchProgress): void
  /** What a user should know besides. */
  onNotice?(text: string): void
  /** Ends all fetching; what has come of a file stays for the next time. */
  readonly signal?: AbortSignal
}

let watch: FetchWatch = {}

/**
 * Has fetches of this process told of. A model is opened far below who has a terminal, and a fetch of it takes minutes:
 * so there is one watch for the process, which the program sets as it begins.
 */
export function watchFetches(by: FetchWatch): void {
  watch = by
}

export const fetchWatch = (): FetchWatch => watch
