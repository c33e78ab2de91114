import { beforeAll, describe, expect, it } from 'vitest'
import type { Caption, NegativeRow, Phrase, Region } from '../../src/rows/rows.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { readSampleRows } from '../../src/train/samples/read-sample-rows.js'
import { openSamples } from '../../src/train/samples/read-samples.js'
import type { Sample, SampleSource } from '../../src/train/samples/sample.js'
import type { AskedPart } from '../../src/words/asked-span.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const storage = openStorage(await temporaryFolder())
const shard = '00000'
const text = 'the small red cat on a sofa and a dog'
const phrase = (words: string, more: Partial<Phrase> = {}): Phrase => {
  const start = text.indexOf(words)
  return {
    caption: 0,
    text: words,
    start,
    end: start + words.length,
    head: words.split(' ').at(-1) ?? '',
    ...more,
  }
}
const phrases = [
  phrase('the small red cat', {
    expression_end: text.indexOf(' and'),
    attributes: [
      { kind: 'size', text: 'small' },
      { kind: 'colour', text: 'red' },
    ],
  }),
  phrase('a sofa'),
  phrase('a dog'),
]
const region = (of: number, words: string, left: number): Region => {
  const start = text.indexOf(words)
  const box = [left, 0, left + 8, 8] as const
  return { caption: 0, phrase: of, start, end: start + words.length, xyxy: box, score: 1, origin: 'gold' }
}
/** The second box of the cat is trusted to be a cat, and nothing more. */
const regions = [region(0, 'the small red cat', 0), region(0, 'cat', 10), region(2, 'a dog', 20)]
const keys = ['a', 'b']

/** Commits rows of a family, and of those beside it. */
async function commit(stage: string, rows: { grounding?: boolean; negatives?: readonly NegativeRow[] }) {
  const task = { storage, stage, shard, configHash: stage, inputs: {} }
  const main = rows.grounding ? 'grounding' : 'negatives'
  await runShardTask(task, main, async (write) => {
    const grounding =
      rows.grounding &&
      (await write('grounding', [
        { key: 'a', regions },
        { key: 'b', regions: [] },
      ]))
    const negatives = rows.negatives && (await write('negatives', rows.negatives))
    const files = { ...(grounding && { grounding }), ...(negatives && { negatives }) }
    return { files, unit: 'rows', in: 2, out: 2, rejected: {}, stats: emptyStats }
  })
}

const negative = { text: 'blue cat', evidence: 'attribute', phrase: 0, score: 0.5 } as const
const negatives = (exhaustive: boolean): NegativeRow[] => [
  { key: 'a', negatives: [negative], exhaustive, partial: ['sofa'], teacher: null },
  { key: 'b', negatives: [], exhaustive, partial: [], teacher: null },
]

beforeAll(async () => {
  const empty = { url: null, sha256: '', phash: '', license: null, meta: null, width: 32, height: 8 }
  const captions: Caption[] = [{ text, kind: 'gold' }]
  await putShard(
    storage,
    'images',
    null,
    shard,
    keys.map((key) => ({ key, captions, image: { bytes: new Uint8Array([1]), path: null }, ...empty })),
  )
  const rows = keys.map((key) => ({ key, phrases: key === 'a' ? phrases : [] }))
  await putShard(storage, 'phrases', 'chunk', shard, rows)
  await commit('gold', { grounding: true, negatives: negatives(true) })
  await commit('found', { grounding: true })
  await commit('mined', { negatives: negatives(true) })
})

const source = (grounding: string, mined?: string): SampleSource => ({
  ...{ name: 's', storage, shards: [shard], grounding, phrases: 'chunk', negatives: mined },
})

async function read(grounding: string, mined?: string, words?: AskedPart): Promise<Sample[]> {
  const samples: Sample[] = []
  for await (const sample of readSampleRows(source(grounding, mined), shard, { withBytes: false, words }))
    samples.push(sample)
  return samples
}

const words = (spans: readonly { readonly start: number; readonly end: number }[] = []) =>
  spans.map(({ start, end }) => text.slice(start, end))

describe('the pictures of a shard', () => {
  it('come with what is known not to be in them', async () => {
    const [gold] = await read('gold')
    expect(gold).toMatchObject({ negatives: [negative], exhaustive: true, partial: ['sofa'] })
    // Boxes that a teacher found are not all that there are, whatever is known of the gold of the pictures.
    expect((await read('found', 'mined'))[0]).toMatchObject({ negatives: [negative], exhaustive: false })
    expect((await read('gold', 'mined'))[0]?.exhaustive).toBe(true)
    expect((await read('found'))[0]).toMatchObject({ negatives: [], exhaustive: false, partial: [] })
  })

  it('are samples without a box where it is asked for those that lack something', async () => {
    const all = { tune: 'full', shot_seed: 0 } as const
    expect((await openSamples(source('gold'), 1, all)).size).toBe(1)
    expect((await openSamples(source('gold'), 1, { ...all, untargeted: true })).size).toBe(2)
    expect((await openSamples(source('found'), 1, { ...all, untargeted: true })).size).toBe(1)
    const hashes = [source('gold'), source('gold', 'mined'), source('found')].map((from) =>
      openSamples(from, 1),
    )
    const [gold, mined, found] = (await Promise.all(hashes)).map(({ hash }) => hash)
    expect(gold).not.toBe(found)
    // The same rows: what is hashed are the bytes.
    expect(mined).toBe(gold)
  })

  it('have boxes for the part of a phrase that they stand for, and nobody knows of the rest', async () => {
    const caption = (await read('gold'))[0]?.captions[0]
    expect(words(caption?.grounded)).toEqual(['the small red cat', 'cat', 'a dog'])
    expect(words(caption?.unsure)).toEqual(['the small red '])
    expect(caption?.unsure[0]?.boxes).toEqual([[10, 0, 18, 8]])
    expect(caption?.ungrounded.map(([start, end]) => text.slice(start, end))).toEqual(['a sofa'])
  })

  it('have boxes for expressions and for what phrases say, where these are asked for', async () => {
    const expressions = (await read('gold', undefined, 'expression'))[0]?.captions[0]
    expect(words(expressions?.grounded)).toEqual(['the small red cat on a sofa', 'cat', 'a dog'])
    expect(expressions?.grounded[0]?.name).toEqual(phrases[0] && [phrases[0].start, phrases[0].end])
    const said = (await read('gold', undefined, 'attributes'))[0]?.captions[0]
    expect(words(said?.grounded)).toEqual(['small red cat', 'cat', 'dog'])
    // The articles count neither way.
    expect(words(said?.unsure)).toEqual(['the ', 'the small red ', 'a '])
  })
})
