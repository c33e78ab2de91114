import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { iou } from '../../src/boxes/iou.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { doubt } from '../../src/cli/review/doubt.js'
import { readDoubted } from '../../src/doubt/read-doubted.js'
import { datasetOutput } from '../../src/pipeline/dataset-output.js'
import { doubt as doubtKind } from '../../src/pipeline/stages/doubt.js'
import { train as trainKind } from '../../src/pipeline/stages/train.js'
import { runStage } from '../../src/pipeline/tasks/run-stage.js'
import type { ImageRow, VerdictRow } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { createDataset } from '../../src/shards/dataset.js'
import { readShard } from '../../src/shards/read-shard.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { readSampleRows } from '../../src/train/samples/read-sample-rows.js'
import type { Sample } from '../../src/train/samples/sample.js'
import { doubtfulGold, madePicture, side } from '../helpers/doubtful-gold.js'
import { putShard } from '../helpers/put-shard.js'
import { stageAs, stageContext } from '../helpers/stage-context.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const url = join(folder, 'gold')
const storage = openStorage(url)
const { pictures, wrong } = doubtfulGold()
const shards = ['00000', '00001']
const { signal } = new AbortController()
const ofShard = (index: number) => pictures.slice(50 * index, 50 * (index + 1))

beforeAll(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  await createDataset(storage, { name: 'made', card: null, shards })
  const empty = { url: null, sha256: '', phash: '0'.repeat(16), license: null, meta: null }
  for (const [index, shard] of shards.entries()) {
    const own = ofShard(index)
    const images = own.map(
      ({ key, text }): ImageRow => ({
        ...{ key, image: { bytes: new Uint8Array([1]), path: null }, width: side, height: side, ...empty },
        captions: [{ text, kind: 'categories' }],
      }),
    )
    await putShard(storage, 'images', null, shard, images)
    const phrases = await putShard(
      storage,
      'phrases',
      'gold',
      shard,
      own.map(({ key, phrases }) => ({ key, phrases })),
    )
    const inputs = { phrases: phrases.sha256 }
    const grounding = own.map(({ key, regions }) => ({ key, regions }))
    await putShard(storage, 'grounding', 'gold', shard, grounding, inputs)
    const proposals = own.map(({ key, proposals }) => ({ key, proposals, teacher: 'seer' }))
    await putShard(storage, 'proposals', 'boxes', shard, proposals, inputs)
  }
})
afterAll(() => void vi.restoreAllMocks())

/** What the command prints. */
async function printed(options: Partial<Parameters<typeof doubt>[1]> = {}): Promise<string> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await doubt(url, { top: 20, set: [], ...options }, signal)
    return written.mock.calls.map(([text]) => String(text)).join('')
  } finally {
    written.mockRestore()
  }
}

describe('the command', () => {
  it('lists what is likely to be wrong, the likeliest first, and leaves it as verdicts', async () => {
    const out = join(folder, 'doubts.jsonl')
    const told = JSON.parse(await printed({ json: true, as: 'doubts', out }))
    expect(told).toMatchObject({ pictures: 100, boxes: 400, unasked: 0, grounding: 'gold' })
    expect(told.doubts).toMatchObject({ missing: 1, misplaced: 1, swapped: 2 })
    const keys = new Set(told.top.slice(0, 5).map(({ key }: { readonly key: string }) => key))
    expect(keys).toEqual(new Set(Object.values(wrong).map((index) => pictures[index].key)))
    const likely = told.top.map(({ likelihood }: { readonly likelihood: number }) => likelihood)
    expect(likely).toEqual([...likely].sort((a, b) => b - a))
    const lines = (await readFile(out, 'utf8')).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(told.top)

    const record = await readCommit(storage, 'verdicts', 'doubts', shards[0])
    expect(record).toMatchObject({
      unit: 'boxes',
      out: record?.in,
      config: { judge: 'doubt', phrases: 'gold' },
    })
    const rows: VerdictRow[] = []
    for await (const row of readShard(storage, 'verdicts', 'doubts', shards[0])) rows.push(row)
    const wrongs = rows.flatMap(({ key, verdicts }) =>
      verdicts.flatMap(({ verdict, reason }) => (reason ? [`${key} ${verdict} ${reason}`] : [])),
    )
    for (const line of [
      'k015 add missing',
      'k020 redraw misplaced',
      'k030 reject swapped',
      'k040 reject extra',
    ])
      expect(wrongs).toContain(line)
    expect(await printed({ set: ['fit_pictures=10'] })).toMatch(
      /^\d+ doubts? over 400 boxes in 100 pictures: /,
    )
  })

  it('says what it lacks', async () => {
    await expect(printed({ proposals: 'none' })).rejects.toThrow(/has no proposals "none"; it has: boxes\./)
    await expect(printed({ verdicts: 'none' })).rejects.toThrow(/has no verdicts "none"/)
    const task = { storage, stage: 'others', shard: shards[0]!, configHash: 'others', inputs: {} }
    await runShardTask(task, 'verdicts', async (write) => ({
      files: { verdicts: await write('verdicts', []), rejects: await write('rejects', []) },
      ...{ unit: 'boxes', in: 0, out: 0, rejected: {}, stats: emptyStats },
      config: { judge: 'views', phrases: 'chunk' },
    }))
    await expect(printed({ verdicts: 'others' })).rejects.toThrow(
      /verdicts "others" are of the phrases of "chunk", the boxes of grounding "gold" of those of "gold"/,
    )
    await expect(printed({ set: ['threshold=2'] })).rejects.toThrow(/threshold/)
  })
})

