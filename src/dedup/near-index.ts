/** The upper and the lower 32 bits of a hash. */
export type Hash64 = readonly [high: number, low: number]

/** A hash of 16 hex digits; undefined where it is none. */
export function parseHash(hex: string): Hash64 | undefined {
  if (!/^[0-9a-f]{16}$/i.test(hex)) return undefined
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8), 16)]
}

/**
 * Finds 64-bit hashes within a Hamming distance of one, exactly but for the limits below. The bits are cut into bands: two hashes
 * within distance d of m bands differ in some band by at most d / m bits, so it is enough to look into the
 * chains of the few band values that are that near (multi-index hashing: Norouzi, Punjani, Fleet 2012).
 */
export interface NearIndex {
  /**
   * The number of the first hash added that is within the distance; -1 where there is none.
   *
   * @param isMatch asked of the numbers of those that are, where more than the hashes tells; all are by default
   */
  find(hash: Hash64, isMatch?: (number: number) => boolean): number
  /** Adds a hash with a number under 2^32. */
  add(hash: Hash64, number: number): void
  readonly size: number
  /** Bytes that it holds. */
  readonly bytes: number
}

/**
 * Hashes that a search looks at, the last added of each chain first: many share a band where pictures share most of
 * what is in them, and a search must end. Of hashes spread evenly two billion have so many at distance 4,
 * and 500 million at 6.
 */
const maxLooks = 2 ** 16
/** Hashes within the distance of which `isMatch` is asked, so many times. */
const maxAsked = 64

/** Words of an entry before its links: the upper and the lower half of its hash, and its number. */
const firstLink = 3

interface Band {
  /** The band's lowest bit. */
  readonly shift: number
  readonly bits: number
  /** Last entry of each value's chain, plus one; 0 for none. */
  readonly heads: Uint32Array
  /** Word of an entry that says which is before it in its chain, plus one. */
  readonly link: number
  /** Values to try: the band's own value with each of these bits turned over. */
  readonly flips: Uint32Array
}

/**
 * @param capacity how many hashes will be added at most
 * @param distance bits by which two hashes may differ, 0 to 16
 */
export function createNearIndex(capacity: number, distance: number): NearIndex {
  const bands = bandsOf(capacity, distance)
  // Of an entry its hash, its number and its links lie together: to look at one is to wait for memory once.
  const stride = firstLink + bands.length
  const entries = new Uint32Array(stride * capacity)
  let size = 0
  return {
    find([top, bottom], isMatch) {
      let first = -1
      let looks = 0
      let asked = 0
      for (const band of bands) {
        const { heads, link, flips } = band
        const value = bandValue(top, bottom, band)
        for (let flip = 0; flip < flips.length; flip++) {
          let entry = heads[value ^ flips[flip]!]!
          while (entry !== 0) {
            if (++looks > maxLooks) return first === -1 ? -1 : entries[first + 2]!
            const at = stride * (entry - 1)
            entry = entries[at + link]!
            if (first !== -1 && at >= first) continue
            const bits = ones(entries[at]! ^ top) + ones(entries[at + 1]! ^ bottom)
            if (bits > distance) continue
            if (!isMatch || (++asked <= maxAsked && isMatch(entries[at + 2]!))) first = at
          }
        }
      }
      return first === -1 ? -1 : entries[first + 2]!
    },
    add([top, bottom], number) {
      if (size === capacity) throw new Error(`the index was made for ${capacity} hashes`)
      const at = stride * size++
      entries[at] = top
      entries[at + 1] = bottom
      entries[at + 2] = number
      for (const band of bands) {
        const value = bandValue(top, bottom, band)
        entries[at + band.link] = band.heads[value]!
        band.heads[value] = size
      }
    },
    get size() {
      return size
    },
    bytes:
      bands.reduce((sum, { heads, flips }) => sum + 4 * (heads.length + flips.length), 0) +
      4 * entries.length,
  }
}

/**
 * About as many bits in a band as the number of hashes has, so that a chain is short: fewer bands of more
 * bits ask for more values to try, more bands for longer chains.
 */
function bandsOf(capacity: number, distance: number): Band[] {
  const wanted = Math.max(8, Math.min(24, Math.log2(capacity + 1)))
  const count = Math.max(3, Math.min(8, Math.round(64 / wanted)))
  const radius = Math.floor(distance / count)
  // With d = r m + a, either one of the first a + 1 bands differs by at most r bits, or one of the others by
  // at most r - 1 (pigeonhole principle).
  const wide = distance - radius * count + 1
  const bands: Band[] = []
  let start = 0
  for (let index = 0; index < count; index++) {
    const end = Math.floor((64 * (index + 1)) / count)
    const bits = end - start
    const within = index < wide ? radius : radius - 1
    if (within >= 0) {
      bands.push({
        shift: start,
        bits,
        heads: new Uint32Array(2 ** bits),
        link: firstLink + bands.length,
        flips: masksOf(bits, within),
      })
    }
    start = end
  }
  return bands
}

/** Words of `bits` bits with at most `maxSet` of them set, fewest first. */
function masksOf(bits: number, maxSet: number): Uint32Array {
  let layer = [0]
  const masks = [0]
  for (let set = 1; set <= maxSet; set++) {
    const next: number[] = []
    // Bits are added above the highest one, so that each word comes once.
    for (const mask of layer) {
      for (let bit = 32 - Math.clz32(mask); bit < bits; bit++) next.push(mask | (1 << bit))
    }
    masks.push(...next)
    layer = next
  }
  return Uint32Array.from(masks)
}

function bandValue(high: number, low: number, { shift, bits }: Band): number {
  const mask = 2 ** bits - 1
  if (shift >= 32) return (high >>> (shift - 32)) & mask
  return ((low >>> shift) | (shift === 0 ? 0 : high << (32 - shift))) & mask
}

/** Bits set in a 32-bit word. */
export function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
