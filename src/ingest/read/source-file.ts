/** A file that rows are read from. */
export interface SourceFile {
  /** Where it lies: a path, an object of a bucket (`s3://`) or a file of the Hub (`hf://`), with its commit. */
  readonly place: string
  /** What its bytes are known by without reading them; absent of a file of this machine. */
  readonly identity?: string
  /** What readers open: a path, of this machine or `s3://`. A file of the Hub is fetched for that. */
  open(): Promise<string>
}

/** A file of this machine. */
export const localFile = (path: string): SourceFile => ({ place: path, open: async () => path })
