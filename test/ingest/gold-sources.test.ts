import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readCocoTruth } from '../../src/audit/coco-truth.js'
import { random } from '../../src/base/random.js'
import { parseEntityBoxes, parseEntitySentence } from '../../src/formats/flickr-entities.js'
import type { ImageRow, Region } from '../../src/rows/rows.js'
import { joinNames, nameInPrompt } from '../../src/words/name-prompt.js'
import { packNames, tokenEstimate } from '../../src/words/pack-names.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const images = join(folder, 'images')
await mkdir(images)
const picture = await sharp({ create: { width: 400, height: 200, channels: 3, background: '#c33' } })
  .jpeg()
  .toBuffer()
for (const name of ['1.jpg', '2.jpg', 'abc.jpg', 'def.jpg']) await writeFile(join(images, name), picture)

let count = 0
/** Ingests a source; the pictures are halved on their way in. */
const ingest = (given: object) => ingestAll(join(folder, `dataset-${count++}`), { images, ...given })
async function file(ending: string, value: object | string): Promise<string> {
  const path = join(folder, `file-${count++}${ending}`)
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}
/** What each region names, and its box in pixels of the stored picture. */
const named = ({ captions }: ImageRow, regions: readonly Region[]) =>
  regions.map(({ caption, start, end, xyxy }) => [
    [...captions[caption].text].slice(start, end).join(''),
    xyxy.map((value) => Math.round(value * 10) / 10),
  ])

describe('prompts of names', () => {
  const name = fc.stringMatching(/^[a-z]{1,12}( [a-z]{1,12})?$/)
  it('hold each name once, within the limit, and nothing that is present as absent', () => {
    fc.assert(
      fc.property(
        fc.array(name, { maxLength: 40 }),
        fc.array(name, { maxLength: 40 }),
        fc.integer({ min: 12, max: 60 }),
        fc.integer({ min: 0, max: 30 }),
        (names, absent, max_tokens, negatives) => {
          const draw = () => random('prompts')
          const prompts = packNames(names, absent, { max_tokens, negatives }, draw())
          const present = new Set(names)
          const found = prompts.flatMap(({ text }) => text.split('. ').filter((part) => present.has(part)))
          expect(found.sort()).toEqual([...present].sort())
          for (const { text, names: joined, spans } of prompts) {
            expect(tokenEstimate(text)).toBeLessThanOrEqual(max_tokens)
            const others = text.split('. ').filter((part) => !present.has(part))
            expect(others.length).toBeLessThanOrEqual(negatives)
            expect(new Set(others).size).toBe(others.length)
            for (const other of others) expect(absent).toContain(other)
            expect(joined).toHaveLength(spans.length)
            for (const [index, [start, end]] of spans.entries())
              expect([...text].slice(start, end).join('')).toBe(joined[index])
          }
          expect(packNames(names, absent, { max_tokens, negatives }, draw())).toEqual(prompts)
        },
      ),
    )
  })

  it('keep the order of the source where nothing is drawn into them', () => {
    const [{ text }] = packNames(['dog', 'cat', 'dog'], ['ox'], { max_tokens: 254, negatives: 0 }, random(1))
    expect(text).toBe(joinNames(['dog', 'cat']).text)
  })

  it.each([
    ['bow_(weapon)', 'bow'],
    ['fire_truck', 'fire truck'],
    ['(only)', '(only)'],
    ['St. Bernard', 'St.Bernard'],
  ])('write %s as %s', (given, wanted) => {
    expect(nameInPrompt(given)).toBe(wanted)
  })
})

