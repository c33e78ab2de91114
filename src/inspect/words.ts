/** Words by small numbers, in the order in which they first came. */
export class Words {
  readonly #ids = new Map<string, number>()
  readonly #list: string[] = []
  /** About what they take in memory. */
  bytes = 0

  get list(): readonly string[] {
    return this.#list
  }

  /** The number of a word, a new one where it has none. */
  add(word: string): number {
    const known = this.#ids.get(word)
    if (known !== undefined) return known
    const id = this.#list.length
    this.#ids.set(word, id)
    this.#list.push(word)
    // Of measured maps of short strings: the string's header, its place in list and map.
    this.bytes += word.length + 80
    return id
  }

  find(word: string): number | undefined {
    return this.#ids.get(word)
  }
}
