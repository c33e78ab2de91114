import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import { type AugmentConfig, augmentConfig } from '../../src/train/examples/augment-config.js'
import { makeBatch } from '../../src/train/examples/make-batch.js'
import { makeExample } from '../../src/train/examples/make-example.js'
import { createPictureCache } from '../../src/train/examples/picture-cache.js'
import { readAhead } from '../../src/train/examples/read-ahead.js'
import type { Sample } from '../../src/train/samples/sample.js'
import { tinyConfig } from '../helpers/tiny-glip.js'

const tokenizer = createTokenizer(buildVocabulary(['red cat'], 50, 1))
const size = tinyConfig.image_size
const picture = { width: size, height: size, scale: 1, data: new Uint8Array(size * size * 3).fill(128) }
const text = 'red cat'

/** An example of a grey picture as large as the input, with a box of the caption. */
function example(box: Xyxy, augment: Partial<AugmentConfig>, seed = 1, judged: Sample['judged'] = []) {
  const caption = {
    ...{ text, kind: 'alt', boxes: [box] },
    grounded: [{ text, start: 0, end: text.length, name: [0, text.length], boxes: [box], origins: ['gold'] }],
    ...{ ungrounded: [], unsure: [] },
  }
  const sample = {
    ...{ key: 'a', bytes: new Uint8Array(), captions: [caption], mentioned: [text], negatives: [] },
    ...{ exhaustive: false, partial: [], judged },
  }
  const still = { flip: 0, crop: 0, scale: [1, 1], colour: 0, categories: 0, negatives: 0 }
  return makeExample(
    // Samples have more than is read of them here.
    {
      ...{ picture, draw: random(seed, 'example'), sample, caption },
      stream: { captions: [], categories: [] },
    } as unknown as Parameters<typeof makeExample>[0],
    {
      tokenizer,
      network: tinyConfig,
      config: { augment: augmentConfig.parse({ ...still, ...augment }), max_boxes: 3 },
    },
  )
}

describe('an example', () => {
  it('holds words of a doubtful box for less sure not to be elsewhere', () => {
    const judged = [{ name: text, xyxy: [4, 4, 20, 20], probability: 0.3 }] as const
    const weighed = example([4, 4, 20, 20], {}, 1, judged)
    expect([...(weighed.elsewhere ?? [])]).toEqual([
      [1, 0.3],
      [2, 0.3],
    ])
    // Of another box nothing is said.
    expect(example([4, 4, 20, 21], {}, 1, judged)).not.toHaveProperty('elsewhere')
    expect(example([4, 4, 20, 20], {})).not.toHaveProperty('elsewhere')
  })

  it('changes contrast around the middle grey, and brightness by half of what is said at most', () => {
    const gains = Array.from({ length: 60 }, (_, seed) => {
      const { gain, offset } = example([4, 4, 20, 20], { colour: 0.4 }, seed).placement
      expect(Math.abs(0.5 * gain + offset - 0.5)).toBeLessThanOrEqual(0.2 + 1e-9)
      expect(Math.abs(gain - 1)).toBeLessThanOrEqual(0.4)
      return gain
    })
    expect(Math.min(...gains)).toBeLessThan(0.8)
    expect(Math.max(...gains)).toBeGreaterThan(1.2)
    expect(example([4, 4, 20, 20], {}).placement).toMatchObject({ gain: 1, offset: 0, dx: 0, dy: 0 })
  })

  it('leaves out boxes of which less than a third is seen, or no two pixels across, with their phrases', () => {
    const counted = (box: Xyxy) => {
      const { boxes, words } = example(box, {})
      return [boxes.length, words.reduce((sum, word) => sum + word, 0)]
    }
    // [CLS], two words and [SEP]; of a sliver the words do not count.
    expect(counted([4, 4, 20, 20])).toEqual([1, 4])
    expect(counted([4, 4, 6, 20])).toEqual([1, 4])
    expect(counted([4, 4, 20, 6])).toEqual([1, 4])
    expect(counted([4, 4, 5.9, 20])).toEqual([0, 2])
    expect(counted([4, 4, 20, 5.9])).toEqual([0, 2])
    // 12 of 36 pixels are inside, and 11.
    expect(counted([size - 12, 4, size + 24, 20])).toEqual([1, 4])
    expect(counted([size - 11, 4, size + 25, 20])).toEqual([0, 2])
  })

  it('has its own place in a batch', () => {
    const [one, two] = [example([4, 4, 20, 20], {}), example([8, 2, 30, 28], {})]
    const anchors = anchorsOf(tinyConfig)
    const batchOf = (...examples: readonly (typeof one)[]) =>
      makeBatch(
        examples.map((own) => ({ ...own, regress: own === two })),
        anchors,
        tinyConfig,
        3,
      )
    const [both, first, second] = [batchOf(one, two), batchOf(one), batchOf(two)]
    for (const [name, { data, shape }] of Object.entries(both)) {
      expect([...data], name).toEqual([...first[name]!.data, ...second[name]!.data])
      expect(shape[0]).toBe(2)
    }
    expect([...both.box!.data].slice(16, 20)).toEqual([8, 2, 30, 28])
    expect([...both.regress!.data]).toEqual([0, 1])
  })
})

describe('decoded pictures', () => {
  it('are kept while there is room', async () => {
    const bytes = await sharp({ create: { width: 10, height: 10, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer()
    const cache = createPictureCache(10, 700)
    const [a, b, c] = [await cache('a', bytes), await cache('b', bytes), await cache('c', bytes)]
    expect(a.data).toHaveLength(300)
    expect([await cache('a', bytes), await cache('b', bytes)].map((one, at) => one === [a, b][at])).toEqual([
      true,
      true,
    ])
    expect(await cache('c', bytes)).not.toBe(c)
    // Asked for twice at once, it counts once.
    const small = createPictureCache(10, 600)
    await Promise.all([small('a', bytes), small('a', bytes)])
    const kept = await small('b', bytes)
    expect(await small('b', bytes)).toBe(kept)
  })

  it('are made one ahead, and none beyond the end', async () => {
    const made: number[] = []
    const at = readAhead(async (index) => {
      made.push(index)
      return index
    }, 3)
    for (const index of [0, 1, 2]) expect(await at(index)).toBe(index)
    expect(made).toEqual([0, 1, 2])
  })
})
