/** Where the objects of a dataset lie. Names are paths with forward slashes below the dataset. */
export interface Storage {
  /** As the user gave it. */
  readonly url: string
  /**
   * What `openObject` opens and `openStorage` goes on from: of a folder the local file, of a bucket the
   * address.
   */
  path(name: string): string
  /** Whether what `path` gives is a file of this machine. */
  readonly isLocal: boolean
  exists(name: string): Promise<boolean>
  /** The bytes of an object, or undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>
  /** Writes an object so that it is there whole or not at all. When this returns, it outlives a power cut. */
  write(name: string, bytes: Uint8Array | string): Promise<void>
  /** Writes an object as `write` does unless there is one already; whether it is now this one. */
  create(name: string, bytes: Uint8Array | string): Promise<boolean>
  /**
   * Writes an object from chunks, as `write` does: nothing becomes visible unless all of them arrive.
   *
   * @param check looks at the finished file, by its local path, before it becomes visible; where it throws,
   * it never does
   */
  writeStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    check?: (path: string) => Promise<void>,
  ): Promise<void>
  /** Names of the objects below a folder, sorted. Files that are still being written are not objects. */
  list(prefix: string): Promise<string[]>
  /** Names of the folders at the top, sorted. Throws a UserError where there is no such folder. */
  folders(): Promise<string[]>
  remove(name: string): Promise<void>
  /** Removes what a program that was killed while it wrote this object has left of it. */
  sweep(name: string): Promise<void>
}

/** A file or an object of a store, whose parts are read as they are asked for. */
export interface OpenObject {
  readonly size: number
  /** Bytes from `start` up to `end`. Throws an Error where there are fewer. */
  read(start: number, end: number): Promise<ArrayBuffer>
  close(): Promise<void>
}
