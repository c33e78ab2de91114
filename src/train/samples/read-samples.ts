import { hashJson } from '../../base/hash.js'
import { random } from '../../base/random.js'
import { UserError } from '../../base/user-error.js'
import { readCommit } from '../../shards/commit.js'
import { isDataset, readDataset } from '../../shards/dataset.js'
import { joinRows } from '../../shards/join-rows.js'
import type { ShardFile } from '../../shards/write-shard.js'
import { splitNames } from '../../words/name-prompt.js'
import { allSamples, chooseSamples, type SampleChoice } from './choose-samples.js'
import type { GroundedCaption, Sample, SampleSource, SampleStream } from './sample.js'

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
  const { wanted, named } = await chooseSamples(() => allOf(source), source, choice)
  const sizes = new Map<string, ShardSize>()
  const hashes: string[] = []
  const captions: string[] = []
  const categories = new Set<string>(named)
  const origins = new Map<string, number>()
  for (const shard of source.shards) {
    let usable = 0
    for await (const sample of readSamples(source, shard, false)) {
      if (!wanted(sample)) continue
      usable++
      for (const caption of sample.captions) {
        for (const origin of caption.grounded.flatMap((phrase) => phrase.origins))
          origins.set(origin, (origins.get(origin) ?? 0) + 1)
        if (caption.kind === 'categories')
          for (const { name } of splitNames(caption.text)) categories.add(name)
        else captions.push(caption.text)
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
      if (current?.key !== key) current = { key, samples: readWindow(source, shards, seed, key, wanted) }
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
  return { name: source.name, size, hash, at, captions, categories: [...categories].sort(), origins, license }
}

interface ShardSize {
  /** Samples. */
  readonly rows: number
  readonly bytes: number
}

/** The files that a shard's samples come from, by their commit records. */
async function filesOf({ storage, phrases, grounding }: SampleSource, shard: string): Promise<ShardFile[]> {
  const stages = { images: null, phrases, grounding }
  const records = await Promise.all(
    (['images', 'phrases', 'grounding'] as const).map(
      async (family) => (await readCommit(storage, family, stages[family], shard))?.files[family],
    ),
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

async function* allOf(source: SampleSource): AsyncGenerator<Sample> {
  for (const shard of source.shards) yield* readSamples(source, shard, false)
}

async function readWindow(
  source: SampleSource,
  shards: readonly string[],
  seed: number,
  key: string,
  wanted: (sample: Sample) => boolean,
) {
  const samples: Sample[] = []
  for (const shard of [...shards].sort()) {
    for await (const sample of readSamples(source, shard, true)) if (wanted(sample)) samples.push(sample)
  }
  return random(seed, source.name, 'rows', key).shuffle(samples)
}

async function* readSamples(source: SampleSource, shard: string, withBytes: boolean): AsyncGenerator<Sample> {
  const joined = joinRows(source.storage, shard, {
    images: { columns: withBytes ? ['captions', 'image'] : ['captions'] },
    phrases: { stage: source.phrases, columns: ['phrases'] },
    grounding: { stage: source.grounding, columns: ['regions'] },
  })
  for await (const { key, images, phrases, grounding } of joined) {
    const captions = images.captions.flatMap((caption, index): GroundedCaption[] => {
      const ofCaption = phrases.phrases.flatMap((phrase, at) =>
        phrase.caption === index ? [{ ...phrase, at }] : [],
      )
      const parts = ofCaption.map(({ start, end, at }) => {
        const regions = grounding.regions.filter(({ phrase }) => phrase === at)
        const boxes = regions.map(({ xyxy }) => xyxy)
        return { start, end, boxes, origins: regions.map(({ origin }) => origin) }
      })
      const grounded = parts.filter(({ boxes }) => boxes.length > 0)
      if (grounded.length === 0) return []
      const ungrounded = parts
        .filter(({ boxes }) => boxes.length === 0)
        .map(({ start, end }) => [start, end] as const)
      return [{ ...caption, grounded, ungrounded }]
    })
    if (captions.length === 0) continue
    const bytes = 'image' in images ? images.image.bytes.slice() : new Uint8Array()
    yield { key, bytes, captions }
  }
}
