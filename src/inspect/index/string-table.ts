/** Gives each different string a small number, in the order in which they first come. */
export class StringTable {
  readonly #ids = new Map<string, number>()
  readonly #list: string[] = []
  /** About what the table takes in memory. */
  bytes = 0

  /** The strings by their numbers. */
  get list(): readonly string[] {
    return this.#list
  }

  /** The number of a string, a new one where it has none. */
  add(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#list.length
    this.#ids.set(text, id)
    this.#list.push(text)
    // Measured of maps of short strings: the string's header, its place in list and map.
    this.bytes += text.length + 80
    return id
  }

  /** The number of a string; undefined where it was never added. */
  find(text: string): number | undefined {
    return this.#ids.get(text)
  }
}
