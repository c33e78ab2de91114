type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/** A typed array that grows as values are pushed. It takes twice the memory of its values at most. */
export class GrowableArray<A extends Numbers> {
  #values: A
  #length = 0

  constructor(private readonly type: new (length: number) => A) {
    this.#values = new type(1024)
  }

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new this.type(2 * this.#length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
  }

  /** The values in an array of just their length. */
  done(): A {
    return this.#values.slice(0, this.#length) as A
  }
}
