import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../../src/boxes/xyxy.js'
import type { OutPicture } from '../../../src/review/exchange/exchange-format.js'
import {
  type ExchangeFormatName,
  exchangeFormatNames,
  exchangeFormats,
} from '../../../src/review/exchange/exchange-formats.js'
import {
  type ExportedPicture,
  labelOf,
  type NumberedPicture,
  numbered,
  phraseOfLabel,
} from '../../../src/review/exchange/exported-picture.js'
import { percentBox, pixelBox } from '../../../src/review/exchange/percent-box.js'
import type { Returned, ReturnedPicture } from '../../../src/review/exchange/returned-picture.js'
import { returnedVerdicts } from '../../../src/review/exchange/returned-verdicts.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const id = '0a1b2c3d'

/** Words that are hard on formats: signs of XML, quotes, several units a code point, line ends, what looks like a label. */
const word = fc.constantFrom(
  ...[
    'a',
    'dog',
    '"',
    '<b>',
    "'",
    '&amp;',
    ']]>',
    '\n',
    '🐕‍🦺',
    'e\u0301',
    '日本',
    '#2',
    '\u2028',
    '𝒳',
    '{key}',
  ],
)
const caption = fc
  .array(word, { minLength: 1, maxLength: 6 })
  .map((words) => words.join(' '))
  .filter((text) => text.trim() !== '')

const float = (max: number) => fc.double({ min: 0, max, noNaN: true }).map(Math.fround)

const pictureOf = (width: number, height: number): fc.Arbitrary<Omit<ExportedPicture, 'key'>> => {
  const box = fc
    .tuple(float(width * 0.9), float(height * 0.9), float(width), float(height), fc.nat(100))
    .map(([x, y, w, h, phrase]) => ({
      phrase,
      score: 0.5,
      xyxy: [
        x,
        y,
        Math.fround(Math.min(width, x + 2 + w)),
        Math.fround(Math.min(height, y + 2 + h)),
      ] as unknown as Xyxy,
    }))
  return fc
    .record({
      captions: fc.array(caption, { minLength: 1, maxLength: 3 }),
      boxes: fc.array(box, { maxLength: 6 }),
    })
    .map(({ captions, boxes }) => {
      const phrases = captions.flatMap((text, caption) => {
        const points = [...text]
        const spans = [
          [0, 1],
          [0, points.length],
          [points.length - 1, points.length],
        ] as const
        const known = new Map(spans.map((span) => [span.join(), span]))
        return [...known.values()].map(([start, end]) => ({
          ...{ caption, start, end },
          text: points.slice(start, end).join(''),
        }))
      })
      return {
        ...{ width, height, captions, phrases },
        boxes: boxes.map((box) => ({ ...box, phrase: box.phrase % phrases.length })),
      }
    })
}

const pictures = fc
  .array(
    fc
      .tuple(fc.integer({ min: 20, max: 8000 }), fc.integer({ min: 20, max: 8000 }))
      .chain(([width, height]) => pictureOf(width, height)),
    { minLength: 1, maxLength: 3 },
  )
  .map((all) => numbered(all.map((one, at) => ({ ...one, key: `00000000${at}` }))))

let count = 0

/** Writes pictures as a tool gets them; `edit` stands for the tool and its user. */
async function thereAndBack(
  format: ExchangeFormatName,
  given: readonly NumberedPicture[],
  edit: (text: string) => string = (text) => text,
): Promise<Returned[]> {
  const out = given.map((picture): OutPicture => ({ ...picture, name: `${picture.key}.jpg`, address: 'a' }))
  const path = join(folder, `${count++}`)
  const written = [...exchangeFormats[format].write({ id, dataset: 'd', grounding: 'found', pictures: out })]
  await writeFile(path, edit(written.join('')))
  const record = { id, grounding: 'found', pictures: new Map(given.map((one) => [one.key, one])) }
  const found: Returned[] = []
  for await (const one of exchangeFormats[format].read(path, async () => record)) found.push(one)
  return found
}

const returnedOf = (all: readonly Returned[]): readonly ReturnedPicture[] =>
  all.map((one) => {
    if (!('returned' in one)) throw new Error(JSON.stringify(one))
    return one.returned
  })

