import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Texts by their number: what arrays and text lists have in common. */
export interface Texts extends Iterable<string> {
  readonly length: number
  at(index: number): string | undefined
}

/** Characters of texts that are written and read together. */
const pageLength = 16_384
const keptLength = 64 * 2 ** 20

interface Page {
  /** Number of its first text. */
  readonly first: number
  /** Its texts, or where they are in the file. */
  readonly texts: readonly string[] | { readonly start: number; readonly bytes: number }
}

/**
 * A list of texts that may be larger than memory: pages of them are kept up to a limit, and further ones go
 * to a temporary file (in `TMPDIR`) that vanishes with the process. Of those, memory has about 100 bytes for
 * every 16,384 characters.
 */
export class TextList implements Texts {
  readonly #keptLength: number
  readonly #pages: Page[] = []
  /** Texts that no page has yet. */
  #open: string[] = []
  #openLength = 0
  #kept = 0
  #file: number | undefined
  #fileBytes = 0
  /** The page that was read last from the file, since texts are mostly read in order. */
  #read: { readonly page: Page; readonly texts: readonly string[] } | undefined
  #length = 0

  /** @param limit characters of texts that stay in memory */
  constructor(limit = keptLength) {
    this.#keptLength = limit
  }

  get length(): number {
    return this.#length
  }

  add(text: string): void {
    this.#open.push(text)
    this.#length++
    this.#openLength += text.length
    if (this.#openLength >= pageLength) this.#endPage()
  }

  at(index: number): string | undefined {
    if (index < 0 || index >= this.#length) return undefined
    const first = this.#length - this.#open.length
    if (index >= first) return this.#open[index - first]
    const page = this.#pages[this.#pageOf(index)] as Page
    return this.#textsOf(page)[index - page.first]
  }

  *[Symbol.iterator](): Generator<string> {
    for (let index = 0; index < this.#length; index++) yield this.at(index) as string
  }

  /** Lets go of the file. The list is empty then. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
    this.#pages.length = 0
    this.#open = []
    this.#read = undefined
    this.#length = 0
  }

  #endPage(): void {
    const first = this.#length - this.#open.length
    if (this.#kept + this.#openLength <= this.#keptLength) {
      this.#kept += this.#openLength
      this.#pages.push({ first, texts: this.#open })
    } else this.#pages.push({ first, texts: this.#write(this.#open) })
    this.#open = []
    this.#openLength = 0
  }

  #write(texts: readonly string[]) {
    this.#file ??= openUnnamed()
    // JSON keeps every text as it is, half of a surrogate pair too.
    const bytes = Buffer.from(JSON.stringify(texts))
    const start = this.#fileBytes
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#file, bytes, done, bytes.length - done, start + done)
    this.#fileBytes += bytes.length
    return { start, bytes: bytes.length }
  }

  /** Place of the page that has a text: the last one that does not begin after it. */
  #pageOf(index: number): number {
    let [low, high] = [0, this.#pages.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#pages[middle] as Page).first <= index) low = middle
      else high = middle - 1
    }
    return low
  }

  #textsOf(page: Page): readonly string[] {
    if (!('start' in page.texts)) return page.texts
    if (this.#read?.page === page) return this.#read.texts
    const { start, bytes: length } = page.texts
    const bytes = Buffer.allocUnsafe(length)
    for (let done = 0; done < length; ) {
      const count = readSync(this.#file as number, bytes, done, length - done, start + done)
      if (count === 0) throw new Error('the temporary file of a text list has been cut')
      done += count
    }
    const texts = JSON.parse(bytes.toString('utf8')) as string[]
    this.#read = { page, texts }
    return texts
  }
}

/** A new file for reading and writing that has no name any more where the system allows that. */
function openUnnamed(): number {
  const path = join(tmpdir(), `groundmill-texts-${process.pid}-${randomBytes(6).toString('hex')}`)
  const file = openSync(path, 'wx+', 0o600)
  try {
    unlinkSync(path)
  } catch {
    // Windows removes no open file; it stays among the temporary ones.
  }
  return file
}
