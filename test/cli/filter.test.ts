import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { audit } from '../../src/cli/audit.js'
import { calibrate } from '../../src/cli/calibrate.js'
import { compare } from '../../src/cli/compare.js'
import { exportCommand } from '../../src/cli/export.js'
import { filter } from '../../src/cli/filter.js'
import { query } from '../../src/cli/query.js'
import { render } from '../../src/cli/render.js'
import { sweep } from '../../src/cli/sweep.js'
import type { Families, Family, ImageRow, Phrase, Proposal } from '../../src/rows/rows.js'
import { createDataset } from '../../src/shards/dataset.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import type { ShardFile } from '../../src/shards/write-shard.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shard = '00000'
const sentence = 'a brown dog and a cat'
const phrase = (caption: number, from: string, text: string, head: string): Phrase => {
  const start = from.indexOf(text)
  return { caption, text, start, end: start + text.length, head }
}
const phrases = [phrase(0, sentence, 'a brown dog', 'dog'), phrase(0, sentence, 'a cat', 'cat')]
const goldPhrases = [phrase(1, 'dog. owl', 'dog', 'dog'), phrase(1, 'dog. owl', 'owl', 'owl')]
const dog: Xyxy = [10, 10, 50, 50]
/** The dog is found by the better of two boxes; nobody knows of the cat. */
const proposals = (score: number): Proposal[] => [
  { phrase: 0, xyxy: [12, 10, 50, 50], score, label: null },
  { phrase: 0, xyxy: [60, 60, 90, 90], score: score / 2, label: null },
  { phrase: 1, xyxy: [0, 60, 30, 90], score: 0.3, label: null },
]

let folder: string
let url: string
const within = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await temporaryFolder()
  url = within('mini')
  const storage = openStorage(url)
  await createDataset(storage, { name: 'mini', card: null, shards: [shard] })
  const picture = { create: { width: 100, height: 100, channels: 3, background: '#888' } } as const
  const bytes = await sharp(picture).png().toBuffer()
  const keys = Array.from({ length: 10 }, (_, at) => String(at))
  const captions = [
    { text: sentence, kind: 'web' as const },
    { text: 'dog. owl', kind: 'categories' as const },
  ]
  const rest = { url: null, sha256: '', phash: '', license: null, meta: null }
  const imageRow = (key: string): ImageRow => ({
    ...{ key, image: { bytes, path: null }, width: 100, height: 100, captions },
    ...rest,
  })
  type Rows = Partial<{ [K in Family]: readonly Families[K][] }>
  const commit = async (stage: string, main: Family, rows: Rows, inputs = {}) => {
    const { record } = await runShardTask(
      { storage, stage, shard, configHash: '', inputs },
      main,
      async (write) => {
        const files: Partial<Record<Family, ShardFile>> = {}
        for (const family of Object.keys(rows) as Family[]) {
          files[family] = await write(family, rows[family] as never[])
        }
        const counts = { in: keys.length, out: keys.length, rejected: {} }
        return { files, unit: 'rows', ...counts, stats: emptyStats }
      },
    )
    return record
  }
  const box = { caption: 1, phrase: 0, start: 0, end: 3, xyxy: dog, score: 1, origin: 'gold' }
  await commit('mini', 'images', {
    images: keys.map(imageRow),
    phrases: keys.map((key) => ({ key, phrases: goldPhrases })),
    grounding: keys.map((key) => ({ key, regions: [box] })),
  })
  const chunked = await commit('chunk', 'phrases', { phrases: keys.map((key) => ({ key, phrases })) })
  const found = keys.map((key, at) => ({ key, teacher: 'toy', proposals: proposals(0.5 + at / 25) }))
  await commit('label', 'proposals', { proposals: found }, { phrases: chunked.files.phrases?.sha256 ?? '' })
})

const { signal } = new AbortController()

