import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Phrase, Proposal } from '../../../src/rows/rows.js'
import { readShard } from '../../../src/shards/read-shard.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { teachConfig } from '../../../src/teacher/config.js'
import { openTeacher } from '../../../src/teacher/open-teacher.js'
import { contrastQueries, withContrast } from '../../../src/teacher/phrases/contrast-queries.js'
import { distinctSpans } from '../../../src/teacher/phrases/distinct-spans.js'
import { teachShard } from '../../../src/teacher/teach-shard.js'
import type { Teacher } from '../../../src/teacher/teacher.js'
import { colourDataset, colourTeacher, phrasesIn, thingOf } from '../../helpers/colour-teacher.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const caption = '🎉 a red dolphin beside an orange ball and two dogs'
const phrases = phrasesIn(
  caption,
  ['a red dolphin', 'dolphin'],
  ['an orange ball', 'ball'],
  ['two dogs', 'dog'],
)
const rows = [
  { caption, phrases },
  { caption: 'a red dolphin', phrases: phrasesIn('a red dolphin', ['a red dolphin', 'dolphin']) },
  { caption: 'nothing', phrases: [] },
]

async function teach(teacher: Teacher, more: object) {
  const storage = openStorage(await temporaryFolder())
  await colourDataset(storage, rows)
  const config = { ...teachConfig.parse(more), phrases: 'chunk' }
  const task = { storage, stage: 'label', shard: '00000', configHash: '', inputs: {} }
  const { record } = await teachShard(task, config, async () => teacher)
  const found = []
  for await (const row of readShard(storage, 'proposals', 'label', '00000')) found.push(row)
  return { record, rows: found }
}

describe('asking a teacher with other attributes', () => {
  it('tells one that reads colours from one that does not', async () => {
    const contrastOf = async (reads: boolean) => {
      const { rows } = await teach(colourTeacher(reads), { contrast: 2 })
      return (rows[0]?.proposals ?? [])
        .filter(({ score }) => score > 0.5)
        .map(({ phrase, xyxy, contrast }) => [phrase, thingOf(xyxy), contrast])
    }
    const reader = await contrastOf(true)
    expect(reader[0]).toEqual([0, 'red', 0.25])
    expect(reader.filter(([phrase]) => phrase === 2)).toEqual([
      [2, 'red', null],
      [2, 'blue', null],
    ])
    const blind = await contrastOf(false)
    expect(blind.filter(([phrase]) => phrase !== 2).map(([, , contrast]) => contrast)).toEqual(
      new Array(4).fill(0.75),
    )
  })

  it('gives 0 where no box was above the floor', async () => {
    const { rows } = await teach(colourTeacher(true), { contrast: 1, floor: 0.5 })
    expect(rows[1]?.proposals.map(({ xyxy, contrast }) => [thingOf(xyxy), contrast])).toEqual([['red', 0]])
  })

  it('asks the whole sentence with one word of it changed, and nothing where it is not wanted', async () => {
    const asked: [string, string][] = []
    const { record } = await teach(colourTeacher(true, asked), { contrast: 2 })
    expect(record.config).toEqual({ contrast: 2 })
    const others = asked.filter(([text]) => text !== caption && text !== 'a red dolphin')
    expect(others).toHaveLength(6)
    for (const [text, words] of others) {
      expect(text).toContain(words)
      expect(words).toMatch(/^an? (green|blue|yellow|purple|black|white|grey|pink) (dolphin|ball)$/)
      if (!text.startsWith('🎉')) continue
      // Articles go with their words, and all else stands as it was.
      const restored = words.endsWith('ball') ? 'an orange ball' : 'a red dolphin'
      expect(text.replace(words, restored)).toBe(caption)
    }
    const plainAsked: [string, string][] = []
    const plain = await teach(colourTeacher(true, plainAsked), {})
    expect(plainAsked).toHaveLength(4)
    expect(plain.record.config).toBeUndefined()
    // What a detector of fixed labels can say, the filter is told.
    const fixed = await teach({ ...colourTeacher(true), labels: ['dog', 'hot dog'] }, {})
    expect(fixed.record.config).toEqual({ labels: ['dog', 'hot dog'] })
    expect(plain.rows.flatMap(({ proposals }) => proposals.map(({ contrast }) => contrast))).toEqual(
      new Array(8).fill(null),
    )
    // What is asked besides changes no other answer.
    const { rows: contrasted } = await teach(colourTeacher(true), { contrast: 2 })
    const without = (list: readonly Proposal[]) => list.map(({ contrast: _, ...box }) => box)
    expect(contrasted.map(({ proposals }) => without(proposals))).toEqual(
      plain.rows.map(({ proposals }) => without(proposals)),
    )
    const again: [string, string][] = []
    await teach(colourTeacher(true, again), { contrast: 2 })
    expect(again).toEqual(asked)
  })

  it('gives none to boxes with a label of a fixed list', async () => {
    const folder = fileURLToPath(new URL('../fixtures/detr', import.meta.url))
    const teacher = await openTeacher(folder, { threads: 1 })
    const { rows, record } = await teach(teacher, { contrast: 1 })
    await teacher.close()
    expect(record.config).toEqual({ contrast: 1, labels: ['person', 'dog', 'traffic light', 'N/A'] })
    const boxes = rows.flatMap(({ proposals }) => proposals)
    expect(boxes.length).toBeGreaterThan(0)
    for (const { label, contrast } of boxes) expect([label === null, contrast]).toEqual([false, null])
  })
})

