import { UserError } from '../base/user-error.js'

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
 * blocks of the few band values that are that near (multi-index hashing: Norouzi, Punjani, Fleet 2012).
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
 * Hashes that a search looks at behind the first blocks, the last added of each chain first: many share a band where
 * pictures share most of what is in them, and a search must end. Of hashes spread evenly an index holds too few
 * for that at distance 4; at 6 it takes 500 million.
 */
const maxLooks = 2 ** 16
/** Hashes within the distance of which `isMatch` is asked, so many times. */
const maxAsked = 64

/** Words of an entry: the upper and the lower half of its hash, and its number. */
const entryWords = 3

interface Band {
  /** The band's lowest bit. */
  readonly shift: number
  readonly bits: number
  /** Values to try: the band's own value with each of these bits turned over. */
  readonly flips: Uint32Array
  /** Hashes that a block has room for. */
  readonly slots: number
  /** Words of a block. */
  readonly stride: number
  /**
   * A block for each value, and behind those the ones that became full. A block is the number of the next in its chain,
   * 0 for none; the signatures of its hashes, the last added first; an unused word; and their entries plus one, 0 where a
   * slot is free. A signature is the 32 bits that follow the band: of two near hashes those too are within the distance,
   * so that few entries are looked at, and all that is compared lies side by side.
   */
  readonly blocks: Uint32Array
  /** Blocks in use. */
  used: number
}

/**
 * @param capacity how many hashes will be added at most, some 900 million
 * @param distance bits by which two hashes may differ, 0 to 16
 */
export function createNearIndex(capacity: number, distance: number): NearIndex {
  const bands = bandsOf(capacity, distance)
  const entries = new Uint32Array(entryWords * capacity)
  const places = new Int32Array(bands.reduce((sum, { flips }) => sum + flips.length, 0))
  const links = new Uint32Array(places.length)
  let size = 0

  /**
   * Writes down the block of each value to try, and what follows it. Nothing depends on what is read, so that all blocks
   * come from memory at once: looked at one after the other, each is waited for, 7.5 us in all instead of 3.
   */
  const fetchBlocks = (top: number, bottom: number) => {
    let place = 0
    for (const { shift, bits, flips, stride, blocks } of bands) {
      const value = bitsFrom(top, bottom, shift) & (2 ** bits - 1)
      for (let flip = 0; flip < flips.length; flip++) {
        const block = Math.imul(value ^ flips[flip]!, stride)
        places[place] = block
        links[place++] = blocks[block]!
      }
    }
  }

  return {
    find([top, bottom], isMatch) {
      fetchBlocks(top, bottom)
      let first = -1
      let looks = 0
      let asked = 0
      let place = 0
      for (const { shift, bits, flips, slots, stride, blocks } of bands) {
        const signature = bitsFrom(top, bottom, shift + bits)
        for (let flip = 0; flip < flips.length; flip++) {
          let block = places[place]!
          let link = links[place++]!
          while (true) {
            for (let slot = block + 1; slot <= block + slots; slot++) {
              if (ones(blocks[slot]! ^ signature) > distance) continue
              const at = entryWords * (blocks[slot + slots + 1]! - 1)
              if (at < 0 || (first !== -1 && at >= first)) continue
              if (ones(entries[at]! ^ top) + ones(entries[at + 1]! ^ bottom) > distance) continue
              if (!isMatch || (++asked <= maxAsked && isMatch(entries[at + 2]!))) first = at
            }
            if (link === 0) break
            looks += slots
            if (looks > maxLooks) return first === -1 ? -1 : entries[first + 2]!
            block = Math.imul(link, stride)
            link = blocks[block]!
          }
        }
      }
      return first === -1 ? -1 : entries[first + 2]!
    },
    add([top, bottom], number) {
      if (size === capacity) throw new Error(`the index was made for ${capacity} hashes`)
      const at = entryWords * size++
      entries[at] = top
      entries[at + 1] = bottom
      entries[at + 2] = number
      for (const band of bands) {
        const { shift, bits, slots, stride, blocks } = band
        const block = Math.imul(bitsFrom(top, bottom, shift) & (2 ** bits - 1), stride)
        let slot = block + slots
        while (slot > block && blocks[slot + slots + 1] !== 0) slot--
        if (slot === block) {
          // The first block of a chain takes what is added, so what fills it moves behind.
          blocks.copyWithin(stride * band.used, block, block + stride)
          blocks.fill(0, block, block + stride)
          blocks[block] = band.used++
          slot = block + slots
        }
        blocks[slot] = bitsFrom(top, bottom, shift + bits)
        blocks[slot + slots + 1] = size
      }
    },
    get size() {
      return size
    },
    get bytes() {
      return 4 * bands.reduce((sum, { used, stride }) => sum + used * stride, entries.length)
    },
  }
}

/**
 * About as many bits in a band as the number of hashes has, so that few share a value: fewer bands of more
 * bits ask for more values to try, more bands for more hashes of each.
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
    const within = index < wide ? radius : radius - 1
    if (within >= 0) bands.push(bandOf(start, end - start, within, capacity))
    start = end
  }
  return bands
}

function bandOf(shift: number, bits: number, radius: number, capacity: number): Band {
  const used = 2 ** bits
  // Room for the hashes that a value will have, in most cases; 7 are a line of memory.
  const mean = capacity / used
  const slots = mean < 0.5 ? 1 : mean < 2 ? 3 : mean < 6 ? 7 : 15
  const stride = 2 * (slots + 1)
  const words = stride * (used + Math.ceil(capacity / slots))
  if (words >= 2 ** 31) {
    throw new UserError(
      `${capacity} pictures cannot be searched for near duplicates at once, but 900 million. Split the dataset, or set distance: null.`,
    )
  }
  // What is never written takes no memory.
  const blocks = new Uint32Array(words)
  return { shift, bits, flips: masksOf(bits, radius), slots, stride, blocks, used }
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

/** 32 bits of a hash from its bit `start` on, the lowest after the highest. */
function bitsFrom(high: number, low: number, start: number): number {
  const [lower, upper] = (start & 32) === 0 ? [low, high] : [high, low]
  const shift = start & 31
  return shift === 0 ? lower : (lower >>> shift) | (upper << (32 - shift))
}

/** Bits set in a 32-bit word. */
export function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
