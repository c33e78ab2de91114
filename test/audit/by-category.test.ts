import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { AuditSummary } from '../../src/audit/audit-labels.js'
import { audit } from '../../src/cli/audit.js'
import { calibrate } from '../../src/cli/calibrate.js'
import { sweep } from '../../src/cli/sweep.js'
import type { Caption, Families, Family, ImageRow, Phrase, Region } from '../../src/rows/rows.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { grain } from '../helpers/odd-images.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const url = join(folder, 'data')
const truth = join(folder, 'instances.json')
const { signal } = new AbortController()

/** A picture's caption, its phrases with their heads, and what a detector found for each. */
interface Picture {
  readonly phrases: readonly (readonly [text: string, head: string])[]
  readonly gold: readonly (readonly [category: string, ...xyxy: Region['xyxy']])[]
  readonly crowd?: readonly [category: string, ...xyxy: Region['xyxy']]
  readonly found: readonly (readonly [phrase: number, score: number, ...xyxy: Region['xyxy']])[]
}

const pictures: readonly Picture[] = [
  {
    phrases: [
      ['a man', 'man'],
      ['a hot dog', 'dog'],
      ['the kitchen', 'kitchen'],
    ],
    gold: [
      ['person', 0, 0, 20, 40],
      ['dog', 30, 30, 50, 50],
      ['hot dog', 40, 0, 60, 10],
    ],
    crowd: ['person', 0, 44, 64, 64],
    found: [
      [0, 0.9, 0, 0, 20, 38],
      [0, 0.5, 30, 0, 40, 20],
      // In the crowd: neither right nor wrong.
      [0, 0.4, 10, 46, 20, 62],
      [1, 0.8, 40, 0, 60, 11],
      // A dog, which is no hot dog.
      [1, 0.7, 30, 30, 50, 50],
      [2, 0.6, 0, 0, 20, 40],
    ],
  },
  {
    phrases: [
      ['a goalkeeper', 'goalkeeper'],
      ['a cat', 'cat'],
    ],
    gold: [['person', 0, 0, 20, 40]],
    found: [
      [0, 0.9, 0, 0, 20, 40],
      [1, 0.9, 0, 0, 20, 40],
    ],
  },
]

beforeAll(async () => {
  const storage = openStorage(url)
  await createDataset(storage, { name: 'made', card: null, shards: ['00000'] })
  const bytes = await grain(64, 64).jpeg().toBuffer()
  const textsOf = (words: readonly string[]) => {
    const starts = words.map((_, at) => words.slice(0, at).reduce((sum, word) => sum + word.length + 5, 0))
    return { text: words.join(' and '), starts }
  }
  const captioned = pictures.map(({ phrases, gold }) => {
    const words = textsOf(phrases.map(([text]) => text))
    const names = [...new Set(gold.map(([category]) => category))]
    const starts = names.map((_, at) => names.slice(0, at).reduce((sum, name) => sum + name.length + 2, 0))
    return {
      captions: [
        { text: words.text, kind: 'gold' },
        { text: names.join('. '), kind: 'categories' },
      ] satisfies Caption[],
      phrases: phrases.map(([text, head], at): Phrase => {
        const start = words.starts[at] ?? 0
        return { caption: 0, text, start, end: start + text.length, head }
      }),
      names: names.map((text, at): Phrase => {
        const start = starts[at] ?? 0
        return { caption: 1, text, start, end: start + text.length, head: text.split(' ').at(-1) ?? '' }
      }),
    }
  })
  const key = (at: number) => `0000${at}`
  const images = captioned.map(
    ({ captions }, at): ImageRow => ({
      ...{ key: key(at), image: { bytes, path: null }, width: 64, height: 64, captions },
      ...{ url: `photos/${at}.jpg`, sha256: String(at), phash: '0'.repeat(16), license: null, meta: null },
    }),
  )
  const regionOf = (phrase: Phrase, index: number, xyxy: Region['xyxy'], score: number): Region => ({
    ...{ caption: phrase.caption, phrase: index, start: phrase.start, end: phrase.end, xyxy, score },
    origin: 'test',
  })
  const put = async <F extends Family>(
    family: F,
    stage: string | null,
    rows: readonly Families[F][],
    inputs: Readonly<Record<string, string>> = {},
  ) => (await putShard(storage, family, stage, '00000', rows, inputs)).sha256
  await put('images', null, images)
  const words = await put(
    'phrases',
    'words',
    captioned.map(({ phrases }, at) => ({ key: key(at), phrases, left_out: [] })),
  )
  const names = await put(
    'phrases',
    'made',
    captioned.map(({ names }, at) => ({ key: key(at), phrases: names, left_out: [] })),
  )
  await put(
    'grounding',
    'made',
    captioned.map(({ names }, at) => ({
      key: key(at),
      regions: (pictures[at]?.gold ?? []).map(([category, ...xyxy]) => {
        const index = names.findIndex(({ text }) => text === category)
        return regionOf(names[index] as Phrase, index, xyxy, 1)
      }),
      ignored: [pictures[at]?.crowd ?? []].flatMap(([text, ...xyxy]) =>
        text === undefined ? [] : [{ text, xyxy: xyxy as Region['xyxy'], area: 100, crowd: true }],
      ),
    })),
    { phrases: names },
  )
  const found = captioned.map(({ phrases }, at) => ({
    key: key(at),
    regions: (pictures[at]?.found ?? []).map(([index, score, ...xyxy]) =>
      regionOf(phrases[index] as Phrase, index, xyxy, score),
    ),
  }))
  await put('grounding', 'found', found, { phrases: words })
  await put(
    'proposals',
    'label',
    found.map(({ regions }, at) => ({
      key: key(at),
      teacher: 'test',
      proposals: regions.map(({ phrase, xyxy, score }) => ({ phrase, xyxy, score, label: null })),
    })),
    { phrases: words },
  )
  const categories = ['person', 'dog', 'hot dog', 'cat'].map((name, id) => ({ id, name }))
  const annotations = pictures.flatMap(({ gold, crowd }, image_id) =>
    [...gold, ...(crowd ? [crowd] : [])].map((box, id) => {
      const [category, x1, y1, x2, y2] = box
      return {
        ...{ id: 10 * image_id + id + 1, image_id, bbox: [x1, y1, x2 - x1, y2 - y1] },
        category_id: categories.find(({ name }) => name === category)?.id,
        iscrowd: box === crowd ? 1 : 0,
      }
    }),
  )
  const files = pictures.map((_, id) => ({ id, file_name: `${id}.jpg`, width: 64, height: 64 }))
  await writeFile(truth, JSON.stringify({ images: files, categories, annotations }))
})