it('a detector with a fixed list of labels has found what it calls as a phrase does, for phrases that it knows', async () => {
  const labels = ['cat', 'boat']
  const rows = ofShard(0).map(({ key, phrases }) => ({
    ...{ key, teacher: 'fixed' },
    // Every box is proposed for every phrase.
    proposals: phrases.flatMap((_, phrase) =>
      labels.map((label, at) => ({
        ...{ phrase, label, score: 0.5, contrast: null },
        xyxy: [10 * at, 0, 10 * at + 9, 9] as const,
      })),
    ),
  }))
  const task = { storage, stage: 'fixed', shard: '00000', configHash: 'c', inputs: {} }
  await runShardTask(task, 'proposals', async (write) => ({
    files: { proposals: await write('proposals', rows) },
    ...{
      unit: 'pictures',
      in: rows.length,
      out: rows.length,
      rejected: {},
      stats: emptyStats,
      config: { labels },
    },
  }))
  const stages = { phrases: 'gold', grounding: 'gold', proposals: 'fixed' }
  let known = 0
  for await (const { picture } of readDoubted(storage, '00000', stages)) {
    const heads = picture.phrases.map(({ head }) => head)
    expect([...picture.found.keys()]).toEqual(
      heads.flatMap((head, phrase) => (labels.includes(head) ? [phrase] : [])),
    )
    for (const [phrase, found] of picture.found) {
      known++
      expect(found.map(({ xyxy }) => xyxy[0])).toEqual([10 * labels.indexOf(heads[phrase] ?? '')])
    }
  }
  expect(known).toBeGreaterThan(10)
})

describe('the stage', () => {
  it('needs a grounding and proposals of the same phrases', async () => {
    const dataset = await openDataset(url)
    const gold = await datasetOutput(dataset, 'grounding', 'gold')
    const boxes = await datasetOutput(dataset, 'proposals', 'boxes')
    const look = (outputs: readonly (typeof gold)[]) =>
      doubtKind.looks?.(
        stageAs(
          doubtKind,
          'd',
          outputs.map(({ name }) => name),
        ),
        stageContext(undefined, outputs).context,
      )
    expect(look([gold, boxes])).toEqual([])
    expect(() => look([gold])).toThrow('Stage "d" (doubt) needs a stage that gives proposals.')
    expect(() => look([gold, { ...boxes, phrases: 'words' }])).toThrow('are of other phrases')
  })
})