/** A task whose annotator has sent what was shown to him. */
const submitted = (text: string, change: (result: Result[], at: number) => unknown[] = (result) => result) =>
  JSON.stringify(
    (JSON.parse(text) as { data: object; predictions: { result: Result[] }[] }[]).map(
      ({ data, predictions }, at) => ({
        data,
        annotations: [
          { completed_by: { email: 'ann@example.org' }, result: change(predictions[0].result, at) },
        ],
      }),
    ),
  )

interface Result {
  readonly id: string
  readonly value: {
    x: number
    y: number
    width: number
    height: number
    rotation: number
    rectanglelabels: string[]
  }
}

const accepted = (given: readonly NumberedPicture[]) =>
  given.map(({ key, boxes, phrases }) => {
    const known = new Map(
      boxes.map(({ phrase, xyxy }) => [
        JSON.stringify([phrase, xyxy]),
        { key, action: 'accept', phrase: phrases[phrase], xyxy, redrawn: null, words: null },
      ]),
    )
    return [...known.values(), { key, action: 'done', phrase: null, xyxy: null, redrawn: null, words: null }]
  })

/** A file of COCO as a tool writes it that rounds to two decimals and counts ids anew. */
function roundedAnew(text: string): string {
  const file = JSON.parse(text)
  for (const [at, one] of file.annotations.entries()) {
    one.id = at
    one.bbox = one.bbox.map((side: number) => Number(side.toFixed(2)))
  }
  return JSON.stringify(file)
}

describe('what comes back untouched', () => {
  it.each(exchangeFormatNames)('%s: is accepted, every box to the bit', async (format) => {
    await fc.assert(
      fc.asyncProperty(pictures, async (given) => {
        const edit = format === 'label-studio' ? submitted : (text: string) => text
        const back = returnedOf(await thereAndBack(format, given, edit))
        expect(
          back.map((one) => returnedVerdicts(one)).map(({ entries, problems }) => [entries, problems]),
        ).toEqual(accepted(given).map((entries) => [entries, []]))
      }),
      { numRuns: 30 },
    )
  })

  it('is known where a tool has rounded it to two decimals and counted ids anew', async () => {
    await fc.assert(
      fc.asyncProperty(pictures, async (given) => {
        const back = returnedOf(await thereAndBack('coco', given, roundedAnew))
        expect(back.map((one) => returnedVerdicts(one).entries)).toEqual(accepted(given))
      }),
      { numRuns: 30 },
    )
  })

  it('is known beside boxes that lie as near as what counts as untouched', async () => {
    const phrases = [{ caption: 0, start: 0, end: 1, text: 'a' }]
    const boxes = [0.054, 0.004].map((x) => ({
      ...{ phrase: 0, score: 0.5 },
      xyxy: [Math.fround(x), 0, 20, 20] as const,
    }))
    const given = numbered([{ key: '000000000', width: 100, height: 100, captions: ['a'], phrases, boxes }])
    const back = returnedOf(await thereAndBack('coco', given, roundedAnew))
    expect(back.map((one) => returnedVerdicts(one).entries)).toEqual(accepted(given))
  })

  it('has boxes of which a reader of the file makes the same 32-bit floats', () => {
    fc.assert(
      fc.property(pictures, (given) => {
        for (const picture of given)
          for (const { xyxy } of picture.boxes)
            expect(pixelBox(percentBox(xyxy, picture), picture).map(Math.fround)).toEqual(xyxy)
      }),
    )
  })
})

/** A dog and a cat of one sentence, of another one a bird; boxes that do not overlap. */
const [scene] = numbered([
  {
    ...{ key: '000000000', width: 400, height: 200, captions: ['a dog and a cat', 'a bird'] },
    phrases: [
      { caption: 0, start: 0, end: 5, text: 'a dog' },
      { caption: 0, start: 10, end: 15, text: 'a cat' },
      { caption: 1, start: 0, end: 6, text: 'a bird' },
    ],
    boxes: [
      { phrase: 0, xyxy: [10.3, 10, 60, 60].map(Math.fround) as unknown as Xyxy, score: 0.9 },
      { phrase: 0, xyxy: [100, 10, 160.7, 60].map(Math.fround) as unknown as Xyxy, score: 0.8 },
      { phrase: 1, xyxy: [200, 10, 260, 60], score: 0.7 },
      { phrase: 1, xyxy: [300, 10, 360, 60], score: 0.6 },
      { phrase: 2, xyxy: [10, 100, 60, 160], score: 0.5 },
      { phrase: 2, xyxy: [200, 100, 260, 160], score: 0.4 },
    ],
  },
])
const [dog, cat, bird] = scene.phrases
const boxes = scene.boxes.map(({ xyxy }) => xyxy)

