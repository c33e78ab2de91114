import { constants } from 'node:buffer'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { detectionsJson, readDetections } from '../../src/evaluate/benchmark-ids.js'
import { promptsOf } from '../../src/evaluate/category-prompts.js'
import { flickrRecall, readFlickr30k } from '../../src/evaluate/flickr30k.js'
import { meanAp, odinwBeside, odinwSets } from '../../src/evaluate/odinw.js'
import { readDetectionTruth } from '../../src/evaluate/read-detection-truth.js'
import { readRefer, referAccuracy } from '../../src/evaluate/refer.js'
import {
  type BenchmarkRun,
  detectBenchmark,
  groundExpressions,
  groundSentences,
} from '../../src/evaluate/run-benchmark.js'
import { parseEntityBoxes, parseEntitySentences } from '../../src/formats/flickr-entities.js'
import type { Query, Teacher } from '../../src/teacher/teacher.js'
import { nameInPrompt } from '../../src/words/name-prompt.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const sentences = `[/EN#1/people Two men] in [/EN#2/clothing red coats] hold [/EN#3/other a sign] .
[/EN#1/people/animals Men] look at [/EN#0/notvisual each other] under [/EN#4/scene the sky] .

A caf\u00e9 .
`
const annotation = `<annotation>
<filename>7.jpg</filename><size><width>200</width><height>100</height><depth>3</depth></size>
<object><name>1</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>40</xmax><ymax>80</ymax></bndbox></object>
<object><name>1</name><name>2</name><bndbox><xmin>60</xmin><ymin>0</ymin><xmax>100</xmax><ymax>80</ymax></bndbox></object>
<object><name>4</name><nobndbox>0</nobndbox><scene>1</scene></object>
<object><name>3</name><nobndbox>1</nobndbox><scene>0</scene></object>
</annotation>`

async function flickrFolder(): Promise<string> {
  const folder = await temporaryFolder()
  for (const name of ['Sentences', 'Annotations', 'images']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'test.txt'), '7\n')
  await writeFile(join(folder, 'Sentences/7.txt'), sentences)
  await writeFile(join(folder, 'Annotations/7.xml'), annotation)
  await grey(join(folder, 'images/7.jpg'), 200, 100)
  return folder
}

async function grey(path: string, width: number, height: number) {
  await writeFile(
    path,
    await sharp({ create: { width, height, channels: 3, background: '#777' } })
      .jpeg()
      .toBuffer(),
  )
}

/**
 * A teacher that finds each span where its words say, in tenths of the picture: "3" is a box around the
 * middle.
 */
function teacher(
  answer: (query: Query, phrase: number) => readonly [number, number, number, number] | undefined,
): Teacher {
  return {
    name: 'fake',
    hash: '',
    pictureSide: 50,
    batch: 1,
    parallel: 1,
    tokensOf: (text) => text.split(' ').length,
    maxTokens: 60,
    async detect(queries) {
      return queries.map((query) =>
        query.phrases.flatMap((_, phrase) => {
          const xyxy = answer(query, phrase)
          return xyxy ? [{ phrase, xyxy, score: 0.9 - phrase / 1e4 }] : []
        }),
      )
    },
    close: async () => {},
  }
}

const config = { names_a_prompt: 40, floor: 0.01, nms: 0.6, max_boxes: 100 }
const run = (model: Teacher, images: string): BenchmarkRun => ({ teacher: model, images, config })

describe('Flickr30k Entities', () => {
  it('reads sentences and boxes', () => {
    const [first, second, third] = parseEntitySentences(sentences)
    expect(first.text).toBe('Two men in red coats hold a sign .')
    expect(first.phrases.map(({ text, id, types }) => [text, id, types])).toEqual([
      ['Two men', '1', ['people']],
      ['red coats', '2', ['clothing']],
      ['a sign', '3', ['other']],
    ])
    for (const { text, phrases } of [first, second, third])
      for (const phrase of phrases)
        expect([...text].slice(phrase.start, phrase.end).join('')).toBe(phrase.text)
    expect(second.phrases[0].types).toEqual(['people', 'animals'])
    expect(third).toEqual({ text: 'A caf\u00e9 .', phrases: [] })
    expect(parseEntityBoxes(annotation).boxes).toEqual(
      new Map([
        [
          '1',
          [
            [0, 0, 40, 80],
            [60, 0, 100, 80],
          ],
        ],
        ['2', [[60, 0, 100, 80]]],
      ]),
    )
  })

  it('scores both protocols, by type, and only phrases with boxes', async () => {
    const read = await readFlickr30k(await flickrFolder(), 'test')
    expect(read.map(({ sentence, phrases }) => [sentence, phrases.map(({ text }) => text)])).toEqual([
      [0, ['Two men', 'red coats']],
      [1, ['Men']],
    ])
    const left = [0, 0, 40, 80] as const
    const whole = [0, 0, 100, 80] as const
    const nothing = [0, 0, 0, 0] as const
    const predictions = [
      {
        image: '7',
        sentence: 0,
        boxes: [
          [left, whole],
          [nothing, nothing, [60, 0, 100, 80] as const],
        ],
      },
      { image: '7', sentence: 1, boxes: [[whole]] },
      { image: '7', sentence: 1, boxes: [[left]] },
    ]
    // Two men: left is one of them at once; their hull is the second box. Men: the whole is neither.
    expect(flickrRecall(read, predictions, 'any')).toEqual({
      all: [1 / 3, 2 / 3, 2 / 3, 2 / 3],
      people: [0.5, 0.5, 0.5, 0.5],
      clothing: [0, 1, 1, 1],
      animals: [0, 0, 0, 0],
    })
    expect(flickrRecall(read, predictions, 'merged')).toEqual({
      all: [1 / 3, 1, 1, 1],
      people: [0.5, 1, 1, 1],
      clothing: [0, 1, 1, 1],
      animals: [1, 1, 1, 1],
    })
    expect(() => flickrRecall(read, predictions.slice(0, 1), 'any')).toThrow(
      /no prediction for sentence 1 of picture 7/,
    )
    expect(() => flickrRecall(read, [{ ...predictions[0], boxes: [] }, ...predictions], 'any')).toThrow(
      /of 0 phrases; 2/,
    )
  })

  it('asks a model in the pixels it sees, and scores in those of the picture', async () => {
    const folder = await flickrFolder()
    const read = await readFlickr30k(folder, 'test')
    // The picture of 200 pixels is seen at 50: a quarter.
    const model = teacher(({ text, phrases }, phrase) =>
      [...text].slice(...phrases[phrase]).join('') === 'red coats' ? [15, 0, 25, 20] : undefined,
    )
    const found = await groundSentences(read, run(model, join(folder, 'images')))
    expect(found[0].boxes).toEqual([[[0, 0, 0, 0]], [[60, 0, 100, 80]]])
    expect(flickrRecall(read, found, 'any').all).toEqual([1 / 3, 1 / 3, 1 / 3, 1 / 3])
  })
})

// As Python 2 wrote it: protocol 0, byte strings.
const refs = `(lp1
(dp2
S'split'
p3
S'val'
p4
sS'ann_id'
I7
sS'image_id'
I3
sS'sentences'
(lp5
(dp6
S'sent'
S'the left dog'
sS'sent_id'
I10
sasa(dp7
g3
S'testA'
sS'ann_id'
I7
sS'image_id'
I3
sS'sentences'
(lsa.`
const instances = {
  images: [{ id: 3, file_name: 'three.jpg' }],
  categories: [{ id: 1, name: 'dog' }],
  annotations: [{ id: 7, image_id: 3, category_id: 1, bbox: [20, 10, 40, 20], area: 800 }],
}

describe('REFER', () => {
  it('reads its files, asks a model and scores the best box', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'refs(unc).p'), refs)
    await writeFile(join(folder, 'instances.json'), JSON.stringify(instances))
    await grey(join(folder, 'three.jpg'), 100, 50)
    const expressions = await readRefer(folder, 'unc', 'val')
    expect(expressions).toEqual([
      { id: '10', text: 'the left dog', file: 'three.jpg', target: [20, 10, 60, 30] },
    ])
    const found = await groundExpressions(
      expressions,
      run(
        teacher(() => [10, 5, 30, 15]),
        folder,
      ),
    )
    expect(found.get('10')).toEqual([20, 10, 60, 30])
    expect(referAccuracy(expressions, found)).toBe(1)
    expect(referAccuracy(expressions, new Map([['10', [40, 10, 60, 30]]]))).toBe(1)
    expect(referAccuracy(expressions, new Map([['10', [41, 10, 60, 30]]]))).toBe(0)
    expect(referAccuracy(expressions, new Map())).toBe(0)
    await expect(readRefer(folder, 'unc', 'test')).rejects.toThrow(/no split "test"; it has: testA, val/)
    await expect(readRefer(folder, 'umd', 'val')).rejects.toThrow(/refs\(umd\)\.p/)
  })
})

describe('a long vocabulary', () => {
  const names = Array.from({ length: 1203 }, (_, index) => `thing_${index}_(of_many)`)

  it('asks for every name once, in prompts that fit, and gives each its own category', async () => {
    const folder = await temporaryFolder()
    await grey(join(folder, 'a.jpg'), 100, 50)
    await grey(join(folder, 'b.jpg'), 100, 50)
    const asked: string[] = []
    const model = teacher(({ text, phrases }, phrase) => {
      const name = [...text].slice(...phrases[phrase]).join('')
      asked.push(name)
      return [0, 0, (Number(name.split(' ')[1]) % 50) + 0.5, 10]
    })
    const truth = {
      images: [
        { id: 5, file: 'a.jpg' },
        { id: 4, file: 'b.jpg' },
      ],
      categories: names.map((name, index) => ({ id: 2 * index + 1, name })),
    }
    const found = await detectBenchmark(truth, run(model, folder), 300)
    expect(asked.toSorted()).toEqual(
      names.flatMap((name) => [nameInPrompt(name), nameInPrompt(name)]).toSorted(),
    )
    expect(found.length).toBe(2 * 1203)
    for (const { category, bbox } of found) expect(bbox[2]).toBe(2 * ((category % 50) + 0.5))
    expect(new Set(Array.from(found, ({ image, category }) => `${image}/${category}`)).size).toBe(2 * 1203)
    const prompts = promptsOf(names.map(nameInPrompt), 40, model)
    for (const { text } of prompts) expect(model.tokensOf(text)).toBeLessThanOrEqual(model.maxTokens)
    // The best of each prompt only.
    const least = prompts.reduce((sum, { spans }) => sum + Math.min(7, spans.length), 0)
    expect((await detectBenchmark(truth, run(model, folder), 7)).length).toBe(2 * least)
  })

  it('names things as GLIP does', () => {
    expect(nameInPrompt('bow_(weapon)')).toBe('bow')
    expect(nameInPrompt('trash_can')).toBe('trash can')
  })
})

describe('ODinW', () => {
  it('is of 13 and of 35 sets, all different', () => {
    for (const of of [13, 35] as const) {
      const sets = odinwSets(of)
      expect(new Set(sets.map(({ name }) => name)).size).toBe(of)
      expect(new Set(sets.map(({ annotations }) => annotations)).size).toBe(of)
    }
    expect(odinwSets(13).map(({ annotations }) => annotations)).toContain(
      'pistols/export/val_annotations_without_background.json',
    )
    // It has a configuration and is not in the list of the 35.
    expect(odinwBeside.map(({ name, annotations }) => [name, annotations])).toEqual([
      ['plantdoc/100x100', 'plantdoc/100x100/valid/annotations_without_background.json'],
    ])
    expect(odinwSets(35).map(({ name }) => name)).not.toContain('plantdoc/100x100')
    expect(meanAp([{ ap: 0.5 }, { ap: 0.1 }, { ap: -1 }])).toBeCloseTo(0.3, 12)
  })
})

describe('annotation files', () => {
  it('say their first fault', async () => {
    const path = join(await temporaryFolder(), 'a.json')
    const good = {
      images: [{ id: 1, file_name: 'a.jpg' }],
      categories: [{ id: 1, name: 'dog' }],
      annotations: [],
    }
    const cases: [object, RegExp][] = [
      [{}, /images: expected a list/],
      [{ ...good, images: [{ file_name: 'a.jpg' }] }, /images\[0\]\.id: expected an id/],
      [{ ...good, annotations: [{ bbox: [1, 2, 3] }] }, /annotations\[0\]\.bbox: expected x, y/],
      [{ ...good, categories: [{ name: 'dog' }] }, /categories\[0\]\.id/],
    ]
    for (const [value, message] of cases) {
      await writeFile(path, JSON.stringify(value))
      await expect(readDetectionTruth(path)).rejects.toThrow(message)
    }
    await writeFile(path, JSON.stringify(good))
    const truth = await readDetectionTruth(path)
    await writeFile(path, '[{"image_id": 1}]')
    await expect(readDetections(path, truth)).rejects.toThrow(/\[0\]: expected image_id, category_id, score/)
    for (const text of ['{}', '{"images": [1]}', '{"images": 5}']) {
      await writeFile(path, text)
      await expect(readDetections(path, truth)).rejects.toThrow(`${path}: expected a list of detections.`)
    }
    await expect(readDetectionTruth(path)).rejects.toThrow(`${path}: images: expected a list.`)
    await writeFile(path, '[]')
    await expect(readDetectionTruth(path)).rejects.toThrow(/an object with lists was expected/)
    expect(await readDetections(path, truth)).toHaveLength(0)
  })

  it('of LVIS know which pictures show what, and where they lie', async () => {
    const path = join(await temporaryFolder(), 'lvis.json')
    const file = {
      images: [
        {
          id: 9,
          coco_url: 'http://images.cocodataset.org/val2017/000000000009.jpg',
          neg_category_ids: [2],
          not_exhaustive_category_ids: [1],
        },
      ],
      categories: [
        { id: 2, name: 'b', frequency: 'r' },
        { id: 1, name: 'a', frequency: 'f' },
      ],
      annotations: [{ id: 1, image_id: 9, category_id: 1, bbox: [0, 0, 4, 4], area: 12 }],
    }
    await writeFile(path, JSON.stringify(file))
    const truth = await readDetectionTruth(path)
    expect(truth.images).toEqual([{ id: 9, file: 'val2017/000000000009.jpg' }])
    expect(truth.categories.map(({ id }) => id)).toEqual([1, 2])
    // Places in these lists.
    expect(truth.lvis?.images).toEqual([{ id: 0, negative: [1], notExhaustive: [0] }])
  })

  it('may be larger than a string', async () => {
    const path = join(await temporaryFolder(), 'truth.json.gz')
    const annotations = [{ id: 1, image_id: 1, category_id: 3, bbox: [0, 0, 50, 50], area: 2400 }]
    const lists = {
      images: [{ id: 1, file_name: 'a.jpg' }],
      annotations,
      categories: [{ id: 3, name: 'dog' }],
    }
    const [start = '', end = ''] = JSON.stringify(lists).split('"categories"')
    // Members of a gzip file follow one another: half a GiB of white space takes half a MB.
    const space = Array(9).fill(gzipSync(Buffer.alloc(1 << 26, ' ')))
    expect(9 * (1 << 26)).toBeGreaterThan(constants.MAX_STRING_LENGTH)
    await writeFile(path, Buffer.concat([gzipSync(start), ...space, gzipSync(`"categories"${end}`)]))
    expect(await readDetectionTruth(path)).toMatchObject({
      images: [{ id: 1, file: 'a.jpg' }],
      categories: [{ id: 3, name: 'dog' }],
      boxes: [{ image: 0, category: 0, bbox: [0, 0, 50, 50], area: 2400, iscrowd: false }],
    })
  })

  it('are scored by the command line from a file of answers', async () => {
    const folder = await temporaryFolder()
    const truth = {
      images: [{ id: 1, file_name: 'a.jpg' }],
      categories: [{ id: 3, name: 'dog' }],
      annotations: [{ id: 1, image_id: 1, category_id: 3, bbox: [0, 0, 50, 50], area: 2500, iscrowd: 0 }],
    }
    await writeFile(join(folder, 'truth.json'), JSON.stringify(truth))
    const detections = [{ image: 0, category: 0, bbox: [0, 0, 50, 50], score: 0.5 } as const]
    const found = (category_id: number) => ({ image_id: 1, category_id, bbox: [0, 0, 50, 50], score: 0.5 })
    await writeFile(join(folder, 'found.json'), detectionsJson(detections, truth))
    const paths = ['--truth', join(folder, 'truth.json'), '--predictions', join(folder, 'found.json')]
    const { code, out } = await runCommand('benchmark', 'coco', ...paths, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out).scores.coco).toMatchObject({ ap: expect.closeTo(1, 9), ap_small: null })
    const zipped = join(folder, 'found.json.gz')
    const others = [found(3), found(9)]
    await writeFile(zipped, gzipSync(JSON.stringify(others)))
    const told = await runCommand('benchmark', 'coco', ...paths.slice(0, 3), zipped, '--json')
    expect(JSON.parse(told.out).scores.coco.ap).toBeCloseTo(1, 9)
    expect(told.err).toContain('1 of 2 detections are of categories that')
    const wrong = await runCommand('benchmark', 'lvis', ...paths)
    expect(wrong.code).toBe(2)
    expect(wrong.err).toMatch(/truth\.json is not of LVIS/)
    expect((await runCommand('benchmark', 'magic', ...paths)).err).toMatch(
      /no benchmark "magic"; there are: coco/,
    )
  })

  it('are refused where they are about pictures or expressions of another split', async () => {
    const folder = await flickrFolder()
    const found = join(folder, 'found.json')
    const refused = async (kind: string, rows: object) => {
      await writeFile(found, JSON.stringify(rows))
      const paths = ['--truth', folder, '--predictions', found]
      const { code, out, err } = await runCommand('benchmark', kind, ...paths)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      return err
    }
    const boxes = [[[0, 0, 9, 9]], [[0, 0, 9, 9]], [[0, 0, 9, 9]]]
    const rows = [7, 8].map((image_id) => ({ image_id, sentence_id: 0, boxes }))
    expect(await refused('flickr30k', rows)).toMatch(/about 1 picture that the split does not have: 8\./)
    await writeFile(join(folder, 'refs(unc).p'), refs)
    await writeFile(join(folder, 'instances.json'), JSON.stringify(instances))
    const expressions = ['10', 99].map((sent_id) => ({ sent_id, bbox: [0, 0, 9, 9] }))
    expect(await refused('refcoco', expressions)).toMatch(
      /about 1 expression that the split does not have: 99\./,
    )
  })
})