describe('a training that weighs by doubts', () => {
  const source = { name: 'gold', storage, shards, grounding: 'gold', phrases: 'gold' }

  it('reads how likely each box is right, and what is missing', async () => {
    const judged = new Map<string, readonly { readonly probability: number | 'missing' }[]>()
    for await (const sample of readSampleRows({ ...source, verdicts: 'doubts' }, shards[0], {
      withBytes: false,
    }))
      judged.set(sample.key, sample.judged ?? [])
    const at = (key: string) => judged.get(key)?.map(({ probability }) => probability) ?? []
    expect(at('k015')).toContain('missing')
    expect(Number(at('k040')[4])).toBeLessThan(0.2)
    expect(at('k000').every((value) => Number(value) > 0.8)).toBe(true)
    for await (const sample of readSampleRows(source, shards[0], { withBytes: false }))
      expect(sample).not.toHaveProperty('judged')
  })

  it('takes boxes where they are rather, and adds what is missing, as much as that is likely', async () => {
    const samplesOf = async (mends: boolean) => {
      const samples = new Map<string, Sample>()
      const read = { ...source, verdicts: 'doubts', mends }
      for await (const sample of readSampleRows(read, shards[0], { withBytes: false }))
        samples.set(sample.key, sample)
      return samples
    }
    const [plain, mended] = [await samplesOf(false), await samplesOf(true)]
    const boxesOf = (sample: Sample | undefined) =>
      (sample?.captions ?? []).flatMap(({ grounded }) => grounded.flatMap(({ boxes }) => boxes))
    const { regions: whole } = madePicture(wrong.missing)
    expect(boxesOf(plain.get('k015'))).toHaveLength(3)
    const added = boxesOf(mended.get('k015')).find((box) => iou(box, whole[0].xyxy) > 0.7)
    expect(added).toBeDefined()
    const { regions: right } = madePicture(wrong.misplaced)
    const nearest = (sample: Sample | undefined) =>
      Math.max(...boxesOf(sample).map((box) => iou(box, right[2].xyxy)))
    expect(nearest(plain.get('k020'))).toBeCloseTo(0.5, 1)
    expect(nearest(mended.get('k020'))).toBeGreaterThan(0.7)
    // They count as much as they are likely, and what is added still is no negative of its noun.
    const said = (mended.get('k015')?.judged ?? []).filter(({ xyxy }) => xyxy?.join() === added?.join())
    expect(said.map(({ probability }) => probability)).toEqual(['missing', expect.any(Number)])
    expect(Number(said[1].probability)).toBeGreaterThan(0.5)
    expect(mended.get('k000')?.captions).toEqual(plain.get('k000')?.captions)
  })

  it('needs the stage that it names, of the same pictures and phrases', async () => {
    const dataset = await openDataset(url)
    const gold = await datasetOutput(dataset, 'grounding', 'gold')
    const verdicts = await datasetOutput(dataset, 'verdicts', 'doubts')
    const open = (outputs: readonly (typeof gold)[], needs = outputs.map(({ name }) => name)) => {
      const stage = stageAs(trainKind, 'student', needs, { weigh_by: 'doubts', steps: 1 })
      return trainKind.find(stage, 'hash', stageContext(storage, outputs).context)
    }
    expect(await open([gold, verdicts])).toBeUndefined()
    const unsaid = stageAs(trainKind, 'student', ['gold'], { mend: true, steps: 1 })
    await expect(trainKind.find(unsaid, 'hash', stageContext(storage, [gold]).context)).rejects.toThrow(
      'mend: no verdicts say what is to be mended',
    )
    await expect(open([gold], ['gold'])).rejects.toThrow(/weigh_by: "doubts" is not a stage of verdicts/)
    await expect(open([{ ...gold, phrases: 'words' }, verdicts])).rejects.toThrow(/of the phrases of "gold"/)
    const other = { ...dataset, storage: openStorage(join(folder, 'other')) }
    const elsewhere = { ...verdicts, dataset: { ...other, name: 'other' } }
    await expect(open([gold, elsewhere])).rejects.toThrow(/are of other pictures than those of gold/)
  })
})

it('all shards are doubted anew where one has changed: errors are learned of all', async () => {
  const dataset = await openDataset(url)
  const outputs = [
    await datasetOutput(dataset, 'grounding', 'gold'),
    await datasetOutput(dataset, 'proposals', 'boxes'),
  ]
  const place = { outputs: new Map(outputs.map((output) => [output.name, output])) }
  const made = async () =>
    (await runStage(doubtKind, stageAs(doubtKind, 'anew', ['gold', 'boxes']), place)).outcome
  expect(await made()).toMatchObject({ ran: 2, skipped: 0 })
  expect(await made()).toMatchObject({ ran: 0, skipped: 2 })
  const { inputs } = (await readCommit(storage, 'proposals', 'boxes', '00001')) ?? { inputs: {} }
  const fewer = ofShard(1).map(({ key, proposals }) => ({
    key,
    proposals: proposals.slice(1),
    teacher: 'seer',
  }))
  await putShard(storage, 'proposals', 'boxes', '00001', fewer, inputs)
  expect(await made()).toMatchObject({ ran: 2, skipped: 0 })
})
