import { describe, expect, it } from 'vitest'
import type { GroundingRow, ProposalRow, RejectRow, VerdictRow } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { verifyConfig } from '../../src/verify/config.js'
import { type AskedPicture, boxVerdict, type Judge, phraseVerdict } from '../../src/verify/judge/judge.js'
import { type AskedStages, verifyShard } from '../../src/verify/verify-shard.js'
import { putShard } from '../helpers/put-shard.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'

const { storage } = await makeSmallDataset()
const shard = '00000'

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}
const read = async <F extends 'verdicts' | 'rejects' | 'proposals' | 'grounding' | 'phrases'>(
  family: F,
  stage: string,
) => collect(readShard(storage, family, stage, shard))

/** A judge that is as sure of a box as its teacher was, and remembers what it was asked. */
function trusting(asked: AskedPicture[], changes: Partial<Judge> = {}): Judge {
  return {
    ...{ name: 'trusting', parallel: 2, close: async () => {} },
    async judge(picture) {
      asked.push(picture)
      const verdicts = picture.questions.flatMap(({ phrase, boxes }) => [
        ...boxes.map((box) => boxVerdict('trusting', phrase, box, box.score)),
        phraseVerdict('trusting', phrase, boxes.length > 0 ? 1 : 0),
      ])
      return { verdicts, counts: { tokens: 3 } }
    },
    ...changes,
  }
}

async function verified(
  stage: string,
  asked: AskedStages,
  judge: Judge,
  keys: object = {},
  keepEvery?: number,
) {
  const config = { ...verifyConfig.parse({ judge: 'clip', model: 'none', ...keys }), ...asked }
  const task = { storage, stage, shard, configHash: JSON.stringify(keys), inputs: {} }
  return verifyShard({ ...task, ...(keepEvery !== undefined && { keepEvery }) }, config, async () => judge)
}