describe('absent categories', () => {
  const categories = ['dog', 'cat', 'ox', 'bow_(weapon)', 'person'].map((text, id) => ({ id, name: text }))
  const list = { images: [{ id: 1, file_name: '1.jpg' }], categories }
  const annotations = [
    { image_id: 1, category_id: 0, bbox: [0, 0, 100, 100] },
    { image_id: 1, category_id: 4, bbox: [0, 0, 100, 100], iscrowd: 1 },
  ]
  const promptOf = async (given: object, value: object) => {
    const instances = await file('.json', value)
    const { images: rows, all } = await ingest({ format: 'coco', instances, ...given })
    const [{ phrases }] = await all('phrases')
    // Only what is there is a phrase: all else in the prompt is a negative.
    expect(phrases.map(({ text }) => text)).toEqual(['dog'])
    return rows[0].captions[0].text.split('. ').sort()
  }

  it('are drawn into the prompt; of a crowd nothing is said', async () => {
    const whole = { ...list, annotations }
    expect(await promptOf({}, whole)).toEqual(['dog'])
    expect(await promptOf({ prompt: { negatives: 85 } }, whole)).toEqual(['bow', 'cat', 'dog', 'ox'])
    expect(await promptOf({ prompt: { negatives: 1 } }, whole)).toHaveLength(2)
    expect(await promptOf({ prompt: { negatives: 85 }, exhaustive: false }, whole)).toEqual(['dog'])
  })

  it('are in LVIS only those that were looked for', async () => {
    const image = {
      id: 1,
      coco_url: 'http://images.cocodataset.org/1.jpg',
      neg_category_ids: [2],
      not_exhaustive_category_ids: [0],
    }
    const whole = { ...list, images: [image], annotations }
    const given = { prompt: { negatives: 85 }, images: folder }
    await mkdir(join(folder, 'images.cocodataset.org'), { recursive: true })
    await writeFile(join(folder, 'images.cocodataset.org', '1.jpg'), picture)
    expect(await promptOf(given, whole)).toEqual(['dog', 'ox'])
    const instances = await file('.json', whole)
    const [{ meta }] = await rowsOf({ format: 'coco', instances, ...given })
    expect(meta).toMatchObject({ neg_category_ids: [2], not_exhaustive_category_ids: [0] })
  })

  it('make another prompt where the names do not fit into one', async () => {
    const instances = await file('.json', {
      ...list,
      annotations: categories.map(({ id }) => ({ image_id: 1, category_id: id, bbox: [0, 0, 100, 100] })),
    })
    const { images: rows, all } = await ingest({ format: 'coco', instances, prompt: { max_tokens: 4 } })
    expect(rows[0].captions.map(({ text }) => text)).toEqual(['dog. cat', 'ox. bow', 'person'])
    const [{ regions }] = await all('grounding')
    expect(named(rows[0], regions).map(([text]) => text)).toEqual(['dog', 'cat', 'ox', 'bow', 'person'])
  })
})

describe('OpenImages', () => {
  const header =
    'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside'
  const lines = [
    'abc,xclick,/m/1,1,0.25,0.5,0.1,0.9,0,0,0,0,0',
    'abc,xclick,/m/2,1,0,1,0,1,0,0,1,0,0',
    'abc,xclick,/m/1,1,0.5,0.75,0.1,0.9,0,0,0,0,0',
    'def,xclick,/m/9,1,0,1,0,1,0,0,0,0,0',
    'def,xclick,/m/2,1,0,0.5,0,0.5,0,0,0,0,0',
    'broken',
    'gone,xclick,/m/2,1,0,0.5,0,0.5,0,0,0,0,0',
  ]
  const classes = '/m/2,Tortoise\n/m/1,"Cat, tame"\n'

  it('has boxes in shares of the sides, and leaves out groups', async () => {
    const source = {
      format: 'openimages',
      path: await file('.csv', [header, ...lines].join('\n')),
      classes: await file('.csv', `LabelName,DisplayName\n${classes}`),
      shard_size: 1,
    }
    const { images: rows, all, rejects, records } = await ingest(source)
    const grounding = await all('grounding')
    expect(rows.map((row, index) => named(row, grounding[index].regions))).toEqual([
      [
        ['Cat, tame', [50, 10, 100, 90]],
        ['Cat, tame', [100, 10, 150, 90]],
      ],
      [['Tortoise', [0, 0, 100, 50]]],
    ])
    expect(records.map(({ stats }) => stats.tallies.dropped)).toEqual([
      { group_box: 1 },
      { unnamed_box: 1 },
      undefined,
      undefined,
    ])
    expect(rejects.map(({ reason }) => reason)).toEqual(['malformed_row', 'missing_file'])
  })

  it('is fetched from where its list of pictures has them', async () => {
    const source = {
      format: 'openimages',
      path: await file('.csv', [header, ...lines.slice(0, 4)].join('\n')),
      classes: await file('.csv', classes),
      image_list: await file(
        '.csv',
        'ImageID,Subset,OriginalURL,License\nabc,train,https://host/a.jpg,https://free\n',
      ),
    }
    const rows = await rowsOf(source)
    expect(rows.map(({ url, license, problem }) => [url, license, problem?.reason])).toEqual([
      ['https://host/a.jpg', 'https://free', undefined],
      [null, null, 'malformed_row'],
    ])
    await expect(rowsOf({ ...source, classes: undefined })).rejects.toThrow(/needs `classes`/)
  })
})

