import sharp from 'sharp'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Phrase, Region } from '../../src/rows/rows.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { type TrainConfig, trainConfig } from '../../src/train/config.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { putShard } from './put-shard.js'
import { temporaryFolder } from './temporary-folder.js'

const colours = { blue: '#22f', green: '#2d2', red: '#f22' } as const
export const names = ['blue square', 'green square', 'red square']

/** Squares of two colours on grey, named as categories; picture 0 has a written caption only. */
export async function squares(count: number): Promise<SampleSource> {
  const storage = openStorage(await temporaryFolder())
  const pictures = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const shown = names.filter((_, at) => at !== index % 3)
      const places: Xyxy[] = shown.map((_, at) => [
        4 + 48 * at,
        8 + 3 * (index % 5),
        40 + 48 * at,
        44 + 3 * (index % 5),
      ])
      const boxes = await Promise.all(
        shown.map(async (name, at) => ({
          input: await sharp({
            create: { width: 36, height: 36, channels: 3, background: colours[name.split(' ')[0] as 'red'] },
          })
            .png()
            .toBuffer(),
          left: places[at][0],
          top: places[at][1],
        })),
      )
      const bytes = await sharp({ create: { width: 96, height: 96, channels: 3, background: '#999' } })
        .composite(boxes)
        .png()
        .toBuffer()
      const kind = index === 0 ? ('gold' as const) : ('categories' as const)
      const text = shown.join('. ')
      let at = 0
      const phrases = shown.map((name): Phrase => {
        const start = at
        at += name.length + 2
        return { caption: 0, text: name, start, end: at - 2, head: 'square' }
      })
      const regions = phrases.map(
        ({ start, end }, phrase): Region => ({
          ...{ caption: 0, phrase, start, end, xyxy: places[phrase] },
          ...{ score: 1, origin: 'gold' },
        }),
      )
      return { key: `k${index}`, bytes, captions: [{ text, kind }], phrases, regions }
    }),
  )
  const shard = '00000'
  const empty = { url: null, sha256: '', phash: '', license: null, meta: null }
  await putShard(
    storage,
    'images',
    null,
    shard,
    pictures.map(({ key, bytes, captions }) => ({
      ...{ key, captions, image: { bytes, path: null } },
      ...{ width: 96, height: 96, ...empty },
    })),
  )
  await putShard(
    storage,
    'phrases',
    'gold',
    shard,
    pictures.map(({ key, phrases }) => ({ key, phrases })),
  )
  await putShard(
    storage,
    'grounding',
    'gold',
    shard,
    pictures.map(({ key, regions }) => ({ key, regions })),
  )
  return { name: 'squares', storage, shards: [shard], grounding: 'gold', phrases: 'gold' }
}

const plain = { flip: 0, crop: 0, colour: 0, scale: [1, 1], negatives: 0, mask_words: 0, categories: 1 }
/** A short training without augmentation. */
export const config = (more: object): TrainConfig =>
  trainConfig.parse({
    batch: 4,
    steps: 2,
    max_boxes: 4,
    vocabulary_size: 100,
    warmup: 0,
    augment: plain,
    threads: 1,
    ...more,
  })
