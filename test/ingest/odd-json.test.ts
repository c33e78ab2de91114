/** What every reader of JSON takes: NaN of Python, nulls, ids as texts and of many digits, one bad entry. */
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readReferences } from '../../src/formats/refcoco-references.js'
import { tokenSpans } from '../../src/formats/token-spans.js'
import { goldRows } from '../../src/ingest/gold-rows.js'
import { hashFiles } from '../../src/ingest/read/hash-files.js'
import { regionRow } from '../../src/ingest/read/region-values.js'
import { localFile } from '../../src/ingest/read/source-file.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
/** A file; "NaN" and numbers in «» are written as Python does. */
async function written(ending: string, value: unknown): Promise<string> {
  const path = join(folder, `file-${count++}${ending}`)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  await writeFile(path, text.replaceAll('"NaN"', 'NaN').replaceAll(/"«(\d+)»"/g, '$1'))
  return path
}
const lines = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join('\n')
const boxesOf = (rows: Awaited<ReturnType<typeof rowsOf>>) =>
  rows.map(({ regions }) => (regions ?? []).map(({ category, xyxy, spans }) => [category, xyxy, spans]))
const problemsOf = (rows: Awaited<ReturnType<typeof rowsOf>>) =>
  rows.flatMap(({ problem }) =>
    problem ? [`${problem.reason} ${problem.detail.replace(/^.*?\.\w+ /, '')}`] : [],
  )
const big = ['«9007199254740992»', '«9007199254740993»'] as const

describe('lists of pairs', () => {
  it('pass NaN over, and keep large numbers as they are', async () => {
    const pairs = [
      { url: 'a', caption: 'a dog', score: 'NaN', id: big[1] },
      { url: 'b', caption: 'NaN' },
      { url: 'c', caption: null },
    ]
    const meta = ['score', 'id']
    for (const source of [
      { format: 'jsonl', path: await written('.jsonl', lines(pairs)) },
      { format: 'json', path: await written('.json', pairs) },
    ]) {
      const rows = await rowsOf({ ...source, columns: { meta } })
      expect(rows.map(({ problem }) => problem?.reason)).toEqual([
        undefined,
        'empty_caption',
        'empty_caption',
      ])
      expect(rows[0]?.meta).toEqual({ score: Number.NaN, id: '9007199254740993' })
    }
  })

  it('of a folder may have the slashes of Windows and text of Notepad', async () => {
    const path = join(folder, 'pictures')
    await mkdir(join(path, 'sub'), { recursive: true })
    for (const name of ['sub/a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']) await writeFile(join(path, name), 'x')
    await writeFile(
      join(path, 'metadata.jsonl'),
      '\uFEFF{"file_name": "sub\\\\a.jpg", "text": "a dog", "x": NaN}\n',
    )
    await writeFile(join(path, 'b.txt'), '\uFEFFa cat')
    await writeFile(join(path, 'c.txt'), Buffer.from('\uFEFFa cow', 'utf16le'))
    await writeFile(join(path, 'd.txt'), Buffer.from('caf\xe9', 'latin1'))
    const rows = await rowsOf({ format: 'folder', path })
    expect(rows.map(({ captions }) => captions.map(({ text }) => text))).toEqual([
      ['a cat'],
      ['a cow'],
      [],
      ['a dog'],
    ])
    expect(rows[2]?.problem).toMatchObject({
      reason: 'malformed_row',
      detail: expect.stringContaining('not UTF-8'),
    })
  })
})