describe('Visual Genome', () => {
  it('joins the descriptions of a picture to captions', async () => {
    const region = (phrase: string, x: number) => ({
      region_id: x,
      image_id: 1,
      phrase,
      x,
      y: 10,
      width: 50,
      height: 50,
    })
    const source = {
      format: 'visual-genome',
      path: await file('.json', [
        { id: 1, regions: [region('A red wall.', 0), region('dog on 🦓', 100), region('A red wall.', 200)] },
        { id: 9, regions: [] },
        'nonsense',
        { id: 2, regions: [{ phrase: 'no box' }] },
      ]),
      image_list: await file('.json', [
        { image_id: 1, url: 'http://host/1.jpg', width: 400, height: 200, coco_id: null },
        { image_id: 2, url: 'http://host/2.jpg', width: 400, height: 200 },
      ]),
    }
    const { images: rows, all, rejects } = await ingest(source)
    expect(rows.map(({ captions }) => captions)).toEqual([[{ text: 'A red wall. dog on 🦓', kind: 'gold' }]])
    expect(named(rows[0], (await all('grounding'))[0].regions)).toEqual([
      ['A red wall', [0, 5, 25, 30]],
      ['dog on 🦓', [50, 5, 75, 30]],
      ['A red wall', [100, 5, 125, 30]],
    ])
    expect(rejects.map(({ reason }) => reason)).toEqual(['malformed_row', 'malformed_row', 'empty_caption'])
    const short = await ingest({ ...source, prompt: { max_tokens: 5 } })
    expect(short.images[0].captions.map(({ text }) => text)).toEqual(['A red wall', 'dog on 🦓'])
  })
})

