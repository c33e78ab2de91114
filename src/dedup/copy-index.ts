import { fingerprintLayout } from '../rows/fingerprint.js'
import { isSamePicture, maxMove, placeX, placeY } from './same-picture.js'

const { keypoints, words } = fingerprintLayout

/** Finds earlier pictures of which a picture is an edited copy, by their fingerprints. */
export interface CopyIndex {
  /** The number of the first picture added that is the same; -1 where there is none. */
  find(fingerprint: Uint32Array): number
  /** Adds a picture with a number under 2^32, higher than those before. */
  add(fingerprint: Uint32Array, number: number): void
  /** The fingerprint that was added with a number; undefined where none was. */
  get(number: number): Uint32Array | undefined
  readonly size: number
  /** Bytes that it holds at its full size. */
  readonly bytes: number
}

/** Keypoints of one code that are remembered: what looks like so many others tells nothing. */
const maxOfCode = 64
/** For the sixteen keypoints of a picture: a fifth of the slots stays free. */
const slotsEach = 20
/** Pictures in a block of fingerprints. */
const blockSize = 2 ** 14
/** Slots of a table, as a power of two, at most: one table for all would be longer than an array can be. */
const maxSlotBits = 22
/** Bits of the filter for a keypoint: one in eight of codes that are not there passes. */
const filterBitsEach = 8
/** Bits of the filter that lie in one page of memory, 4 KiB, as a power of two. */
const pageBits = 15
const pageSize = 2 ** pageBits
/** Codes that are looked up for a keypoint: of its three unsure bits none, one, or the least sure and another. */
const probesEach = 6

/**
 * A hash table of the codes of all keypoints, in which a code and those with one or two of its three unsure bits turned
 * over are looked up (multi-probe LSH: Lv, Josephson, Wang, Charikar, Li 2007). What is found at about the same place is
 * compared with the whole picture. A copy of which no keypoint has kept its code is not found.
 *
 * @param capacity how many pictures will be added at most
 * @param mirrored whether mirror images are copies
 */