describe('ODVG', () => {
  const bbox = [1, 2, 3, 4]
  it('has labels as texts, sizes of 0, nulls, and boxes as texts', async () => {
    const classes = await written('.json', '\uFEFF{"0": "dog", "1": null, "9007199254740993": "cat"}')
    const path = await written(
      '.jsonl',
      lines([
        {
          filename: 'sub\\1.jpg',
          width: 0,
          height: null,
          grounding: null,
          detection: {
            instances: [
              { bbox, label: '0', category: null, score: 'NaN' },
              { bbox: ['1', '2', '3', '4'], label: big[1] },
              { bbox: [1, 2, 3, 'NaN'], label: 0 },
              { bbox, label: 1 },
              { bbox, label: big[0] },
              null,
            ],
          },
        },
        { filename: '2.jpg', width: '40', height: 30 },
        { filename: null },
      ]),
    )
    const rows = await rowsOf({ format: 'odvg', path, classes, images: 'p' })
    expect(boxesOf(rows)).toEqual([
      [
        ['dog', bbox, []],
        ['cat', bbox, []],
      ],
      [],
      [],
    ])
    expect(rows[0]).toMatchObject({ file: 'p/sub/1.jpg', size: null, exhaustive: false })
    expect(rows[0]?.dropped).toEqual({ malformed_box: 2, unnamed_box: 2 })
    expect(rows[1]?.size).toEqual({ width: 40, height: 30 })
    expect(rows[2]?.problem?.detail).toContain('filename: ')
    const none = await written('.json', { 0: 7 })
    await expect(rowsOf({ format: 'odvg', path, classes: none, images: 'p' })).rejects.toThrow(
      'is no label map',
    )
  })

  it('has regions of which one bad box costs itself alone, and spans in the old form', async () => {
    const regions = [
      { bbox: [bbox, [1, 2, 3], [5, 6, 7, 8]], tokens_positive: [0, 5], phrase: null },
      { bbox, tokens_positive: [[0, 5], [6]] },
      { bbox, phrase: 'dog', tokens_positive: null },
    ]
    const line = { filename: '1.jpg', width: 9, height: 9, grounding: { caption: 'a red dog', regions } }
    const rows = await rowsOf({ format: 'odvg', path: await written('.jsonl', line), images: 'p' })
    expect(boxesOf(rows)[0]).toEqual([
      ['', bbox, [[0, 5]]],
      ['', [5, 6, 7, 8], [[0, 5]]],
      ['', bbox, [[6, 9]]],
    ])
    expect(rows[0]?.dropped).toEqual({ malformed_box: 2 })
    expect([tokenSpans([1, 2.5]), tokenSpans('x'), tokenSpans([]), tokenSpans(undefined)]).toEqual([
      undefined,
      undefined,
      [],
      [],
    ])
  })
})

describe("GLIP's TSV", () => {
  it('loses bad boxes alone', async () => {
    const bbox = [0, 0, 9, 9]
    const label = {
      img_h: null,
      img_w: 0,
      caption: null,
      captions: ['a red dog'],
      bboxes: [bbox, [bbox, [0, 0, 9]], ['NaN', 0, 9, 9], bbox, bbox],
      scores: [0.9, [0.8, 0.7], 0.9, 'NaN', 0.1],
      tokens_positive: [[2, 5], [[[6, 9]]], [[0, 1]], [[0, 1]], [[0, 1]]],
    }
    const path = await written('.tsv', `k\t${JSON.stringify(label)}\n`)
    const images = await written('.tsv', 'k\t\tAAAA\n')
    const rows = await rowsOf({ format: 'glip-tsv', path, images })
    expect(boxesOf(rows)[0]).toEqual([
      ['', bbox, [[2, 5]]],
      ['', bbox, [[6, 9]]],
    ])
    expect(rows[0]).toMatchObject({ dropped: { malformed_box: 3, score: 1 }, size: null })
  })

  it('has captions without lists, and names what is no label', async () => {
    const labels = [{ caption: 'a dog', bboxes: null }, { caption: 'a cat', bboxes: [[0, 0, 9, 9]] }, [1]]
    const path = await written('.tsv', labels.map((label) => `k\t${JSON.stringify(label)}\n`).join(''))
    const images = await written('.tsv', 'k\tAAAA\n'.repeat(3))
    const rows = await rowsOf({ format: 'glip-tsv', path, images })
    expect(rows.map(({ dropped }) => dropped)).toEqual([{}, { malformed_box: 1 }, {}])
    expect(rows[1]?.captions.map(({ text }) => text)).toEqual(['a cat'])
    expect(rows[2]?.problem?.detail).toBe(`${path}:3: expected keys with values, not a list`)
  })
})