/** Box 0 stays, 1 is moved, 2 removed, 3 is the dog, 4 is the dog of the other sentence, 5 moved and the cat; one is added. */
const moved: Xyxy = [105, 12.5, 165, 70]
const movedCat: Xyxy = [210, 90, 290, 180]
const added: Xyxy = [320, 120, 380, 190]
const blank = { key: scene.key, xyxy: null, redrawn: null, words: null }
const order = { key: '', action: '', phrase: null, xyxy: null, redrawn: null, words: null }
const expected = [
  { ...blank, action: 'accept', phrase: dog, xyxy: boxes[0] },
  { ...blank, action: 'redraw', phrase: dog, xyxy: boxes[1], redrawn: moved },
  { ...blank, action: 'reject', phrase: cat, xyxy: boxes[2] },
  { ...blank, action: 'relabel', phrase: cat, xyxy: boxes[3], words: { start: 0, end: 5 } },
  { ...blank, action: 'reject', phrase: bird, xyxy: boxes[4] },
  { ...blank, action: 'add', phrase: dog, xyxy: boxes[4] },
  { ...blank, action: 'reject', phrase: bird, xyxy: boxes[5] },
  { ...blank, action: 'add', phrase: cat, xyxy: movedCat },
  { ...blank, action: 'add', phrase: bird, xyxy: added },
  { ...blank, action: 'done', phrase: null },
]

const edits: Readonly<Record<ExchangeFormatName, (text: string) => string>> = {
  'label-studio': (text) =>
    submitted(text, (result) => {
      const [kept, second, , fourth, fifth, sixth] = result
      const at = (one: Result, xyxy: Xyxy, phrase: number, name = one.id) => ({
        ...{ ...one, id: name },
        value: { ...percentBox(xyxy, scene), rotation: 0, rectanglelabels: [labelOf(scene, phrase)] },
      })
      return [
        at(kept, added, 2, 'aZ_9-new'),
        at(sixth, movedCat, 1),
        at(fifth, boxes[4], 0),
        at(fourth, boxes[3], 0),
        at(second, moved, 0),
        kept,
      ]
    }),
  cvat: (text) => {
    const lines = text.split('\n')
    const places = lines.flatMap((line, at) => (line.includes('<box') ? [at] : []))
    const at = (line: string, [x1, y1, x2, y2]: Xyxy, phrase: number) =>
      line
        .replace(/xtl=.*ybr="[^"]*"/, `xtl="${x1}" ytl="${y1}" xbr="${x2}" ybr="${y2}"`)
        .replace(/label="[^"]*"/, `label="phrase ${phrase + 1}"`)
    const [, second, third, fourth, fifth, sixth] = places
    lines[second] = at(lines[second], moved, 0)
    lines[fourth] = at(lines[fourth], boxes[3], 0)
    lines[fifth] = at(lines[fifth], boxes[4], 0)
    lines[sixth] = at(lines[sixth], movedCat, 1)
    // Copied in CVAT with its attributes, and moved.
    lines[third] = at(lines[sixth], added, 2)
    return lines.join('\n')
  },
  coco: (text) => {
    const file = JSON.parse(text)
    const list = file.annotations
    const at = (xyxy: Xyxy, caption: number, span: readonly number[], more: object) => ({
      ...{ image_id: scene.firstCaption + caption, category_id: 1, ...more },
      bbox: [xyxy[0], xyxy[1], xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]],
      tokens_positive: [span],
    })
    file.annotations = [
      list[0],
      at(moved, 0, [0, 5], { id: list[1].id }),
      { ...list[3], tokens_positive: [[0, 5]] },
      at(boxes[4], 0, [0, 5], { id: list[4].id }),
      at(movedCat, 0, [10, 15], { id: list[5].id }),
      at(added, 1, [0, 6], { id: 99 }),
    ]
    return JSON.stringify(file)
  },
}