describe('Flickr30k Entities', () => {
  const xml = `<annotation><filename>1.jpg</filename><size><width>400</width><height>200</height><depth>3</depth></size>
    <object><name>11</name><name>12</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>110</xmax><ymax>120</ymax></bndbox></object>
    <object><name>11</name><bndbox><xmin>200</xmin><ymin>20</ymin><xmax>300</xmax><ymax>120</ymax></bndbox></object>
    <object><name>13</name><scene>1</scene><nobndbox>0</nobndbox></object></annotation>`
  const sentences =
    '[/EN#11/people Two young guys] with [/EN#12/bodyparts/other shaggy 🦓 hair] in [/EN#13/scene the yard] .\n' +
    '[/EN#0/notvisual It] is [/EN#11/people them] .\n'

  it('gives each phrase its boxes', async () => {
    const path = join(folder, 'entities')
    await mkdir(join(path, 'Annotations'), { recursive: true })
    await mkdir(join(path, 'Sentences'))
    for (const id of [1, 2, 30]) await writeFile(join(path, 'Sentences', `${id}.txt`), sentences)
    for (const id of [1, 2])
      await writeFile(join(path, 'Annotations', `${id}.xml`), id === 1 ? xml : '<size>')
    const { images: rows, all, rejects, records } = await ingest({ format: 'flickr30k-entities', path })
    expect(rows[0].captions.map(({ text }) => text)).toEqual([
      'Two young guys with shaggy 🦓 hair in the yard .',
      'It is them .',
    ])
    expect(named(rows[0], (await all('grounding'))[0].regions)).toEqual([
      ['Two young guys', [5, 10, 55, 60]],
      ['Two young guys', [100, 10, 150, 60]],
      ['shaggy 🦓 hair', [5, 10, 55, 60]],
      ['them', [5, 10, 55, 60]],
      ['them', [100, 10, 150, 60]],
    ])
    expect(records[0].stats.tallies.dropped).toEqual({ phrase_without_box: 2 })
    expect(rejects.map(({ reason }) => reason)).toEqual(['malformed_row', 'malformed_row'])
    const split = await file('.txt', '30\n1\n')
    expect(
      (await rowsOf({ format: 'flickr30k-entities', path, images, split })).map(({ meta }) => meta),
    ).toEqual([{ id: '1' }, null])
  })

  it('reads sizes and chains with several boxes', () => {
    const { width, height, boxes } = parseEntityBoxes(xml)
    expect([width, height, [...boxes.keys()]]).toEqual([400, 200, ['11', '12']])
    expect(() => parseEntityBoxes('<annotation/>')).toThrow('there is no <width>')
  })

  const sample = new URL('../../../shared/data/flickr30k-entities-sample/sentences/', import.meta.url)
    .pathname
  it.skipIf(!existsSync(sample))('keeps every word of the real sentences', async () => {
    let phrases = 0
    for (const name of await readdir(sample)) {
      for (const line of (await readFile(join(sample, name), 'utf8')).split('\n')) {
        if (line.trim() === '') continue
        const parsed = parseEntitySentence(line)
        expect(parsed.text).not.toMatch(/[[\]]|EN#/)
        expect(parsed.phrases).toHaveLength(line.split('[/EN#').length - 1)
        phrases += parsed.phrases.length
        for (const { start, end, types } of parsed.phrases) {
          expect([...parsed.text].slice(start, end).join('').trim()).not.toBe('')
          expect(types.length).toBeGreaterThan(0)
        }
      }
    }
    expect(phrases).toBeGreaterThan(60)
  })
})

describe('RefCOCO', () => {
  const instances = {
    images: [1, 2].map((id) => ({ id, file_name: `${id}.jpg`, width: 400, height: 200 })),
    annotations: [
      { id: 11, image_id: 1, category_id: 1, bbox: [0, 0, 100, 100] },
      { id: 12, image_id: 2, category_id: 1, bbox: [200, 0, 100, 100] },
    ],
    categories: [{ id: 1, name: 'dog' }],
  }
  const ref = (id: number, split: string, ...sentences: string[]) => ({
    ref_id: id,
    ann_id: id,
    image_id: id - 10,
    split,
    sentences: sentences.map((sent) => ({ sent, raw: sent })),
  })
  const refs = [
    ref(11, 'val', 'left dog', "café's dog"),
    ref(12, 'train', 'right dog'),
    ref(19, 'val', 'lost'),
  ]
  // pickle.dumps of the first two, protocol 2.
  const pickled =
    'gAJdcQAofXEBKFgGAAAAcmVmX2lkcQJLC1gGAAAAYW5uX2lkcQNLC1gIAAAAaW1hZ2VfaWRxBEsBWAUAAABzcGxpdHEFWAMAAAB2YWxxBlgJAAAAc2VudGVuY2VzcQddcQgofXEJWAQAAABzZW50cQpYCAAAAGxlZnQgZG9ncQtzfXEMaApYCwAAAGNhZsOpJ3MgZG9ncQ1zZXV9cQ4oaAJLDGgDSwxoBEsCaAVYBQAAAHRyYWlucQ9oB11xEH1xEWgKWAkAAAByaWdodCBkb2dxEnNhdWUu'

  it('makes a caption of each expression, from a pickle or from JSON', async () => {
    const pickle = join(folder, 'refs(unc).p')
    await writeFile(pickle, Buffer.from(pickled, 'base64'))
    const source = { format: 'refcoco', instances: await file('.json', instances) }
    const read = await ingest({ ...source, path: pickle })
    expect(named(read.images[0], (await read.all('grounding'))[0].regions)).toEqual([
      ['left dog', [0, 0, 50, 50]],
      ["café's dog", [0, 0, 50, 50]],
    ])
    expect(read.images.map(({ captions }) => captions.length)).toEqual([2, 1])

    const path = await file('.json', refs)
    const one = await ingest({ ...source, path, split: 'val' })
    expect(one.images.map(({ captions }) => captions[0].text)).toEqual(['left dog'])
    expect(one.rejects.map(({ detail }) => detail)).toEqual([expect.stringContaining('no picture 9')])
    await expect(rowsOf({ ...source, path, split: 'testA' })).rejects.toThrow(
      'has no split "testA"; it has: train, val.',
    )
  })
})

describe('ODVG', () => {
  it('has detection with labels and grounding with phrases', async () => {
    const size = { height: 200, width: 400 }
    const lines = [
      {
        filename: '1.jpg',
        ...size,
        detection: {
          instances: [
            { bbox: [0, 0, 100, 100], label: 1, category: 'cat' },
            { bbox: [100, 0, 200, 100], label: 0 },
            { bbox: [1, 2] },
          ],
        },
      },
      {
        filename: '2.jpg',
        ...size,
        grounding: {
          caption: '🦓 A woman and a man',
          regions: [
            {
              bbox: [
                [0, 0, 100, 100],
                [100, 0, 200, 100],
              ],
              phrase: 'a man',
            },
            {
              bbox: [200, 0, 300, 100],
              phrase: 'a woman',
              tokens_positive: [
                [2, 3],
                [4, 9],
              ],
            },
            { bbox: [200, 0, 300, 100], phrase: 'an elephant' },
          ],
        },
      },
      { filename: '', ...size },
    ]
    const source = {
      format: 'odvg',
      path: await file('.jsonl', lines.map((line) => JSON.stringify(line)).join('\n')),
      classes: await file('.json', { 0: 'dog', 1: 'cat', 2: 'ox' }),
    }
    const { images: rows, all, rejects, records } = await ingest(source)
    const grounding = await all('grounding')
    expect(rows[0].captions).toEqual([{ text: 'dog. cat', kind: 'categories' }])
    expect(rows.map((row, index) => named(row, grounding[index].regions))).toEqual([
      [
        ['cat', [0, 0, 50, 50]],
        ['dog', [50, 0, 100, 50]],
      ],
      [
        ['a man', [0, 0, 50, 50]],
        ['a man', [50, 0, 100, 50]],
        ['A woman', [100, 0, 150, 50]],
      ],
    ])
    expect(records[0].stats.tallies.dropped).toEqual({ malformed_box: 1, unnamed_box: 1 })
    expect(rejects.map(({ reason }) => reason)).toEqual(['malformed_row'])
    const absentOf = async (given: readonly object[]) => {
      const path = await file('.jsonl', given.map((line) => JSON.stringify(line)).join('\n'))
      const [{ absent }] = await rowsOf({ ...source, path, images, prompt: { negatives: 3 } })
      return absent
    }
    // The box that cannot be read may be of an ox.
    expect(await absentOf(lines)).toEqual([])
    const [detected] = lines
    const instances = detected && 'detection' in detected ? detected.detection.instances.slice(0, 2) : []
    expect(await absentOf([{ ...detected, detection: { instances } }])).toEqual(['ox'])
  })
})

describe('tokens_positive', () => {
  const caption = 'a red dog'
  const bbox = [0, 0, 100, 100]
  const size = { width: 400, height: 200 }
  const lineOf = (tokens_positive: unknown) => ({
    filename: '1.jpg',
    ...size,
    grounding: { caption, regions: [{ bbox, phrase: 'red', tokens_positive }] },
  })
  const labelOf = (tokens_positive: unknown) => ({
    img_h: 200,
    img_w: 400,
    caption,
    bboxes: [bbox],
    scores: [1],
    tokens_positive: [tokens_positive],
  })
  it.each([
    [[2, 9], [[2, 9]]],
    [[[2, 9]], [[2, 9]]],
    [
      [
        [2, 5],
        [6, 9],
      ],
      [
        [2, 5],
        [6, 9],
      ],
    ],
  ])('of %j is read alike wherever it stands', async (given, wanted) => {
    const spansIn = async (source: object) => (await rowsOf({ images, ...source }))[0].regions?.[0].spans
    const path = await file('.jsonl', JSON.stringify(lineOf(given)))
    expect(await spansIn({ format: 'odvg', path })).toEqual(wanted)
    const labels = await file('.tsv', `k1\t${JSON.stringify(labelOf(given))}\n`)
    const tsv = await file('.tsv', 'k1\t\tAAAA\n')
    expect(await spansIn({ format: 'glip-tsv', path: labels, images: tsv })).toEqual(wanted)
    const instances = await file('.json', {
      images: [{ id: 1, file_name: '1.jpg', caption, ...size }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox, tokens_positive: given }],
      categories: [{ id: 1, name: 'object' }],
    })
    expect(await spansIn({ format: 'coco', instances })).toEqual(wanted)
    const find = await readCocoTruth(instances)
    const truth = find({
      captions: [{ text: caption, kind: 'gold' }],
      url: null,
      meta: '{"file_name":"1.jpg"}',
      ...size,
    })
    expect(truth?.mentions.size).toBe(1)
  })

  it('that is empty or null leaves it to the phrase; one that is no span is malformed', async () => {
    const lines = [[], null, 'x', [2], [[2, 9, 1]]].map((given) => JSON.stringify(lineOf(given)))
    const rows = await rowsOf({ format: 'odvg', images, path: await file('.jsonl', lines.join('\n')) })
    expect(rows.map(({ regions, dropped }) => regions?.[0]?.spans ?? dropped)).toEqual([
      [[2, 5]],
      [[2, 5]],
      { malformed_box: 1 },
      { malformed_box: 1 },
      { malformed_box: 1 },
    ])
  })
})