describe('Visual Genome', () => {
  it('joins its list of pictures by ids of any form, and tells of a bad entry by the pictures that need it', async () => {
    const region = { phrase: 'a wall', x: '1', y: 2, width: 3, height: 4 }
    const path = await written('.json', [
      { image_id: '1', regions: [region, { ...region, x: 'NaN' }, { ...region, phrase: null }, null] },
      { id: big[0], image_id: null, regions: [region] },
      { id: big[1], regions: [region] },
      { id: 3, regions: [region] },
      { id: 4, regions: [region] },
      { id: 5, regions: [region] },
      { id: 6, regions: null },
    ])
    const list = [
      { image_id: 1, url: 'u1', width: 0, height: null },
      { image_id: big[0], url: 'u2', width: 40, height: 30 },
      { image_id: big[1], url: 'u3', width: '40', height: 30 },
      { image_id: 3, url: null },
      { image_id: 4, url: 'a' },
      { image_id: 4, url: 'b' },
      'nonsense',
    ]
    const image_list = await written('.json', list)
    const rows = await rowsOf({ format: 'visual-genome', path, image_list })
    expect(rows.slice(0, 3).map(({ url, size, problem }) => [url, size, problem])).toEqual([
      ['u1', null, null],
      ['u2', { width: 40, height: 30 }, null],
      ['u3', { width: 40, height: 30 }, null],
    ])
    expect(rows[0]).toMatchObject({ dropped: { malformed_box: 3 }, meta: { id: 1 } })
    expect(boxesOf(rows)[0]).toEqual([['', [1, 2, 4, 6], [[0, 6]]]])
    expect(rows.slice(3).map(({ problem }) => problem?.detail.split(`${image_list} `)[1])).toEqual([
      'entry 3: no url',
      'has several pictures 4',
      'has no such picture',
      undefined,
    ])
    const bad = { format: 'visual-genome', path, image_list: await written('.json', list.slice(3, 4)) }
    await expect(rowsOf(bad)).rejects.toThrow('entry 0: no url')
  })
})

describe('SA-Co', () => {
  const pair = (id: unknown, more: object = {}) => ({
    id,
    file_name: 'a.jpg',
    text_input: `thing ${id}`,
    ...more,
  })
  const box = (image_id: unknown, more: object = {}) => ({ image_id, bbox: [0.1, 0.1, 0.2, 0.2], ...more })
  it('meets ids of any form, counts what has no pair, and gives a shared id nothing', async () => {
    const path = await written('.json', {
      images: [
        pair(1, { width: 0, height: null, license: null }),
        pair(2),
        pair('2', { text_input: 'other' }),
        pair(3, { file_name: 'sub\\b.jpg' }),
        pair(null),
        { id: 9 },
      ],
      annotations: [
        box('1', { score: null, iscrowd: null }),
        box(1, { bbox: [] }),
        box(2),
        box(7),
        box(7),
        null,
      ],
      licenses: [null],
    })
    const rows = await rowsOf({ format: 'saco', path, images: 'p' })
    expect(rows.map(({ file }) => file).slice(0, 2)).toEqual(['p/a.jpg', 'p/sub/b.jpg'])
    expect(boxesOf(rows).slice(0, 2)).toEqual([[['thing 1', expect.anything(), []]], []])
    expect(rows.slice(0, 2).map(({ dropped, negatives }) => [dropped, negatives])).toEqual([
      [{ malformed_box: 1 }, []],
      [{}, ['thing 3']],
    ])
    expect(problemsOf(rows)).toEqual([
      'shared_id images[2]: id 2 is that of several pairs',
      'malformed_row images[4]: id: expected a number or a text',
      expect.stringContaining('malformed_row images[5]: '),
      'malformed_row annotations[5]: image_id: expected a number or a text',
      'malformed_row licenses[0]: expected an object',
      'shared_id annotations[2]: image_id 2 is the id of several pairs',
      'unknown_picture annotations[3]: image_id 7 is the id of no pair',
    ])
    expect(rows.slice(-2).map(({ dropped }) => dropped)).toEqual([{ shared_id: 1 }, { unknown_picture: 2 }])
    const bad = {
      format: 'saco',
      images: 'p',
      path: await written('.json', { images: [{}], annotations: [] }),
    }
    await expect(rowsOf(bad)).rejects.toThrow('images[0]: id: expected a number or a text')
  })
})

