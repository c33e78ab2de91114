import { join } from 'node:path'
import sharp from 'sharp'
import { iou } from '../../src/boxes/iou.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { filterConfig } from '../../src/filter/config.js'
import { filterShard } from '../../src/filter/filter-shard.js'
import type { Picture } from '../../src/pictures/picture.js'
import type { ImageRow, Phrase } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { createDataset } from '../../src/shards/dataset.js'
import { readShard } from '../../src/shards/read-shard.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { teachConfig } from '../../src/teacher/config.js'
import { teachShard } from '../../src/teacher/teach-shard.js'
import type { PhraseDetection, Query, Teacher } from '../../src/teacher/teacher.js'
import { attributeValues } from '../../src/words/attribute-values.js'
import { temporaryFolder } from './temporary-folder.js'

/** Where the two things of every picture are, and what colours they have. */
export const things: readonly { readonly xyxy: Xyxy; readonly colour: 'red' | 'blue' }[] = [
  { xyxy: [10, 10, 40, 40], colour: 'red' },
  { xyxy: [70, 10, 110, 50], colour: 'blue' },
]

const colourAt = ({ data, width }: Picture, [x1, y1, x2, y2]: Xyxy) => {
  const pixel = 3 * (width * Math.round((y1 + y2) / 2) + Math.round((x1 + x2) / 2))
  return (data[pixel] as number) > (data[pixel + 2] as number) ? 'red' : 'blue'
}

/**
 * A teacher that boxes both things for every phrase. One that reads colours looks at the pixels: a thing of
 * another colour than the phrase says gets 0.3. One that does not gives all the same.
 *
 * @param asked is filled with the phrases that it is asked for, each with its sentence
 */
export function colourTeacher(
  reads: boolean,
  asked: (readonly [text: string, phrase: string])[] = [],
): Teacher {
  return {
    name: reads ? 'reader' : 'blind',
    hash: String(reads),
    pictureSide: 120,
    batch: 4,
    parallel: 1,
    maxTokens: Number.POSITIVE_INFINITY,
    tokensOf: (text) => text.length,
    detect: async (queries: readonly Query[], { floor }) =>
      queries.map(({ picture, text, phrases }) =>
        phrases.flatMap((span, phrase): PhraseDetection[] => {
          const words = [...text].slice(...span).join('')
          asked.push([text, words])
          const colour = attributeValues(words).find(({ kind }) => kind === 'colour')
          return things.flatMap(({ xyxy }): PhraseDetection[] => {
            const isMeant = !reads || !colour || colour.value === colourAt(picture, xyxy)
            const score = isMeant ? 0.75 : 0.25
            return score >= floor ? [{ phrase, xyxy, score }] : []
          })
        }),
      ),
    close: async () => {},
  }
}

/** Phrases of a caption by their words, the first place of each. */
export const phrasesIn = (text: string, ...named: readonly (readonly [words: string, head: string])[]) =>
  named.map(([words, head]): Phrase => {
    const start = [...text.slice(0, text.indexOf(words))].length
    return { caption: 0, text: words, start, end: start + [...words].length, head }
  })

/** A picture's caption, and the phrases of it. */
export interface ColourRow {
  readonly caption: string
  readonly phrases: readonly Phrase[]
}

/** Makes a dataset of pictures with the two things, a caption each, and its phrases as stage "chunk". */
export async function colourDataset(storage: Storage, rows: readonly ColourRow[]): Promise<void> {
  await createDataset(storage, { name: 'colours', card: null, shards: ['00000'] })
  const bytes = await sharp({ create: { width: 120, height: 60, channels: 3, background: '#888' } })
    .composite(
      things.map(({ xyxy: [left, top, x2, y2], colour }) => ({
        input: { create: { width: x2 - left, height: y2 - top, channels: 3, background: colour } },
        ...{ left, top },
      })),
    )
    .png()
    .toBuffer()
  const keyOf = (at: number) => String(at)
  const empty = { url: null, sha256: '', phash: '', license: null, meta: null }
  const images = rows.map(
    ({ caption: text }, at): ImageRow => ({
      ...{ key: keyOf(at), image: { bytes, path: null }, width: 120, height: 60 },
      ...{ captions: [{ text, kind: 'web' }], ...empty },
    }),
  )
  const made = { unit: 'rows', in: rows.length, out: rows.length, rejected: {}, stats: emptyStats }
  const task = { storage, shard: '00000', configHash: '', inputs: {} }
  await runShardTask({ ...task, stage: 'colours' }, 'images', async (write) => ({
    files: { images: await write('images', images) },
    ...made,
  }))
  const phraseRows = rows.map(({ phrases }, at) => ({ key: keyOf(at), phrases }))
  await runShardTask({ ...task, stage: 'chunk' }, 'phrases', async (write) => ({
    files: { phrases: await write('phrases', phraseRows) },
    ...made,
  }))
}

/** Which of the two things a box is around. */
export const thingOf = (xyxy: Xyxy) => things.find((thing) => iou(thing.xyxy, xyxy) > 0.9)?.colour

const shard = '00000'
const hashOf = async (storage: Storage, family: 'phrases' | 'proposals', stage: string) =>
  (await readCommit(storage, family, stage, shard))?.files[family]?.sha256 ?? ''

/** Such a dataset with the proposals "label" of a teacher, which was asked with so many other values. */
export async function taughtColours(
  rows: readonly ColourRow[],
  { reads, contrast }: { readonly reads: boolean; readonly contrast: number },
): Promise<Storage> {
  const storage = openStorage(join(await temporaryFolder(), 'colours'))
  await colourDataset(storage, rows)
  const config = { ...teachConfig.parse({ contrast }), phrases: 'chunk' }
  const inputs = { phrases: await hashOf(storage, 'phrases', 'chunk') }
  await teachShard({ storage, stage: 'label', shard, configHash: '', inputs }, config, async () =>
    colourTeacher(reads),
  )
  return storage
}

/** The grounding of these proposals by rules: its record, and the regions of each row. */
export async function filteredColours(storage: Storage, stage: string, rules: readonly object[]) {
  const config = { ...filterConfig.parse({ rules }), phrases: 'chunk', proposals: 'label' }
  const inputs = {
    phrases: await hashOf(storage, 'phrases', 'chunk'),
    proposals: await hashOf(storage, 'proposals', 'label'),
  }
  const { record } = await filterShard({ storage, stage, shard, configHash: '', inputs }, config)
  const regions = []
  for await (const row of readShard(storage, 'grounding', stage, shard)) regions.push(row.regions)
  return { record, regions }
}
