import { availableParallelism } from 'node:os'
import type { Metadata } from 'sharp'
import { sharedCores } from '../base/own-cores.js'
import { barePicture } from './bare-picture.js'
import { type DecodeCost, decodeCost, mostMemory } from './decode-cost.js'
import { decodeInProcess } from './decode-process.js'
import type { DecodeWork } from './decode-work.js'
import { PictureError } from './picture-error.js'
import { readMetadata } from './read-metadata.js'
import { isUnread, sniffImage } from './sniff-image.js'
import { type Release, WeightedSemaphore } from './weighted-semaphore.js'

/** Encoders make about ten of them; of a small picture an empty one takes a byte or two. */
const mostScans = 100

const cores = availableParallelism()
/** Pictures that are decoded at once share it; of several processes of a run each has its part. */
const memory = new WeightedSemaphore(() => (mostMemory * (sharedCores() ?? cores)) / cores)

/**
 * Decodes a picture of anybody's, and never takes the machine for it: the decoder does not see what it does not
 * need (`barePicture`), the memory of all pictures at once stays below `mostMemory`, and what may take long or
 * more than it says is decoded in a process that can be killed (`decodeInProcess`). All others are decoded
 * here, on a thread of libuv, and take about a second at most.
 *
 * @throws PictureError where the bytes are no picture (`not_image`, `unsupported_format`) or outside the limits
 * (`too_many_scans`, `too_much_memory`, `decode_timeout`, and those of the work); any other Error where they
 * cannot be decoded
 */
export async function decodeSafely<Options, Result>(
  work: DecodeWork<Options, Result>,
  bytes: Uint8Array,
  options: Options,
): Promise<Result> {
  const format = sniffImage(bytes)
  if (!format) throw new PictureError('not_image', 'not a picture of a known format')
  if (isUnread(format)) throw new PictureError('unsupported_format', `${format} is not decoded`)
  const { bytes: bare, scans, isOdd, metadata: plain } = barePicture(bytes, format)
  if (scans > mostScans) throw new PictureError('too_many_scans', `${scans} scans, ${mostScans} allowed`)
  const costOf = (metadata: Metadata): DecodeCost => {
    work.check?.(metadata, options)
    const cost = decodeCost(metadata, scans, bytes.length)
    if (cost.memory <= mostMemory) return cost
    const { width, height } = metadata
    const needed = `${width} x ${height} pixels, ${Math.round(cost.memory / 1e6)} MB of memory to decode them`
    throw new PictureError('too_much_memory', `${needed}, ${mostMemory / 1e6} allowed`)
  }
  let release: Release | undefined
  try {
    if (!isOdd) {
      const metadata = plain ?? (await readMetadata(bare))
      const cost = costOf(metadata)
      if (!cost.isHeavy) {
        release = await memory.acquire(cost.memory)
        return await work.run(bare, metadata, options)
      }
    }
    // Memory is taken by who has a process, never before: else each could wait for the other.
    return await decodeInProcess(work, bare, options, async (metadata) => {
      const cost = costOf(metadata)
      release = await memory.acquire(cost.memory)
      return cost.memory
    })
  } finally {
    release?.()
  }
}
