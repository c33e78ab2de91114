import sharp from 'sharp'
import { hashJson } from '../../src/base/hash.js'
import { type Random, random } from '../../src/base/random.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { filterConfig } from '../../src/filter/config.js'
import { filterShard } from '../../src/filter/filter-shard.js'
import type { RuleConfig } from '../../src/filter/rules.js'
import type { Families, Family, ImageRow, Phrase, Proposal } from '../../src/rows/rows.js'
import type { CommitRecord } from '../../src/shards/commit.js'
import { createDataset } from '../../src/shards/dataset.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import type { ShardFile } from '../../src/shards/write-shard.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'

const colours = ['red', 'green', 'blue', 'yellow', 'white', 'black']
const things = ['dog', 'cat', 'bus', 'tree', 'boat', 'kite', 'clock', 'bench']
const [width, height] = [96, 72]

/**
 * Rules that look at weaker boxes too: a threshold does not cut off the end of what they keep, and may add to
 * it.
 */
export const secondRules: readonly RuleConfig[] = [
  { rule: 'score', min: 0.4 },
  { rule: 'nms', iou: 0.5 },
  { rule: 'nested', iou: 0.6, keep: 'outer' },
  { rule: 'number', fewer: 'drop', more: 'best', singular: false },
  { rule: 'phrase_recall', min: 0.5, max: 1 },
]

export interface InspectDataset {
  readonly url: string
  readonly storage: Storage
  readonly shards: readonly string[]
}

/**
 * A dataset of small pictures, made fast: captions of two phrases, proposals of two teachers and their
 * filters (`round-1-filter` by the rules by default, `round-2-filter` by `secondRules`), and rejects of
 * ingest.
 */
export async function makeInspectDataset(
  url: string,
  {
    pictures,
    shardRows = 1000,
    rounds = 2,
    boxes = 5,
  }: {
    readonly pictures: number
    readonly shardRows?: number
    readonly rounds?: 1 | 2
    /** Proposals of a phrase. */
    readonly boxes?: number
  },
): Promise<InspectDataset> {
  const storage = openStorage(url)
  const shards = Array.from({ length: Math.ceil(pictures / shardRows) }, (_, at) =>
    String(at).padStart(5, '0'),
  )
  await createDataset(storage, { name: 'little', card: null, shards })
  const jpegs = await makeJpegs()
  for (const [at, shard] of shards.entries()) {
    const count = Math.min(shardRows, pictures - at * shardRows)
    const draw = random(7, shard)
    const rows = Array.from({ length: count }, (_, row) =>
      makeRow(`${shard}${String(row).padStart(4, '0')}`, jpegs, draw),
    )
    const lost = [
      {
        key: null,
        url: `https://gone.example/${shard}.jpg`,
        reason: 'http_404',
        detail: 'the server answered 404',
      },
      {
        key: null,
        url: `https://text.example/${shard}.html`,
        reason: 'not_image',
        detail: 'it is text/html',
      },
    ]
    await commit(storage, 'little', shard, 'images', {
      images: rows.map(({ image }) => image),
      rejects: lost,
    })
    const chunked = await commit(storage, 'phrases', shard, 'phrases', {
      phrases: rows.map(({ image: { key }, phrases }) => ({ key, phrases })),
    })
    const phrases = chunked.files.phrases?.sha256 ?? ''
    for (let round = 1; round <= rounds; round++) {
      const label = `round-${round}-label`
      const found = rows.map(({ image: { key }, phrases: own, places }) => ({
        key,
        teacher: `teacher-${round}`,
        proposals: makeProposals(own, places, boxes, random(round, key)),
      }))
      const taught = await commit(storage, label, shard, 'proposals', { proposals: found }, { phrases })
      const rules = round === 1 ? filterConfig.parse({}).rules : [...secondRules]
      await filterShard(
        {
          ...{ storage, shard, stage: `round-${round}-filter`, configHash: hashJson({ rules }) },
          inputs: { phrases, proposals: taught.files.proposals?.sha256 ?? '' },
        },
        { rules, phrases: 'phrases', proposals: label },
      )
    }
  }
  return { url, storage, shards }
}

