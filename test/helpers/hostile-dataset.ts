import sharp from 'sharp'
import type { ImageRow, Phrase, Region } from '../../src/rows/rows.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { commit } from './inspect-dataset.js'

const attack = '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>'
const drawing = `<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=3" width="9" height="9"><script>window.pwned=4</script><image href="https://evil.example/x.png"/></svg>`

/** What a crawl of the worst pages could bring in. */
export const hostile = {
  captions: [
    `${attack} a dog`,
    '"><svg onload=window.pwned=5> a dog',
    "{{constructor.constructor('window.pwned=6')()}} a dog",
  ],
  // Others are refused before anything is shown (test/shards/strangers-dataset.test.ts).
  keys: ['a', 'b', 'c'],
  urls: [
    'javascript:window.pwned=8',
    'https://evil.example/track.gif',
    'data:text/html,<script>window.pwned=9</script>',
  ],
} as const

/** A dataset of three hostile rows: a drawing, a web page and a picture, with hostile words everywhere. */
export async function makeHostileDataset(url: string): Promise<void> {
  const storage = openStorage(url)
  const shard = '00000'
  await createDataset(storage, { name: 'hostile', card: null, shards: [shard] })
  const plain = { create: { width: 40, height: 30, channels: 3, background: '#468' } } as const
  const pictures = [
    Buffer.from(drawing),
    Buffer.from(`<!doctype html><title>x</title>${attack}`),
    await sharp(plain).jpeg().toBuffer(),
  ]
  const images = hostile.captions.map(
    (text, at): ImageRow => ({
      ...{
        key: hostile.keys[at],
        image: { bytes: pictures[at], path: '../../secret.jpg' },
        width: 40,
        height: 30,
      },
      captions: [{ text, kind: 'web' }],
      ...{ url: hostile.urls[at], sha256: attack, phash: attack, license: attack, meta: `{"x":"${attack}"}` },
    }),
  )
  const phrase = (text: string): Phrase => {
    const start = [...text].length - 5
    return {
      caption: 0,
      text: `${attack}a dog`,
      start,
      end: start + 5,
      head: '<b onclick=window.pwned=10>dog</b>',
    }
  }
  const region = (text: string): Region => ({
    ...{ caption: 0, phrase: 0, start: [...text].length - 5, end: [...text].length },
    ...{ xyxy: [5, 5, 20, 20], score: 1, origin: attack },
  })
  await commit(storage, 'hostile', shard, 'images', {
    images,
    phrases: images.map(({ key }, at) => ({ key, phrases: [phrase(hostile.captions[at])] })),
    grounding: images.map(({ key }, at) => ({ key, regions: [region(hostile.captions[at])] })),
    rejects: hostile.urls.map((address, at) => ({
      ...{ key: hostile.keys[at], url: address, reason: '<i>bad</i>', detail: attack },
    })),
  })
}