describe('the boxes that a judge is asked about', () => {
  it('are those of proposals within the picture, the best first; the rest is counted by why not', async () => {
    const asked: AskedPicture[] = []
    const { record } = await verified('few', { phrases: 'chunk', proposals: 'label-1' }, trusting(asked), {
      ...{ min: 0.3, max_boxes: 1 },
    })
    const proposals = (await read('proposals', 'label-1')) as ProposalRow[]
    const all = proposals.flatMap((row) => row.proposals)
    expect(record.in).toBe(all.length)
    expect(record.rejected.weak).toBe(all.filter(({ score }) => score < 0.3).length)
    expect(record.rejected.max_boxes).toBeGreaterThan(0)
    expect(record.out).toBe(record.in - (record.rejected.weak ?? 0) - (record.rejected.max_boxes ?? 0))
    const rows = (await read('verdicts', 'few')) as VerdictRow[]
    const boxes = rows.flatMap(({ verdicts }) => verdicts).filter(({ xyxy }) => xyxy)
    expect(boxes.length).toBe(record.out)
    for (const { key, questions } of asked)
      for (const { phrase, boxes: own } of questions) {
        const found = proposals.find((row) => row.key === key)?.proposals ?? []
        const scores = found.filter((one) => one.phrase === phrase).map(({ score }) => score)
        const best = Math.max(...scores)
        expect(own.map(({ score }) => score)).toEqual(best >= 0.3 ? [best] : [])
      }
    expect(record.stats.counts).toMatchObject({ judged_boxes: record.out, tokens: 3 * asked.length })
    const rejects = (await read('rejects', 'few')) as RejectRow[]
    const key = rejects[0]?.key
    const own = proposals.find((row) => row.key === key)?.proposals.length
    expect(rejects[0]?.detail).toMatch(new RegExp(`^[0-9]+ of ${own} boxes$`))
    expect(record.config).toEqual({ judge: 'clip', phrases: 'chunk', proposals: 'label-1' })
  })

  it('are those of a grounding and of proposals, an equal one once', async () => {
    const both: AskedPicture[] = []
    const stages = { phrases: 'chunk', grounding: 'round-1', proposals: 'label-1' }
    const { record } = await verified('both', stages, trusting(both), { min: 0 })
    const alone = await verified('alone', { phrases: 'chunk', proposals: 'label-1' }, trusting([]), {
      min: 0,
    })
    // What a filter keeps is among the proposals.
    expect([record.in, record.out]).toEqual([alone.record.in, alone.record.out])
    // Scored anew by a filter it has the better score.
    const scored = (await read('grounding', 'round-1')) as GroundingRow[]
    const regionsOf = ({ regions }: GroundingRow) => regions.map((region) => ({ ...region, score: 0.01 }))
    await putShard(
      ...([storage, 'grounding', 'anew', shard] as const),
      scored.map((row) => ({ ...row, regions: regionsOf(row) })),
    )
    const anew = await verified('rescored', { ...stages, grounding: 'anew' }, trusting([]), { min: 0.3 })
    const strong = await verified('strong', stages, trusting([]), { min: 0.3 })
    expect(anew.record.out).toBe(strong.record.out)
    const other = await verified('other', { ...stages, grounding: 'round-2' }, trusting([]), { min: 0 })
    expect(other.record.in).toBeGreaterThan(alone.record.in)
    expect(other.record.config).toMatchObject({ grounding: 'round-2', proposals: 'label-1' })
  })

  it('are cut off at the edge of the picture, and those beyond it are left', async () => {
    const rows = (await read('proposals', 'label-1')) as ProposalRow[]
    const changed = rows.map((row): ProposalRow => {
      const of = { phrase: 0, score: 0.5, label: null }
      const boxes = [
        [-5, -5, 9, 9],
        [1e4, 1e4, 2e4, 2e4],
        [0, 0, 9, 9],
      ] as const
      return { ...row, proposals: boxes.map((xyxy) => ({ ...of, xyxy })) }
    })
    await putShard(storage, 'proposals', 'edges', shard, changed)
    const asked: AskedPicture[] = []
    const { record } = await verified('cut', { phrases: 'chunk', proposals: 'edges' }, trusting(asked))
    // The first is the third then.
    expect(asked[0]?.questions[0]?.boxes.map(({ xyxy }) => xyxy)).toEqual([[0, 0, 9, 9]])
    expect(record.rejected).toEqual({ outside: rows.length })
    expect([record.in, record.out]).toEqual([2 * rows.length, rows.length])
  })

  it('are of a detector with a fixed list of labels those that it calls what the phrase names', async () => {
    const rows = (await read('proposals', 'label-1')) as ProposalRow[]
    const phrases = new Map((await read('phrases', 'chunk')).map((row) => [row.key, row.phrases]))
    const heads = [...phrases.values()].flatMap((own) => own.map(({ head }) => head))
    const [label = ''] = heads
    const changed = rows.map((row): ProposalRow => {
      const boxes = [label, 'zebra'].map((name, at) => ({ xyxy: [0, 0, 9, 9 + at] as const, label: name }))
      const own = phrases.get(row.key) ?? []
      return {
        ...row,
        proposals: own.flatMap((_, phrase) => boxes.map((box) => ({ ...box, phrase, score: 0.5 }))),
      }
    })
    const task = { storage, stage: 'fixed', shard, configHash: 'fixed', inputs: {} }
    await runShardTask(task, 'proposals', async (write) => ({
      files: { proposals: await write('proposals', changed), rejects: await write('rejects', []) },
      ...{ unit: 'proposals', in: 1, out: 1, rejected: {}, stats: emptyStats },
      config: { labels: [label, 'zebra'] },
    }))
    const asked: AskedPicture[] = []
    const { record } = await verified('named', { phrases: 'chunk', proposals: 'fixed' }, trusting(asked))
    const named = heads.filter((head) => head === label).length
    expect([record.in, record.out]).toEqual([2 * heads.length, named])
    expect(record.rejected).toEqual({ other_label: 2 * heads.length - named })
    const boxes = asked.flatMap(({ questions }) => questions.flatMap((one) => one.boxes))
    expect(boxes.map((one) => one.label)).toEqual(boxes.map(() => label))
  })

  it('must be of phrases that are there', async () => {
    const rows = (await read('proposals', 'label-1')) as ProposalRow[]
    const proposal = { phrase: 999, xyxy: [0, 0, 9, 9] as const, score: 1, label: null }
    await putShard(
      storage,
      'proposals',
      'astray',
      shard,
      rows.map((row) => ({ ...row, proposals: [proposal] })),
    )
    const stages = { phrases: 'chunk', proposals: 'astray' }
    await expect(verified('x', stages, trusting([]))).rejects.toThrow(/proposals "?astray/)
  })
})

describe('what a judge says', () => {
  const stages = { phrases: 'chunk', grounding: 'round-1' }

  it('may be nothing, with a reason that is counted', async () => {
    const { record } = await verified(
      'silent',
      stages,
      trusting([], {
        judge: async ({ questions }) => ({
          verdicts: [],
          unanswered: questions.map(({ boxes }) => ({
            ...{ boxes: boxes.length, reason: 'bad_answer', detail: 'no JSON' },
          })),
        }),
      }),
    )
    expect([record.out, record.rejected]).toEqual([0, { bad_answer: record.in }])
    const rejects = (await read('rejects', 'silent')) as RejectRow[]
    expect(new Set(rejects.map(({ key }) => key)).size).toBe(rejects.length)
    expect(rejects[0]).toMatchObject({ reason: 'bad_answer', detail: 'no JSON' })
  })

  it('is of every box that it was asked about', async () => {
    const forgetful = trusting([], { judge: async () => ({ verdicts: [] }) })
    await expect(verified('forgotten', stages, forgetful)).rejects.toThrow(
      /trusting was asked about \d+ boxes of picture \d+: \d+ have no verdict, and it says so of 0/,
    )
  })

  it('is not asked again of what was answered before it was stopped', async () => {
    const all: AskedPicture[] = []
    const calm = await verified('calm', stages, trusting(all))
    const before: AskedPicture[] = []
    const one = { ...trusting(before), parallel: 1 }
    const killed: Judge = {
      ...one,
      judge: async (picture) => {
        if (before.length > all.length / 2) throw new Error('killed')
        return one.judge(picture)
      },
    }
    await expect(verified('stopped', stages, killed, {}, 0)).rejects.toThrow('killed')
    const after: AskedPicture[] = []
    const { record } = await verified('stopped', stages, trusting(after), {}, 0)
    expect(after.length).toBeLessThan(all.length * 0.7)
    expect(record.files.verdicts?.sha256).toBe(calm.record.files.verdicts?.sha256)
    expect(record.stats).toEqual(calm.record.stats)
    expect((await storage.list('verdicts/stopped')).filter((name) => name.endsWith('.part'))).toEqual([])
    const { skipped } = await verified('stopped', stages, killed, {}, 0)
    expect(skipped).toBe(true)
  })
})
