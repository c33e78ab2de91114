import { hashJson } from '../../base/hash.js'
import { random } from '../../base/random.js'
import { TextList } from '../../base/text-list.js'
import { UserError } from '../../base/user-error.js'
import { readCommit } from '../../shards/commit.js'
import { isDataset, readDataset } from '../../shards/dataset.js'
import type { ShardFile } from '../../shards/write-shard.js'
import { splitNames } from '../../words/name-prompt.js'
import { allSamples, chooseSamples, type SampleChoice } from './choose-samples.js'
import { negativesStage } from './negatives-stage.js'
import { readSampleRows } from './read-sample-rows.js'
import type { Sample, SampleSource, SampleStream } from './sample.js'

/**
 * Shards held in memory at once, among which rows are shuffled, and bytes of their files; one shard at the
 * least.
 */
const windowShards = 8
const windowBytes = 2 ** 30

/**
 * Opens a source. An epoch goes through the shards in a new order, a window of up to eight at a time, and
 * through the window's rows in a new order, so memory holds a gigabyte of stored pictures whatever the size
 * of the dataset.
 *
 * @throws UserError where no row has a grounded phrase
 */
export async function openSamples(
  source: SampleSource,
  seed: number,
  choice: SampleChoice = allSamples,
): Promise<SampleStream> {
  const read = (shard: string, withBytes: boolean) => usableRows(source, shard, withBytes, choice)
  async function* all() {
    for (const shard of source.shards) yield* read(shard, false)
  }
  const { wanted, named } = await chooseSamples(all, source, choice)
  const sizes = new Map<string, ShardSize>()
  const hashes: string[] = []
  const captions = new TextList()
  const categories = new Set<string>(named)
  const origins = new Map<string, number>()
  for (const shard of source.shards) {
    let usable = 0
    for await (const sample of read(shard, false)) {
      if (!wanted(sample)) continue
      usable++
      for (const caption of sample.captions) {
        for (const origin of caption.grounded.flatMap((phrase) => phrase.origins))
          origins.set(origin, (origins.get(origin) ?? 0) + 1)
        if (caption.kind === 'categories')
          for (const { name } of splitNames(caption.text)) categories.add(name)
        else captions.add(caption.text)
      }
    }
    const files = await filesOf(source, shard)
    hashes.push(...files.map(({ sha256 }) => sha256))
    if (usable > 0)
      sizes.set(shard, { rows: usable, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) })
  }
  const size = [...sizes.values()].reduce((sum, { rows }) => sum + rows, 0)
  if (size === 0) {
    throw new UserError(
      `${source.storage.url}: no row of grounding "${source.grounding}" has a region to train on.`,
    )
  }

  const readWindow = async (shards: readonly string[], key: string) => {
    const samples: Sample[] = []
    for (const shard of [...shards].sort())
      for await (const sample of read(shard, true)) if (wanted(sample)) samples.push(sample)
    return random(seed, source.name, 'rows', key).shuffle(samples)
  }
  /** The window that was read last. */
  let current: { key: string; samples: Promise<Sample[]> } | undefined
  const at = async (position: number): Promise<Sample> => {
    const epoch = Math.floor(position / size)
    const order = random(seed, source.name, 'shards', epoch).shuffle([...sizes.keys()])
    let left = position - epoch * size
    for (const shards of windowsOf(order, sizes)) {
      const rows = shards.reduce((sum, shard) => sum + (sizes.get(shard) as ShardSize).rows, 0)
      if (left >= rows) {
        left -= rows
        continue
      }
      const key = `${epoch}/${shards[0]}`
      if (current?.key !== key) current = { key, samples: readWindow(shards, key) }
      const sample = (await current.samples)[left]
      if (!sample)
        throw new Error(`${source.name} has fewer samples in ${shards.join(', ')} than it was opened with`)
      return sample
    }
    throw new Error(`position ${position} is beyond its epoch`)
  }
  const card = (await isDataset(source.storage)) ? (await readDataset(source.storage)).card : null
  const license = typeof card?.license === 'string' ? card.license : undefined
  const hash = hashJson(hashes)
  return {
    ...{ name: source.name, size, hash, at, origins, license },
    ...{ captions, categories: [...categories].sort(), close: () => captions.close() },
  }
}

interface ShardSize {
  /** Samples. */
  readonly rows: number
  readonly bytes: number
}

/** The files that a shard's samples come from, by their commit records. */
async function filesOf(source: SampleSource, shard: string): Promise<ShardFile[]> {
  const { storage, phrases, grounding, verdicts } = source
  const negatives = await negativesStage(source, shard)
  const stages = {
    ...{ images: null, phrases, grounding },
    ...(negatives !== undefined && { negatives }),
    ...(verdicts !== undefined && { verdicts }),
  }
  const records = await Promise.all(
    Object.entries(stages).map(async ([name, stage]) => {
      const family = name as keyof typeof stages
      return (await readCommit(storage, family, stage, shard))?.files[family]
    }),
  )
  return records.filter((file) => file !== undefined)
}

/** Consecutive shards that are held in memory together. */
function windowsOf(order: readonly string[], sizes: ReadonlyMap<string, ShardSize>): string[][] {
  const windows: string[][] = []
  let bytesLeft = 0
  for (const shard of order) {
    const { bytes } = sizes.get(shard) as ShardSize
    let window = windows.at(-1)
    if (!window || bytes > bytesLeft || window.length === windowShards) {
      window = []
      windows.push(window)
      bytesLeft = windowBytes
    }
    window.push(shard)
    bytesLeft -= bytes
  }
  return windows
}

/** The pictures of a shard of which there is anything to learn: boxes, or what is known not to be there. */
async function* usableRows(
  source: SampleSource,
  shard: string,
  withBytes: boolean,
  { untargeted = false, words }: SampleChoice,
): AsyncGenerator<Sample> {
  for await (const sample of readSampleRows(source, shard, { withBytes, words })) {
    const saysWhatLacks = sample.exhaustive || sample.negatives.length > 0
    if (sample.captions.length > 0 || (untargeted && saysWhatLacks)) yield sample
  }
}
