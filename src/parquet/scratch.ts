/** Memory that is used again and again: to ask for megabytes anew costs more than to fill them. */
export interface Scratch {
  /** So many bytes, with whatever they hold; what was taken before is given up. */
  take(size: number): Uint8Array
}

export function createScratch(): Scratch {
  let bytes = new Uint8Array(0)
  return {
    take(size) {
      if (bytes.length < size) bytes = new Uint8Array(Math.ceil(size * 1.25))
      return bytes.subarray(0, size)
    },
  }
}