describe('RefCOCO', () => {
  const reference = (ann_id: unknown, image_id: unknown, more: object = {}) => ({
    ref_id: null,
    ann_id,
    image_id,
    split: 'val',
    sentences: [{ sent: `thing ${ann_id}`, sent_id: 'NaN' }, { sent: null }],
    ...more,
  })
  it('meets ids of any form, and says what is not there', async () => {
    const annotation = (id: unknown, image_id: unknown) => ({
      id,
      image_id,
      bbox: [1, 2, 3, 4],
      category_id: 1,
    })
    const instances = await written('.json', {
      images: [
        { id: big[0], file_name: 'a.jpg', license: null },
        { id: big[1], file_name: 'b.jpg' },
        { id: 3, file_name: 'c.jpg' },
        { id: 4 },
      ],
      annotations: [annotation('1', big[0]), annotation(2, big[1]), annotation(3, 3), annotation(3, '3')],
      categories: [{ id: 1, name: 'dog' }],
    })
    const path = await written('.json', [
      reference(1, big[0]),
      reference('2', big[1]),
      reference(3, 3),
      reference(4, '3'),
      reference(5, 9),
      reference(null, 3),
    ])
    const rows = await rowsOf({ format: 'refcoco', path, instances, images: 'p' })
    const found = rows.filter(({ problem }) => !problem)
    expect(
      found.map(({ file, captions, dropped }) => [file, captions.map(({ text }) => text), dropped]),
    ).toEqual([
      ['p/c.jpg', [], { shared_id: 1, unknown_annotation: 1 }],
      ['p/a.jpg', ['thing 1'], { blank_caption: 1 }],
      ['p/b.jpg', ['thing 2'], { blank_caption: 1 }],
    ])
    expect(problemsOf(rows)).toEqual([
      'malformed_row references[5]: reference 5: ann_id: expected a number or a text',
      expect.stringContaining('unknown_picture references: no picture 9 in '),
      'malformed_row images[3]: file_name: neither a file_name nor a coco_url',
    ])
    const bad = await written('.json', [{}, {}])
    await expect(readReferences(bad, 'val')).rejects.toThrow(
      `${bad}: reference 0: ann_id: expected a number or a text (and 1 more).`,
    )
  })
})

describe('OpenImages', () => {
  it('takes nothing that is left empty for 0, and knows a label of several names by none', async () => {
    const header = 'ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf'
    const path = await written(
      '.csv',
      `${header}\n1.0,/m/1 ,0.1,0.2,0.1,0.2,0\n1,/m/1,,0.2,0.1,0.2,0\n,/m/1,0,1,0,1,0\n1,/m/2,0,1,0,1,0\n`,
    )
    const classes = await written('.csv', '/m/1,Dog\n/m/2,Cat\n/m/2,Cow\n/m/3\n/m/4,Car\n')
    const image_labels = await written('.csv', 'ImageID,LabelName,Confidence\n1,/m/4,\n1,/m/4,1\n')
    const read = (labels: string) =>
      rowsOf({ format: 'openimages', path, classes, image_labels: labels, images: 'p' })
    const rows = await read(image_labels)
    expect(boxesOf(rows)[0]).toEqual([['Dog', [0.1, 0.1, 0.2, 0.2], []]])
    expect(rows[0]).toMatchObject({ file: 'p/1.jpg', negatives: [], dropped: { malformed_box: 1 } })
    expect(rows[1]?.problem?.detail).toContain('no ImageID')
    expect(rows[2]?.dropped).toEqual({ unnamed_box: 1 })
    const absent = await read(await written('.csv', 'ImageID,LabelName,Confidence\n1.0,/m/4,0.0\n'))
    expect(absent[0]?.negatives).toEqual(['Car'])
  })
})

