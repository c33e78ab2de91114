/** What tells an object's content from another one: equal where the bytes are. Of one store alone. */
export type Version = string

/** A file or an object, as it is listed. */
export interface StoredFile {
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** When it was last written, by the store's clock, in milliseconds since 1970. */
  readonly modified: number
  /** Of an object of a bucket, what its bytes are known by there. */
  readonly etag?: string
}

/** Where the objects of a dataset lie. Names are paths with forward slashes below the dataset. */
export interface Storage {
  /** As the user gave it. */
  readonly url: string
  /**
   * What `openObject` opens and `openStorage` goes on from: of a folder the local file, of a bucket the
   * address. A name that leads out of a folder is refused (UserError), here and by everything below.
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
  /** The bytes of an object and what `swap` takes for having read them, or undefined where there is none. */
  readVersioned(name: string): Promise<{ readonly bytes: Uint8Array; readonly version: Version } | undefined>
  /**
   * Writes an object as `write` does if it still is what was read, or still is not there: compare and swap.
   * Of several that swap from one version at once, one alone is answered true; who is answered false may read
   * again and decide anew. A store that has no conditional puts is looked at first, which leaves an instant
   * in which both may believe so; the process then warns once.
   *
   * @param before what `readVersioned` gave; undefined where there was none
   */
  swap(name: string, bytes: Uint8Array | string, before: Version | undefined): Promise<boolean>
  /**
   * Milliseconds since an object was last written, by the store's own clock, whatever that of this machine
   * says; undefined where there is none.
   */
  age(name: string): Promise<number | undefined>
  /** Writes an object from chunks, as `write` does: nothing becomes visible unless all of them arrive. */
  writeStream(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void>
  /**
   * Writes chunks to where nobody sees them, for an object whose name is known when they are written. What a
   * killed program has left of them is found by `sweep`.
   *
   * @param name what is written belongs to
   * @param onFailure is told at once where they cannot be written, while more of them are being made
   */
  writeAside(name: string, chunks: AsyncIterable<Uint8Array>, onFailure?: () => void): Promise<Aside>
  /** Names of the objects below a folder, sorted. Files that are still being written are not objects. */
  list(prefix: string): Promise<string[]>
  /** Names of the objects that begin so, the last folder's name whole, sorted. */
  listBeginning(start: string): Promise<string[]>
  /**
   * The files below a folder one after another, in no order, those that are still being written too.
   *
   * @param where in the folder itself alone, or in those below it as well, as by default
   */
  listFiles(prefix: string, where?: 'inside' | 'below'): AsyncIterable<StoredFile>
  /** Names of the folders at the top, sorted. Throws a UserError where there is no such folder. */
  folders(): Promise<string[]>
  remove(name: string): Promise<void>
  /**
   * Removes what writers of the objects in a folder have left half done that certainly write no more: processes
   * of this machine that are gone, and those of others of which nothing was heard for more than a day.
   */
  sweep(folder: string): Promise<void>
}

/** What is written whole and has no name yet. */
export interface Aside {
  /** Of a file of this machine, in which it can be looked at. */
  readonly path: string
  /** Makes it an object, as `write` does. It stays aside, so that it can be put in place again. */
  place(name: string): Promise<void>
  /** Removes what is aside. */
  discard(): Promise<void>
}

/** A file or an object of a store, whose parts are read as they are asked for. */
export interface OpenObject {
  readonly size: number
  /**
   * Bytes from `start` up to `end`. Throws an Error where there are fewer.
   *
   * @param into memory of at least as many bytes, which a local file is read into: what is given then is that, whole
   */
  read(start: number, end: number, into?: ArrayBuffer): Promise<ArrayBuffer>
  close(): Promise<void>
}