describe('what a person has changed', () => {
  it.each(exchangeFormatNames)('%s: says what became of each box', async (format) => {
    const [back] = returnedOf(await thereAndBack(format, [scene], edits[format]))
    const { entries, problems } = returnedVerdicts(back)
    expect(problems).toEqual([])
    const inOrder = (all: readonly object[]) =>
      [...all].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    const plain = (all: readonly object[]) => all.map((one) => ({ ...order, ...one }))
    expect(inOrder(plain(entries))).toEqual(inOrder(plain(expected)))
    expect(entries).toHaveLength(expected.length)
  })

  it('is of COCO known by its places where ids were counted anew in another order', async () => {
    const edit = (text: string) => {
      const file = JSON.parse(text)
      file.annotations.reverse()
      for (const [at, one] of file.annotations.entries()) one.id = at + 1
      return JSON.stringify(file)
    }
    const [back] = returnedOf(await thereAndBack('coco', [scene], edit))
    const { entries } = returnedVerdicts(back)
    expect(entries.map(({ action }) => action)).toEqual([...Array(6).fill('accept'), 'done'])
  })

  it('is one box right and another added, where one was put in the place of one that has other words now', async () => {
    const edit = (text: string) => {
      const file = JSON.parse(text)
      const list = file.annotations
      list.push({ ...list[3], id: 99 })
      list[3] = { ...list[3], tokens_positive: [[0, 5]] }
      return JSON.stringify(file)
    }
    const [back] = returnedOf(await thereAndBack('coco', [scene], edit))
    const there = returnedVerdicts(back).entries.filter(({ xyxy }) => xyxy === boxes[3])
    expect(there.map(({ action, phrase }) => [action, phrase])).toEqual([
      ['accept', cat],
      ['add', dog],
    ])
  })

  it('is of the phrase that a label names by its number, or by words that no other phrase has', () => {
    const phrases = [dog, cat, { ...dog, caption: 1 }]
    const labels = ['a dog #3', 'a cat', 'a  cat #2', 'a dog', 'a cat #3', 'a dog #9', '#1']
    expect(labels.map((label) => phraseOfLabel({ ...scene, phrases }, label))).toEqual([
      ...[2, 1, 1, undefined, undefined, undefined, undefined],
    ])
  })

  it('names who has reviewed, and one who answered twice with the later answer', async () => {
    const edit = (text: string) => {
      const [{ data, predictions }] = JSON.parse(text)
      const [first] = predictions[0].result
      const answer = (who: unknown, updated_at: string, result: unknown[], more = {}) => ({
        ...{ completed_by: who, updated_at, result, ...more },
      })
      return JSON.stringify([
        {
          data,
          annotations: [
            answer({ id: 7, email: 'bob@example.org' }, '2024-05-01T10:00:00.000000Z', predictions[0].result),
            answer(3, '2024-05-02T10:00:00.5+02:00', [first]),
            answer(3, '2024-05-01T09:00:00Z', []),
            answer('carl', '2024-05-03T09:00:00Z', [], { was_cancelled: true }),
          ],
        },
        { data, annotations: [] },
        { data },
        { data, annotations: [answer(1, '', [], { was_cancelled: true })] },
      ])
    }
    const all = await thereAndBack('label-studio', [scene], edit)
    const back = all.flatMap((one) => ('returned' in one ? [one.returned] : []))
    expect(back.map(({ reviewer, at, boxes: own }) => [reviewer, at, own.length])).toEqual([
      ['bob@example.org', '2024-05-01T10:00:00.000Z', 6],
      ['annotator-3', '2024-05-02T08:00:00.500Z', 1],
    ])
    expect(all.slice(2)).toEqual([
      { passed: 'unfinished' },
      { passed: 'unfinished' },
      { passed: 'cancelled' },
    ])
  })

  it('reads JSON-MIN, which has no ids, by where the boxes are', async () => {
    const edit = (text: string) => {
      const [{ data, predictions }] = JSON.parse(text)
      const values = predictions[0].result.map(({ value }: Result) => value)
      values[1] = { ...values[1], x: values[1].x + 1 }
      values.splice(2, 1)
      return JSON.stringify([
        {
          ...data,
          phrase: values,
          found: 'all found',
          annotator: 4,
          annotation_id: 1,
          updated_at: '2024-01-01T00:00:00Z',
        },
      ])
    }
    const [back] = returnedOf(await thereAndBack('label-studio', [scene], edit))
    expect(back.reviewer).toBe('annotator-4')
    const { entries } = returnedVerdicts(back)
    expect(entries.map(({ action }) => action)).toEqual([
      ...['accept', 'redraw', 'reject', 'accept', 'accept', 'accept'],
      ...['complete', 'complete', 'complete', 'done'],
    ])
    expect(entries[1].redrawn?.[0]).toBe(104)
  })

  it('takes the upright box around one that was turned, and counts it', async () => {
    const edit = (text: string) =>
      submitted(text, ([first, ...others]) => [
        { ...first, value: { ...first.value, rotation: 90 } },
        ...others,
      ])
    const [back] = returnedOf(await thereAndBack('label-studio', [scene], edit))
    const { entries, turned } = returnedVerdicts(back)
    expect(turned).toBe(1)
    // About its upper left corner, which lies 10.3 from the left: of its 50 pixels' height 10.3 are left.
    expect(entries[0].redrawn?.map((side) => Number(side.toFixed(3)))).toEqual([0, 10, 10.3, 59.7])
    const inCvat = (text: string) => text.replace('z_order="0"', 'z_order="0" rotation="90"')
    const [other] = returnedOf(await thereAndBack('cvat', [scene], inCvat))
    // About its middle: 49.7 by 50 becomes 50 by 49.7.
    expect(returnedVerdicts(other).entries[0].redrawn?.map((side) => Number(side.toFixed(3)))).toEqual([
      10.15, 10.15, 60.15, 59.85,
    ])
  })

  it('of CVAT, takes tags that say that all was found, or nothing reviewed', async () => {
    const tagged = (label: string) => (text: string) =>
      text.replace('</image>', `<tag label="${label}" source="manual"></tag></image>`)
    const [found] = returnedOf(await thereAndBack('cvat', [scene], tagged('all found')))
    expect(returnedVerdicts(found).entries.filter(({ action }) => action === 'complete')).toHaveLength(3)
    expect(await thereAndBack('cvat', [scene], tagged('not reviewed'))).toEqual([{ passed: 'unfinished' }])
  })

  it('leaves out of COCO what was said of captions that did not come back', async () => {
    const edit = (text: string) => {
      const file = JSON.parse(text)
      file.images = file.images.filter(({ sentence_id }: { sentence_id: number }) => sentence_id === 1)
      file.annotations = file.annotations.filter(
        ({ image_id }: { image_id: number }) => image_id === scene.firstCaption + 1,
      )
      return JSON.stringify(file)
    }
    const [back] = returnedOf(await thereAndBack('coco', [scene], edit))
    expect(returnedVerdicts(back).entries.map(({ action }) => action)).toEqual(['accept', 'accept', 'done'])
  })
})

