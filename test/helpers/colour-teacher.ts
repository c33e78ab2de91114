import sharp from 'sharp'
import { iou } from '../../src/boxes/iou.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Picture } from '../../src/pictures/picture.js'
import type { ImageRow, Phrase } from '../../src/rows/rows.js'
import { createDataset } from '../../src/shards/dataset.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { writeShard } from '../../src/shards/write-shard.js'
import { emptyStats } from '../../src/statistics/stats.js'
import type { Storage } from '../../src/storage/storage.js'
import type { PhraseDetection, Query, Teacher } from '../../src/teacher/teacher.js'
import { attributeValues } from '../../src/words/attribute-values.js'

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

/** Makes a dataset of pictures with the two things, a caption each, and its phrases as stage "chunk". */
export async function colourDataset(
  storage: Storage,
  rows: readonly { readonly caption: string; readonly phrases: readonly Phrase[] }[],
): Promise<void> {
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
  await runShardTask({ ...task, stage: 'colours' }, 'images', async () => ({
    files: { images: await writeShard(storage, 'images', null, '00000', images) },
    ...made,
  }))
  const phraseRows = rows.map(({ phrases }, at) => ({ key: keyOf(at), phrases }))
  await runShardTask({ ...task, stage: 'chunk' }, 'phrases', async () => ({
    files: { phrases: await writeShard(storage, 'phrases', 'chunk', '00000', phraseRows) },
    ...made,
  }))
}

/** Which of the two things a box is around. */
export const thingOf = (xyxy: Xyxy) => things.find((thing) => iou(thing.xyxy, xyxy) > 0.9)?.colour