describe('the sentences', () => {
  it('are one for each attribute and other value, for all phrases around the word', () => {
    const text = 'left dog, small black and white cat'
    const named = phrasesIn(
      text,
      ['left dog', 'dog'],
      ['small black and white cat', 'cat'],
      ['white cat', 'cat'],
      ['white cat', 'cat'],
    )
    const queries = contrastQueries('k', 0, text, distinctSpans(named, 0), named, 9)
    const asked = queries.map((query) => [
      query.phrases.map((span) => [...query.text].slice(...span).join('')),
      query.occurrences,
    ])
    expect(asked[0]).toEqual([['right dog'], [[0]]])
    expect(asked[1]).toEqual([['big black and white cat'], [[1]]])
    // Never what the phrase says already: neither "white and white" nor "black and black".
    for (const [words] of asked.slice(2)) expect(words?.join()).not.toMatch(/white and white|black and black/)
    const last = asked.at(-1)
    const words = [/^small black and \w+ cat$/, /^\w+ cat$/]
    expect(last?.[0]).toEqual(words.map((pattern) => expect.stringMatching(pattern)))
    expect(last?.[1]).toEqual([[1], [2, 3]])
  })

  it('keep the spans of their phrases, with the article outside of the phrase too', () => {
    const words = fc.constantFrom('red', 'orange', 'small', 'dog', 'a', 'an', '🎉', 'left')
    fc.assert(
      fc.property(fc.array(words, { minLength: 2, maxLength: 8 }), fc.nat(), fc.nat(), (list, a, b) => {
        const text = list.join(' ')
        const [first, last] = [a % list.length, b % list.length].sort((x, y) => x - y) as [number, number]
        const start = [
          ...list
            .slice(0, first)
            .map((word) => `${word} `)
            .join(''),
        ].length
        const end = [...list.slice(0, last + 1).join(' ')].length
        const named: Phrase[] = [{ caption: 0, text: '', start, end, head: 'dog' }]
        for (const query of contrastQueries('k', 0, text, distinctSpans(named, 0), named, 2)) {
          const [span] = query.phrases as [[number, number]]
          const now = [...query.text]
            .slice(...span)
            .join('')
            .split(' ')
          expect(now).toHaveLength(last - first + 1)
          expect(query.text.split(' ').slice(first, last + 1)).toEqual(now)
          expect(query.text.split(' ').length).toBe(list.length)
        }
      }),
    )
  })
})

it('the contrast is the best score of a box around the same thing', () => {
  const box = (phrase: number, x: number, score: number) => ({
    ...{ phrase, score, label: null },
    xyxy: [x, 0, x + 10, 10] as const,
  })
  const asked = [box(0, 1, 0.3), box(0, 2, 0.6), box(0, 9, 0.9), box(1, 0, 0.9)]
  const given = [box(0, 0, 0.8), box(0, 50, 0.7), box(2, 0, 0.5), { ...box(0, 0, 0.5), label: 'dog' }]
  expect(withContrast(given, new Set([0, 1]), asked).map(({ contrast }) => contrast)).toEqual([
    0.6,
    0,
    null,
    null,
  ])
})
