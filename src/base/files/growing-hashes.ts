import { Worker } from 'node:worker_threads'

/** A file's length in bytes, and its SHA-256 in hex. */
export interface FileHash {
  readonly bytes: number
  readonly sha256: string
}

/**
 * SHA-256 of files that grow, in a thread beside the one that writes them: what was written is read back from the
 * system's memory while more of it is made, so that little is left to be hashed when all is written.
 */
export class GrowingHashes {
  readonly #worker = new Worker(new URL('./growing-hash-worker.js', import.meta.url))
  readonly #asked = new Map<number, { resolve(hash: FileHash): void; reject(error: Error): void }>()
  #failure: Error | undefined
  #last = 0

  constructor() {
    this.#worker.on('message', ({ id, error, ...hash }: FileHash & { id: number; error?: string }) => {
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if (error === undefined) asked?.resolve(hash)
      else asked?.reject(new Error(error))
      this.#rest()
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the thread that hashes files has ended')))
    this.#rest()
  }

  /** Tells that the first `end` bytes of a file are written, and will not change. */
  grown(path: string, end: number): void {
    if (!this.#failure) this.#worker.postMessage({ path, end })
  }

  /** The hash of a whole file, of which something was told or nothing. After `signal` there are no more hashes. */
  async of(path: string, signal?: AbortSignal): Promise<FileHash> {
    signal?.throwIfAborted()
    if (this.#failure) throw this.#failure
    const id = this.#last++
    this.#worker.ref()
    this.#worker.postMessage({ path, id })
    const stop = () => this.#fail(signal?.reason)
    signal?.addEventListener('abort', stop)
    try {
      return await new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }))
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Ends the thread, whatever it is at. */
  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  /** While nobody waits for it, the thread does not keep the program alive. */
  #rest(): void {
    if (this.#asked.size === 0) this.#worker.unref()
  }

  #fail(error: Error): void {
    // An error comes before the end of the thread, and says more.
    this.#failure ??= error
    for (const { reject } of this.#asked.values()) reject(this.#failure)
    this.#asked.clear()
  }
}