it('samples of a tar may have NaN, nulls and text of Notepad', async () => {
  const path = join(folder, 'samples')
  await mkdir(path)
  const sample = '\uFEFF{"caption": "a dog", "score": NaN, "id": 9007199254740993, "url": null, "regions": '
  const region =
    '[{"start": 0, "end": 5, "xyxy": [1, 2, 3, 4], "head": null}, {"start": 0, "end": 5, "xyxy": [NaN]}]'
  await writeFile(join(path, '1.json'), `${sample}${region}}`)
  await writeFile(join(path, '1.txt'), Buffer.from('\uFEFFa cow', 'utf16le'))
  await writeFile(join(path, '1.jpg'), 'x')
  const tar = join(folder, 'samples.tar')
  expect(spawnSync('tar', ['-cf', tar, '-C', path, '1.json', '1.jpg', '1.txt']).status).toBe(0)
  const columns = { regions: 'json.regions', meta: ['id', 'score'] }
  const [row] = await rowsOf({ format: 'webdataset', path: tar, columns })
  expect(row).toMatchObject({ problem: null, dropped: { malformed_box: 1 }, url: null })
  expect(row?.captions.map(({ text }) => text)).toEqual(['a cow'])
  expect(row?.regions?.map(({ xyxy }) => xyxy)).toEqual([[1, 2, 3, 4]])
  expect(row?.meta).toMatchObject({ id: 9007199254740993n, score: Number.NaN })
})

it('Flickr30k Entities counts boxes that no phrase names, and tells of pictures that it lacks', async () => {
  const path = join(folder, 'entities')
  for (const name of ['Sentences', 'Annotations']) await mkdir(join(path, name), { recursive: true })
  await writeFile(join(path, 'Sentences', '1.txt'), '\uFEFF[/EN#7/animals A dog] runs .\n')
  const object = (id: number) =>
    `<object><name>${id}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>`
  const size = '<size><width>40</width><height>30</height></size>'
  await writeFile(join(path, 'Annotations', '1.xml'), `<a>${size}${object(7)}${object(8)}</a>`)
  const split = await written('.txt', '\uFEFF1\n12\n')
  const rows = await rowsOf({ format: 'flickr30k-entities', path, images: 'p', split })
  expect(boxesOf(rows)[0]).toEqual([['', [1, 2, 9, 9], [[0, 5]]]])
  expect(rows[0]?.dropped).toEqual({ unnamed_box: 1 })
  expect(problemsOf(rows)).toEqual([`unknown_picture ids[1]: there is no ${path}/Sentences/12.txt`])
})

describe('values of regions', () => {
  it('hold nulls, NaN and texts of numbers', () => {
    const region = {
      start: 0,
      end: 5,
      xyxy: [1, '2', 3, 4],
      caption: null,
      head: null,
      score: null,
      origin: null,
    }
    const text = JSON.stringify([region, { ...region, xyxy: [1, 2, 3, 'NaN'] }]).replaceAll('"NaN"', 'NaN')
    const row = regionRow({ mark: { at: 0, line: 0 }, place: 'x' }, [{ text: 'a dog', kind: null }], text)
    expect(row.regions?.map(({ xyxy }) => xyxy)).toEqual([[1, 2, 3, 4]])
    expect(row.dropped).toEqual({ malformed_box: 1 })
  })

  it('name their captions by place, whatever stands at another', () => {
    const region = { start: 0, end: 5, xyxy: [1, 2, 3, 4], caption: 2 }
    const row = regionRow(
      { mark: { at: 0, line: 0 }, place: 'x' },
      ['a cat', null, 'a dog'],
      [region, { ...region, caption: 1 }, { ...region, caption: 3 }],
    )
    expect(row.captions.map(({ text }) => text)).toEqual(['a cat', 'a dog'])
    expect(row.regions?.map(({ caption }) => caption)).toEqual([1])
    expect(row.dropped).toEqual({ malformed_box: 2 })
  })
})