/** Writes the families of a stage's shard and their record. */
export async function commit(
  storage: Storage,
  stage: string,
  shard: string,
  main: Family,
  rows: Partial<{ [K in Family]: readonly Families[K][] }>,
  inputs: Readonly<Record<string, string>> = {},
): Promise<CommitRecord> {
  const { record } = await runShardTask(
    { storage, stage, shard, configHash: '', inputs },
    main,
    async (write) => {
      const files: Partial<Record<Family, ShardFile>> = {}
      for (const family of Object.keys(rows) as Family[]) {
        files[family] = await write(family, rows[family] as never[])
      }
      const rejected: Record<string, number> = {}
      for (const { reason } of rows.rejects ?? []) rejected[reason] = (rejected[reason] ?? 0) + 1
      const out = rows[main]?.length ?? 0
      return { files, unit: 'rows', in: out + (rows.rejects?.length ?? 0), out, rejected, stats: emptyStats }
    },
  )
  return record
}

interface Row {
  readonly image: ImageRow
  readonly phrases: readonly Phrase[]
  /** Where the thing of each phrase is. */
  readonly places: readonly Xyxy[]
}

/** Where the two things of picture `at` are. */
const placesOf = (at: number): readonly [Xyxy, Xyxy] => {
  const draw = random(at, 'places')
  const left = 4 + draw.integer(15)
  const right = 52 + draw.integer(15)
  return [
    [left, 12, left + 26, 44],
    [right, 26, right + 24, 62],
  ]
}

/** A few different pictures, which all rows share. */
async function makeJpegs(): Promise<readonly Uint8Array[]> {
  return Promise.all(
    Array.from({ length: 24 }, async (_, at) => {
      const fills = ['#d04030', '#308050', '#3060c0', '#d0b020', '#e0e0e0', '#303030']
      const shapes = placesOf(at).map(
        ([x1, y1, x2, y2], side) =>
          `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" rx="${6 * side}" fill="${fills[(at + 2 * side) % 6]}"/>`,
      )
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="hsl(${at * 40} 30% 72%)"/>${shapes.join('')}</svg>`
      return sharp(Buffer.from(svg)).jpeg({ quality: 70 }).toBuffer()
    }),
  )
}

function makeRow(key: string, jpegs: readonly Uint8Array[], draw: Random): Row {
  const at = draw.integer(jpegs.length)
  const words = [0, 1].map((side) => {
    const colour = colours[(at + 2 * side) % colours.length]
    const thing = draw.pick(things)
    const isTwo = draw.next() < 0.15
    return { text: isTwo ? `two ${colour} ${thing}s` : `a ${colour} ${thing}`, head: thing }
  })
  // Characters beyond the basic plane: spans count code points.
  const start = draw.next() < 0.1 ? '🪁🎉 ' : ''
  const text = `${start}${words[0]!.text} beside ${words[1]!.text} in the park`
  const phrases = words.map((word, side): Phrase => {
    const from = side === 0 ? [...start].length : [...start].length + words[0]!.text.length + 8
    return { caption: 0, ...word, start: from, end: from + word.text.length }
  })
  const [first, last] = phrases
  const places = [...placesOf(at)]
  // A phrase that holds the others and names what the first of them names.
  if (draw.next() < 0.3) {
    const whole = `${first!.text} beside ${last!.text}`
    phrases.push({ caption: 0, text: whole, head: first!.head, start: first!.start, end: last!.end })
    places.push(places[0]!)
  }
  const image: ImageRow = {
    ...{ key, image: { bytes: jpegs[at]!, path: null }, width, height },
    captions: [{ text, kind: 'web' }],
    url: `https://${draw.pick(['photos', 'pictures', 'snaps'])}.example/${key}.jpg`,
    ...{ sha256: '', phash: '', license: null, meta: null },
  }
  return { image, phrases, places }
}

function makeProposals(
  phrases: readonly Phrase[],
  places: readonly Xyxy[],
  boxes: number,
  draw: Random,
): Proposal[] {
  return phrases.flatMap((_, phrase) =>
    Array.from({ length: boxes }, (_, at): Proposal => {
      const place = places[at % 3 === 2 ? 1 - (phrase % 2) : phrase]!
      const by = () => Math.round((draw.next() - 0.5) * (at === 0 ? 4 : 24))
      const [x1, y1] = [place[0] + by(), place[1] + by()]
      const xyxy: Xyxy = [x1, y1, x1 + (place[2] - place[0]), y1 + (place[3] - place[1])]
      // As a teacher's are: most of them weak.
      const score = Math.fround(at === 0 ? 0.3 + 0.7 * draw.next() : draw.next() ** 2)
      return { phrase, xyxy, score, label: null }
    }),
  )
}