/** What a command prints and says, without a process of its own. */
async function printed<T>(work: () => Promise<void>): Promise<{ readonly json: T; readonly said: string }> {
  const texts: string[][] = [[], []]
  const spies = [process.stdout, process.stderr].map((stream, at) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      texts[at]?.push(String(text))
      return true
    }),
  )
  try {
    await work()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  const [out = '', said = ''] = texts.map((parts) => parts.join(''))
  return { json: JSON.parse(out) as T, said }
}

const json = async (...args: string[]) => {
  const { code, out, err } = await runCommand(...args, '--json')
  expect(code, err).toBe(0)
  return JSON.parse(out)
}

describe('filter, compare, sweep and calibrate', () => {
  it('make other groundings of the same proposals and tell what changed', async () => {
    const loose = ['filter', url, '--as', 'loose', '--set', 'score.min=0.25']
    const counts = { proposals: 'label', in: 30, out: 30, images: 10, rejected: {}, missing: [] }
    expect(await json(...loose)).toMatchObject(counts)
    const again = await runCommand(...loose)
    expect(again.err).toMatch(/✓ loose {2}30 of 30 proposals in 10 pictures kept by 5 rules, already done/)
    const strict = await json('filter', url, '--as', 'strict', '--set', 'rules=[{rule: score, min: 0.5}]')
    expect(strict).toMatchObject({ in: 30, out: 10, rejected: { score: 20 } })

    const sheet = within('changes.png')
    const changes = await json('compare', url, 'loose', 'strict', '--pictures', '2', '-o', sheet)
    const none = { rescored: 0, moved: 0, added: 0 }
    expect(changes).toMatchObject({ kept: 10, lost: 20, images: 10, changed: 10, ...none })
    expect(changes.reasons).toEqual([{ reason: 'score', before: null, after: 20 }])
    expect((await sharp(sheet).metadata()).format).toBe('png')
    // Gold is a grounding too: its box is of another caption's phrase.
    expect(await json('compare', url, 'mini', 'strict')).toMatchObject({
      ...{ kept: 0, lost: 10, added: 10 },
      // Box for box: no proposal is one of gold's phrase.
      why: { lost: { not_proposed: 10 }, added: { not_in_gold: 10 } },
    })
    expect(changes.why).toEqual({ lost: { score: 20 }, added: {} })
    const sum = (way: string) =>
      changes.scores.reduce((all: number, bin: Record<string, number>) => all + bin[way], 0)
    expect([sum('kept'), sum('lost')]).toEqual([10, 20])
  })

  it('count what is kept and right at each value, by head where gold has no such span', async () => {
    const svg = within('plots/sweep.svg')
    const values = ['--from', '0.2', '--to', '0.6', '--steps', '3']
    const { points } = await json('sweep', url, ...values, '--svg', svg)
    // The cat is not judged; of the dog's two boxes one is right, and it is found in every picture.
    const first = { value: 0.2, boxes: 30, phrases: 20, images: 10, precision: 0.5, recall: 1, f1: 2 / 3 }
    const { precisionInterval, recallInterval, ...shares } = points[0]
    expect(shares).toEqual(first)
    // Ten pictures that are all alike tell no more than one box each would.
    expect(precisionInterval[0]).toBeGreaterThan(0.2)
    expect(precisionInterval[0] + precisionInterval[1]).toBeCloseTo(1, 9)
    expect(recallInterval).toEqual([expect.closeTo(0.69, 2), 1])
    expect(points[2]).toMatchObject({
      value: 0.6,
      boxes: 7,
      phrases: 7,
      images: 7,
      precision: 1,
      recall: 0.7,
    })
    expect(await readFile(svg, 'utf8')).toMatch(/^<svg .*precision.*recall.*<\/svg>\n$/s)
    const most = ['--vary', 'max_boxes.phrase', '--from', '1', '--to', '2', '--steps', '2']
    const { out } = await runCommand('sweep', url, ...most, '--set', 'score.min=0')
    expect(out).toMatch(/max_boxes\.phrase +regions[^\n]*F1\n[^\n]*\n +1 +20[^\n]*\n +2 +30/)
  })

  it('take any grounding for the truth', async () => {
    await runCommand('filter', url, '--as', 'truth', '--set', 'rules=[{rule: score, min: 0.5}]')
    const { points } = await json(
      'sweep',
      url,
      '--gold',
      'truth',
      '--set',
      'rules=[{rule: score, min: 0.5}]',
      '--steps',
      '2',
      '--from',
      '0.5',
      '--to',
      '0.99',
    )
    expect(points[0]).toMatchObject({ precision: 1, recall: 1 })
    await expect(json('sweep', url, '--gold', 'nothing')).rejects.toThrow(
      'has no grounding "nothing"; it has: ',
    )
  })

  it('calibrate a teacher for the rule that reads it', async () => {
    const file = within('toy.json')
    const { ece, judged, teacher } = await json('calibrate', url, '-o', file)
    expect([judged, teacher]).toEqual([20, 'toy'])
    expect(ece.after).toBeLessThan(ece.before)
    // Sure boxes are always right and the others never: any threshold finds the dog, and the cat's 0.3 is one
    // of the others.
    const rules = `rules=[{rule: calibrate, file: ${file}}, {rule: score, min: 0.9}]`
    expect(await json('filter', url, '--as', 'calibrated', '--set', rules)).toMatchObject({ out: 10 })

    const other = JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), teacher: 'another' })
    await writeFile(file, other)
    await expect(json('filter', url, '--as', 'mistaken', '--set', rules)).rejects.toThrow(
      `${file} was measured on the scores of "another", and these proposals are of "${teacher}": calibrate that one`,
    )
    const any = rules.replace(`file: ${file}`, `file: ${file}, any_teacher: true`)
    expect(await json('filter', url, '--as', 'mistaken', '--set', any)).toMatchObject({ out: 10 })
  })

  it('begin with the rules of the filter stage that was last, and say so', async () => {
    const made = async (as: string, options: object = {}) =>
      printed<{ rules: { rule: string; min?: number }[]; rules_from: string; out: number }>(() =>
        filter(url, { as, set: [], json: true, ...options }, signal),
      )
    const lone = '{rule: aspect, max: 20}'
    await made('loose', { set: [`rules=[${lone}, {rule: score, min: 0.2}]`] })
    const next = await made('next', { set: ['score.min=0.55'] })
    expect(next.json.rules).toEqual([
      { rule: 'aspect', max: 20 },
      { rule: 'score', min: 0.55 },
    ])
    expect(next.json.rules_from).toBe('loose')
    expect(next.said).toMatch(
      /filtering mini:label\b.*\n {2}rules: those of the filter stage loose, changed by --set: aspect max 20; score min 0\.55\n/,
    )
    // What is there already is made anew of what it was made of, whatever came after it.
    await made('later', { set: ['score.min=0.9', 'nms.iou=0.3'] })
    expect((await made('next')).json).toMatchObject({ rules_from: 'next', rules: next.json.rules })
    expect((await made('again', { rules: 'loose' })).json).toMatchObject({ rules_from: 'loose', out: 30 })
    expect((await made('plain', { rules: 'default' })).json.rules.map(({ rule }) => rule)).toEqual([
      ...['area', 'score', 'nms', 'max_boxes', 'max_boxes_image'],
    ])
    await expect(made('x', { rules: 'lose' })).rejects.toThrow(/no such filter stage; it has: .*loose/)
    const both = made('x', { rules: 'loose', set: ['rules=[]'] })
    await expect(both).rejects.toThrow(/--rules loose would be read for nothing/)

    const swept = await printed<{ rules_from: string }>(() =>
      sweep(
        url,
        { set: [], vary: 'score.min', from: '0.2', to: '0.6', steps: 2, json: true, rules: 'loose' },
        signal,
      ),
    )
    expect(swept.json.rules_from).toBe('loose')
    expect(swept.said).toMatch(/filtering mini:label.*, held against mini:mini, gold/)
    const out = within('counting.json')
    const counted = await printed<{ rules: object[] }>(() =>
      calibrate(url, { set: [], rules: 'later', method: 'isotonic', out, json: true }),
    )
    // Bounds on scores are what is measured.
    expect(counted.json.rules).toEqual([
      { rule: 'aspect', max: 20 },
      { rule: 'nms', iou: 0.3 },
    ])
  })

  it('ask for one grounding where there are several, and take the only one', async () => {
    const several =
      /has grounding of several stages: mini \(gold.*; loose \(\d+ regions of 10 pictures\).*Name one: /
    const out = within('pictures')
    await expect(render(url, { sample: 1, seed: 1, out })).rejects.toThrow(several)
    await expect(audit(url, { sample: 1, seed: 1, out: within('s.jsonl') }, signal)).rejects.toThrow(several)
    await expect(exportCommand(url, { format: 'csv', out }, signal)).rejects.toThrow(several)
    await expect(render(url, { grounding: 'lose', sample: 1, seed: 1, out })).rejects.toThrow(
      /no grounding "lose"; it has: mini, .*Did you mean "loose"\?/,
    )
    const drawn = await printed<{ grounding: string }>(() =>
      render(url, { grounding: 'loose', sample: 1, seed: 1, out, json: true }),
    )
    expect(drawn.said).toMatch(/^ {2}drawing mini:loose, \d+ regions of 10 pictures\n$/)
    // Of a list all are drawn, and what is not there is told.
    const list = within('list.txt')
    const keys = ['2', '3']
    await writeFile(list, [...keys, '000990000'].join('\n'))
    const listed = await printed<{ files: string[] }>(() =>
      render(url, { grounding: 'loose', only: list, seed: 1, out, json: true }),
    )
    expect(listed.json.files.map((file) => basename(file, '.png')).sort()).toEqual(keys)
    expect(listed.said).toContain('2 of the 3 pictures of list.txt are in the dataset; not found: 000990000')
    await expect(render(url, { grounding: 'loose', only: 'none', seed: 1, out })).rejects.toThrow(
      /has no selection "none", and there is no such file/,
    )
    const queried = await printed<object[]>(() =>
      query(url, 'select count(*) as regions from grounding', { format: 'json', rows: 1 }, signal),
    )
    expect(queried.said).toMatch(/grounding has the rows of \d+ stages, mini, .*loose/)
  })

  it('refuse what cannot be, in words', async () => {
    const make = (options: object) => filter(url, { as: 'x', set: [], ...options }, signal)
    const vary = (options: object) =>
      sweep(url, { set: [], vary: 'score.min', from: '0', to: '1', steps: 3, ...options }, signal)
    const cases: [() => Promise<void>, RegExp][] = [
      [
        () => make({ set: ['magic.min=1'] }),
        /--set magic\.min=1: a filter has no rule and no key magic\. .*RULE\.KEY, such as score\.min; .*calibrate, verdict, consensus, score/,
      ],
      [() => make({ set: ['score.min=3'] }), /rules\.1\.min/],
      [
        () => make({ set: [`rules=[{rule: calibrate, file: ${url}}]`] }),
        /The calibration: Cannot read .* is not a regular file/,
      ],
      [() => make({ proposals: 'none' }), /no proposals "none"; it has: label/],
      [() => make({ as: 'chunk' }), /already made the phrases/],
      [() => vary({ from: '1', to: '0' }), /expected two numbers, the first below/],
      [() => vary({ vary: 'score' }), /expected RULE\.KEY/],
      [
        () => compare(url, ['mini', 'none'], { top: 12, out: '' }, signal),
        /no grounding "none"; it has: mini/,
      ],
    ]
    for (const [refused, message] of cases) {
      const error = await refused().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(UserError)
      expect((error as Error).message).toMatch(message)
    }
  })
})