/** What a command prints with `--json`, and beside it. */
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

const audited = (options: { readonly truth: string; readonly synonyms?: string }) =>
  printed<AuditSummary>(() =>
    audit(url, { grounding: 'found', by: 'category', seed: 1, json: true, ...options }, signal),
  )

describe('words that name things by their category', () => {
  it('are judged by any file of boxes in COCO form', async () => {
    const { json, said } = await audited({ truth })
    // Right are a man's and the hot dog's; a box in the crowd is not judged, and nobody knows goalkeepers.
    expect(json.kinds[0]).toMatchObject({ labels: 8, judged: 7, right: 2, phrases: 2, recall: 1 })
    expect(json.unnamed).toEqual([
      { head: 'cat', labels: 1 },
      { head: 'goalkeeper', labels: 1 },
      { head: 'kitchen', labels: 1 },
    ])
    expect(said).toContain(
      'name nothing in their picture, which are wrong: 3 (cat 1, goalkeeper 1, kitchen 1)',
    )
  })

  it('have the names that the user adds', async () => {
    const synonyms = join(folder, 'names.yaml')
    await writeFile(synonyms, 'person: [goalkeeper]\n')
    expect((await audited({ truth, synonyms })).json.kinds[0]).toMatchObject({
      judged: 7,
      right: 3,
      phrases: 3,
    })
    await writeFile(synonyms, 'person: goalkeeper\n')
    await expect(audited({ truth, synonyms })).rejects.toThrow(/names\.yaml.*person/)
  })

  it("are judged by the dataset's own gold", async () => {
    const { json } = await audited({ truth: 'made' })
    expect(json.kinds[0]).toMatchObject({ labels: 8, judged: 7, right: 2, recall: 1 })
  })

  it('are judged so by sweep and calibrate', async () => {
    const swept = await printed<{ points: readonly Record<string, number>[] }>(() =>
      sweep(
        url,
        {
          ...{ gold: 'made', by: 'category', set: ['rules=[{rule: score, min: 0}]'], vary: 'score.min' },
          ...{ from: '0.1', to: '0.65', steps: 2, json: true },
        },
        signal,
      ),
    )
    expect(swept.json.points).toMatchObject([
      { boxes: 8, precision: 2 / 7, recall: 1 },
      { boxes: 5, precision: 2 / 5, recall: 1 },
    ])
    const out = join(folder, 'calibration.json')
    const { json } = await printed<{ judged: number }>(() =>
      calibrate(url, {
        gold: 'made',
        by: 'category',
        set: [],
        method: 'isotonic',
        nms: '0.5',
        out,
        json: true,
      }),
    )
    expect(json.judged).toBe(7)
  })

  it('are asked for in words that say what is missing', async () => {
    const options = { grounding: 'found', seed: 1 }
    await expect(audit(url, { ...options, truth }, signal)).rejects.toThrow(/no annotation.*--by category/)
    await expect(audit(url, { ...options, truth, synonyms: 'x.yaml' }, signal)).rejects.toThrow(
      /--synonyms goes with --by/,
    )
    await writeFile(
      join(folder, 'nameless.json'),
      JSON.stringify({ images: [], annotations: [], categories: [] }),
    )
    await expect(audited({ truth: join(folder, 'nameless.json') })).rejects.toThrow(/no box has a category/)
  })
})