export function createCopyIndex(capacity: number, mirrored: boolean): CopyIndex {
  const wanted = slotsEach * Math.max(1, capacity)
  const slotBits = Math.min(maxSlotBits, Math.ceil(Math.log2(wanted)))
  const tableCount = Math.ceil(wanted / 2 ** slotBits)
  // In each slot the number of an entry, plus one, and what is told of its keypoint: where it lies, whether it is
  // mirrored, and 15 bits of its code.
  const tables = Array.from({ length: tableCount }, () => new Uint32Array(2 ** (slotBits + 1)))
  // A bit is set for each code that is there (Bloom 1970, with one hash): most of the codes that are looked up are not,
  // and this is smaller than the tables.
  const filterBits = Math.max(
    pageBits + 1,
    Math.min(32, Math.ceil(Math.log2(filterBitsEach * keypoints * Math.max(1, capacity)))),
  )
  const filter = new Uint32Array(2 ** (filterBits - 5))
  const codes = new Uint32Array(probesEach * keypoints)
  const places = new Uint32Array(probesEach * keypoints)
  const heads = new Uint32Array(probesEach * keypoints)
  const blocks: Uint32Array[] = []
  const numbers = new Uint32Array(capacity)
  let size = 0

  const shift = 32 - slotBits
  const mask = 2 ** (slotBits + 1) - 1
  /** The upper bits say where in a table, the lower ones in which. */
  const tableOf = (hash: number) => tables[((hash & 0xffff) * tableCount) >>> 16]!
  const headOf = (hash: number) => tableOf(hash)[(hash >>> shift) << 1]!
  const fingerprintOf = (entry: number) => {
    const start = words * (entry % blockSize)
    return blocks[Math.floor(entry / blockSize)]!.subarray(start, start + words)
  }

  /** The lower bits of a code say where in a page of memory its bit lies: those that turn over stay in few pages. */
  const filterBit = (code: number) => {
    const page = Math.imul(code & -pageSize, 0x9e3779b1) >>> (32 + pageBits - filterBits)
    return ((page << pageBits) | (code & (pageSize - 1))) >>> 0
  }

  const addCode = (code: number, about: number, entry: number) => {
    const hash = mixed(code)
    const bit = filterBit(code)
    filter[bit >>> 5]! |= 1 << (bit & 31)
    const table = tableOf(hash)
    const told = toldOf(hash, about)
    let same = 0
    let slot = (hash >>> shift) << 1
    while (table[slot] !== 0) {
      if (table[slot + 1]! >>> 17 === told >>> 17 && ++same === maxOfCode) return
      slot = (slot + 2) & mask
    }
    table[slot] = entry + 1
    table[slot + 1] = told
  }

  /** Adds the entries that have a keypoint of this code at about this place. */
  const collect = (hash: number, about: number, entries: number[]) => {
    const table = tableOf(hash)
    const told = toldOf(hash, about)
    let slot = (hash >>> shift) << 1
    for (let entry = table[slot]!; entry !== 0; entry = table[slot]!) {
      const its = table[slot + 1]!
      if (its >>> 17 === told >>> 17 && isNear(its, told, mirrored)) entries.push(entry - 1)
      slot = (slot + 2) & mask
    }
  }

  return {
    find(fingerprint) {
      // Without a branch on what is read, so that many reads are under way at once.
      let count = 0
      for (let at = 0; at < 2 * keypoints && fingerprint[at + 1] !== 0; at += 2) {
        const code = fingerprint[at]!
        const about = fingerprint[at + 1]!
        for (let turned = 0; turned < probesEach; turned++) {
          const probed = code ^ maskOf(about, turned)
          const bit = filterBit(probed)
          codes[count] = probed
          places[count] = about
          count += (filter[bit >>> 5]! >>> (bit & 31)) & 1
        }
      }
      // And here again.
      for (let probe = 0; probe < count; probe++) heads[probe] = headOf(mixed(codes[probe]!))
      const entries: number[] = []
      for (let probe = 0; probe < count; probe++)
        if (heads[probe] !== 0) collect(mixed(codes[probe]!), places[probe]!, entries)
      if (entries.length === 0) return -1
      // The first one is named.
      for (const entry of new Set(entries.sort((one, other) => one - other)))
        if (isSamePicture(fingerprint, fingerprintOf(entry), mirrored)) return numbers[entry]!
      return -1
    },
    add(fingerprint, number) {
      if (size === capacity) throw new Error(`the index was made for ${capacity} pictures`)
      if (size % blockSize === 0) blocks.push(new Uint32Array(words * Math.min(blockSize, capacity - size)))
      fingerprintOf(size).set(fingerprint)
      numbers[size] = number
      // All slots are read at once first: one after the other each would be waited for.
      for (let keypoint = 0; keypoint < keypoints; keypoint++)
        heads[keypoint] = headOf(mixed(fingerprint[2 * keypoint]!))
      for (let at = 0; at < 2 * keypoints && fingerprint[at + 1] !== 0; at += 2)
        addCode(fingerprint[at]!, fingerprint[at + 1]!, size)
      size++
    },
    get(number) {
      let [low, high] = [0, size]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (numbers[middle]! < number) low = middle + 1
        else high = middle
      }
      return low < size && numbers[low] === number ? fingerprintOf(low) : undefined
    },
    get size() {
      return size
    },
    bytes: 8 * 2 ** slotBits * tableCount + 2 ** (filterBits - 3) + 4 * (words + 1) * capacity,
  }
}

/** Whether two keypoints lie where they may, if they are of one picture. */
function isNear(its: number, told: number, mirrored: boolean): boolean {
  if (Math.abs(placeY(its) - placeY(told)) > maxMove) return false
  const isMirrored = ((its ^ told) & 0x10000) !== 0
  if (isMirrored && !mirrored) return false
  return Math.abs(placeX(its, isMirrored) - placeX(told, false)) <= maxMove
}

const toldOf = (hash: number, about: number) => ((hash << 17) | (about & 0x1ffff)) >>> 0

/** Those of a keypoint's unsure bits that `turned`, of three bits, says; the lowest is the least sure. */
const maskOf = (about: number, turned: number) =>
  ((turned & 1) << ((about >>> 17) & 31)) |
  (((turned >>> 1) & 1) << ((about >>> 22) & 31)) |
  ((turned >>> 2) << ((about >>> 27) & 31))

/** Spreads codes over 32 bits, each to its own value (the end of MurmurHash3). */
function mixed(code: number): number {
  let hash = code
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