describe('what is wrong in a file', () => {
  it('is told of with a reason, and its box neither accepted nor rejected', async () => {
    const edit = (text: string) =>
      submitted(text, ([first, second, third, fourth]) => [
        { ...first, value: { ...first.value, x: 'NaN' } },
        { ...second, value: { ...second.value, rectanglelabels: ['a zebra'] } },
        { ...third, type: 'polygonlabels' },
        { ...fourth, value: { ...fourth.value, width: 0 } },
        null,
        { id: 'q', type: 'rectanglelabels', value: { ...first.value, rectanglelabels: [] } },
      ])
    const all = await thereAndBack('label-studio', [scene], edit)
    expect(all.flatMap((one) => ('problem' in one ? [one.problem.reason] : []))).toEqual(['not_a_box'])
    const [back] = all.flatMap((one) => ('returned' in one ? [one.returned] : []))
    const { entries, problems } = returnedVerdicts(back)
    expect(problems.map(({ reason }) => reason)).toEqual([
      ...['bad_box', 'unknown_phrase', 'bad_box', 'bad_box', 'unknown_phrase'],
    ])
    expect(entries.map(({ action, xyxy }) => [action, xyxy])).toEqual([
      ['reject', boxes[4]],
      ['reject', boxes[5]],
      ['done', null],
    ])
  })

  it.each([
    ['<!DOCTYPE a [<!ENTITY b "c">]><annotations></annotations>', /DOCTYPE/],
    ['<annotations><image name="a"', /cut short/],
    ['<annotation></annotation>', /root is <annotation>/],
    ['', /empty/],
    ['{"a": 1}', /begins with something else/],
    [`<annotations>${'<a>'.repeat(100)}`, /nested deeper/],
    ['<annotations></annotations><more/>', /more behind its end/],
    ['<annotations><track id="1"></track></annotations>', /CVAT for video/],
  ])('of CVAT ends with a message: %s', async (text, message) => {
    await expect(thereAndBack('cvat', [scene], () => text)).rejects.toThrow(message)
  })

  it('does not stop hostile files from being read to their end', async () => {
    const anything = fc.jsonValue({ maxDepth: 3 })
    const nasty = fc
      .array(
        fc.constantFrom(
          '<',
          '>',
          '"',
          '&#0;',
          '&x;',
          '</image>',
          '<image>',
          '<!--',
          '\0',
          '\ud800',
          ']]>',
          '=',
          '9e999',
          '/>',
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.join(''))
    const reads = async (format: ExchangeFormatName, edit: (text: string) => string) => {
      const all = await thereAndBack(format, [scene], edit).catch((error) => {
        expect(error.name).toBe('UserError')
        return []
      })
      for (const one of all) if ('returned' in one) returnedVerdicts(one.returned)
    }
    await fc.assert(
      fc.asyncProperty(anything, fc.nat(30), nasty, async (value, place, text) => {
        await reads('label-studio', (whole) => {
          const tasks = JSON.parse(submitted(whole))
          const at = [
            () => (tasks[0] = value),
            () => (tasks[0].data = value),
            () => (tasks[0].annotations = value),
            () => (tasks[0].annotations[0] = value),
            () => (tasks[0].annotations[0].result = value),
            () => (tasks[0].annotations[0].result[0] = value),
            () => (tasks[0].annotations[0].result[0].value = value),
            () => (tasks[0].annotations[0].result[0].value.x = value),
            () => (tasks[0].annotations[0].result[0].value.rectanglelabels = value),
            () => (tasks[0].annotations[0].completed_by = value),
          ]
          at[place % at.length]()
          return JSON.stringify(tasks)
        })
        await reads('coco', (whole) => {
          const file = JSON.parse(whole)
          const list = place % 2 ? file.images : file.annotations
          const keys = Object.keys(list[0])
          if (place % 3 === 0) list[0] = value
          else list[0][keys[place % keys.length]] = value
          return JSON.stringify(file)
        })
        await reads('cvat', (whole) => {
          const at = (whole.length * place) >> 5
          return whole.slice(0, at) + text + whole.slice(at + (place % 2) * text.length)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('is no reason to read a whole file at once: its head is read in a stream', async () => {
    const path = join(folder, 'long.xml')
    const [picture] = [
      ...exchangeFormats.cvat.write({
        id,
        dataset: 'd',
        grounding: 'g',
        pictures: [{ ...scene, name: '000000000.jpg', address: 'a' }],
      }),
    ].slice(2)
    await writeFile(
      path,
      `<annotations><!-- ${'<image> &'.repeat(1e5)} -->${picture}<!-- > --></annotations>`,
    )
    const read = exchangeFormats.cvat.read(path, async () => ({
      id,
      grounding: 'g',
      pictures: new Map([[scene.key, scene]]),
    }))
    const found: Returned[] = []
    for await (const one of read) found.push(one)
    expect(returnedOf(found)[0].boxes).toHaveLength(6)
    expect((await readFile(path)).length).toBeGreaterThan(9e5)
  })
})