it('what a row knows besides is written with all digits, and NaN as nothing', async () => {
  const images = join(folder, 'meta')
  await mkdir(images)
  const sharp = (await import('sharp')).default
  const picture = sharp({ create: { width: 40, height: 20, channels: 3, background: '#c33' } })
  await writeFile(join(images, 'a.jpg'), await picture.jpeg().toBuffer())
  const instances = await written('.json', {
    images: [{ id: big[1], file_name: 'a.jpg' }],
    annotations: [{ image_id: big[1], category_id: 1, bbox: [1, 2, 10, 10] }],
    categories: [{ id: 1, name: 'dog' }],
  })
  const { images: rows } = await ingestAll(join(folder, 'dataset'), { format: 'coco', images, instances })
  expect(rows[0]?.meta).toBe('{"id":9007199254740993,"file_name":"a.jpg","boxes":1}')
})

it('ODVG lines of detection without instances hold nothing, as in MMDetection', async () => {
  const lines = [
    { filename: '1.jpg', detection: {} },
    { filename: '2.jpg', detection: { instances: null } },
    { filename: '3.jpg', grounding: { caption: 'a dog', regions: null } },
  ]
  const path = await written('.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'))
  const classes = await written('.json', { 0: 'dog' })
  const rows = await rowsOf({ format: 'odvg', path, images: 'p', classes })
  expect(rows.map(({ exhaustive, problem, regions }) => [exhaustive, problem, regions])).toEqual([
    [true, null, []],
    [true, null, []],
    [false, null, []],
  ])
})

it("OpenImages' flag of a group may be a truth value or a fraction, and -1 says nothing", async () => {
  const flags = ['1', '1.0', 'True', 'false', '0.0', '-1', '']
  const lines = flags.map((flag, at) => `${at},/m/1,0.1,0.2,0.1,0.2,${flag}`)
  const path = await written('.csv', ['ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf', ...lines].join('\n'))
  const classes = await written('.csv', '/m/1,Dog\n')
  const rows = await rowsOf({ format: 'openimages', path, classes, images: 'p' })
  expect(rows.map(({ dropped }) => dropped.group_box ?? 0)).toEqual([1, 1, 1, 0, 0, 0, 0])
})

it('boxes that are to be shares and are pixels, and names of signs alone, are counted', () => {
  const region = (category: string, xyxy: readonly [number, number, number, number]) => ({
    ...{ category, order: 0, xyxy, spans: [] },
  })
  const regions = [region('dog', [0, 0, 0.5, 0.5]), region('dog', [0, 0, 90, 50]), region('_', [0, 0, 1, 1])]
  const row = { captions: [], regions, ignored: [], boxUnit: 'share' as const, absent: [], exhaustive: true }
  const picture = { width: 100, height: 60, scale: [100, 60] as const, offset: [0, 0] as const }
  const gold = goldRows(
    { ...row, negatives: [], partial: [] },
    picture,
    { negatives: 0, max_tokens: 99, seed: 0 },
    '',
  )
  expect(gold.regions.map(({ xyxy }) => xyxy)).toEqual([[0, 0, 50, 30]])
  expect(gold.dropped).toEqual({ unnormalised_box: 1, unnamed_box: 1 })
  expect(gold.absence.partial).toEqual(['dog'])
})

it('Visual Genome is a list, and a folder is no file', async () => {
  const path = await written('.json', { 1: [{ phrase: 'a dog' }] })
  const config = { format: 'visual-genome', path, images: 'p' }
  await expect(rowsOf(config)).rejects.toThrow(`${path}: expected a list of pictures with their regions.`)
  const regions = [{ id: 1, regions: [{ phrase: 'a dog', x: 1, y: 1, width: 9, height: 9 }] }]
  const listed = {
    ...config,
    path: await written('.json', regions),
    image_list: await written('.json', { 1: {} }),
  }
  await expect(rowsOf(listed)).rejects.toThrow(`${listed.image_list}: expected a list of pictures.`)
  await expect(hashFiles([localFile(folder)])).rejects.toThrow(`${folder} is not a file.`)
})