describe("GLIP's TSV", () => {
  const size = { img_h: 200, img_w: 400 }
  const label = (key: string, value: object) => `${key}\t${JSON.stringify({ ...size, ...value })}`
  const labels = [
    label('k1', {
      caption: 'a red dog runs',
      bboxes: [
        [0, 0, 100, 100],
        [200, 0, 300, 100],
      ],
      scores: [0.9, 0.4],
      tokens_positive: [
        [
          [0, 1],
          [2, 5],
          [6, 9],
        ],
        [[0, 9]],
      ],
    }),
    label('k2', {
      captions: ['two dogs', 'other'],
      bboxes: [
        [
          [0, 0, 100, 100],
          [200, 0, 300, 100],
        ],
      ],
      scores: [[0.5, 0.75]],
      tokens_positive: [[[0, 8]]],
    }),
    label('k3', { bboxes: 5 }),
    label('k4', { caption: 'of another key', bboxes: [], scores: [], tokens_positive: [] }),
  ]
  it('has boxes with scores, one or many an entity', async () => {
    const path = await file('.label.tsv', `${labels.join('\n')}\n`)
    const lines = ['k1', 'k2', 'k3', 'other'].map((key) => `${key}\t\t${picture.toString('base64')}\n`)
    const offsets = lines.map((_, index) => lines.slice(0, index).join('').length)
    const tsv = join(folder, 'pictures.img.tsv')
    await writeFile(tsv, lines.join(''))
    const source = { format: 'glip-tsv', path, images: tsv }
    const scanned = await ingest(source)
    await writeFile(join(folder, 'pictures.img.lineidx'), `${offsets.join('\n')}\n`)
    const { images: rows, all, rejects, records } = await ingest(source)
    expect(scanned.images).toEqual(rows)
    const grounding = await all('grounding')
    expect(named(rows[0], grounding[0].regions)).toEqual([['a red dog', [0, 0, 50, 50]]])
    expect(grounding[1].regions.map(({ score, origin }) => [score, origin])).toEqual([
      [0.5, 'glip'],
      [0.75, 'glip'],
    ])
    expect(rejects.map(({ reason }) => reason)).toEqual(['malformed_row', 'malformed_row'])
    expect(records[0].stats.tallies.dropped).toEqual({ score: 1 })
    const all_ = await ingest({ ...source, min_score: 0 })
    expect((await all_.all('grounding'))[0].regions).toHaveLength(2)
    await writeFile(join(folder, 'pictures.img.lineidx'), '0\n7\n99999999\n')
    await expect(rowsOf(source)).rejects.toThrow(/is not the index of/)
  })
})
