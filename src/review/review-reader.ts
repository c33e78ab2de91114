import type { Storage } from '../storage/storage.js'
import { reviewsOf } from './effective-reviews.js'
import { entriesOf, segmentsOf } from './read-reviews.js'
import type { ReviewEntry } from './review-entry.js'

/** A review that others write as well, of which what has changed is read again. */
export class ReviewReader {
  readonly #stamps = new Map<string, string>()
  readonly #entries = new Map<string, ReviewEntry>()
  readonly #byKey = new Map<string, ReviewEntry[]>()
  #refreshing: Promise<void> = Promise.resolve()

  /** @param notice is told of lines that are no entries: they are passed over */
  constructor(
    private readonly storage: Storage,
    private readonly name: string,
    private readonly notice: (text: string) => void = () => {},
  ) {}

  /**
   * Reads the files that have changed.
   *
   * @throws UserError where they are more than fit into memory
   */
  refresh(): Promise<void> {
    const mine = this.#refreshing.then(() => this.#read())
    this.#refreshing = mine.catch(() => {})
    return mine
  }

  /** Takes in what this process has written. */
  add(entries: readonly ReviewEntry[]): void {
    for (const entry of entries) {
      if (this.#entries.has(entry.id)) continue
      this.#entries.set(entry.id, entry)
      const own = this.#byKey.get(entry.key)
      if (own) own.push(entry)
      else this.#byKey.set(entry.key, [entry])
    }
  }

  entry(id: string): ReviewEntry | undefined {
    return this.#entries.get(id)
  }

  /** All entries about a picture. */
  of(key: string): readonly ReviewEntry[] {
    return this.#byKey.get(key) ?? []
  }

  /** Keys of the pictures that a reviewer has done, and of those with anything of theirs that holds. */
  done(reviewer: string): { readonly done: ReadonlySet<string>; readonly begun: ReadonlySet<string> } {
    const done = new Set<string>()
    const begun = new Set<string>()
    for (const [key, entries] of this.#byKey) {
      const held = reviewsOf(entries.filter((entry) => entry.reviewer === reviewer))
      if (held.length > 0) begun.add(key)
      if (held.some(({ action }) => action === 'done')) done.add(key)
    }
    return { done, begun }
  }

  async #read(): Promise<void> {
    for (const { name, size, modified } of await segmentsOf(this.storage, this.name)) {
      const stamp = `${size} ${modified}`
      if (this.#stamps.get(name) === stamp) continue
      const bytes = await this.storage.read(name)
      if (!bytes) continue
      this.add(
        entriesOf(bytes, (problem) => this.notice(`${this.storage.path(name)}: ${problem}; passed over`)),
      )
      this.#stamps.set(name, stamp)
    }
  }
}
