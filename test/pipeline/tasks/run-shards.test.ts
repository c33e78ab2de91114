import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import type { OpenStage } from '../../../src/pipeline/stages/stage-kind.js'
import { runShards, type ShardRun } from '../../../src/pipeline/tasks/run-shards.js'
import { addSums, noSums, sumsOfRecord } from '../../../src/pipeline/tasks/shard-sums.js'
import { StageError } from '../../../src/pipeline/tasks/task-error.js'
import type { ShardResult } from '../../../src/shards/shard-task.js'
import { emptyStats } from '../../../src/statistics/stats.js'
import { recordWith } from '../../helpers/shard-records.js'

const shards = ['0', '1', '2']
const sums = (counts: Readonly<Record<string, number>>) => ({
  ...{ in: 5, out: 3, rejected: { dns: 2 }, relabelled: { agreement: 1 } },
  stats: { ...emptyStats, counts },
})
const result = (changes: Partial<ShardResult> = {}): ShardResult => ({
  ...{ record: recordWith(sums({ boxes: 4 })), skipped: false },
  ...changes,
})

/** A stage whose shards of ten rows come to what is given for them: an error, or a result. */
function stageOf(ends: Readonly<Record<string, Error | ShardResult>> = {}) {
  const made: string[] = []
  const stage: OpenStage = {
    rows: async (shard) => (shard === '1' ? undefined : 10),
    async make(shard, { onProgress, signal }) {
      signal?.throwIfAborted()
      made.push(shard)
      onProgress?.(4)
      const end = ends[shard] ?? result()
      if (end instanceof Error) throw end
      return end
    },
    inputs: async () => ({}),
    close: async () => {},
  }
  return { stage, made }
}

beforeEach(() => {
  // Pauses between tries are drawn; with this draw there are none.
  const drawn = vi.spyOn(Math, 'random').mockReturnValue(-1)
  onTestFinished(() => drawn.mockRestore())
})

describe('the shards of a stage', () => {
  it('are made one after another, and add up', async () => {
    const { stage, made } = stageOf({ '1': result({ skipped: true }) })
    const outcome = await runShards(stage, shards, {})
    expect(made).toEqual(shards)
    expect(outcome).toEqual({
      sums: { in: 15, out: 9, rejected: { dns: 6 }, relabelled: { agreement: 3 }, counts: { boxes: 12 } },
      ...{ ran: 2, skipped: 1, failed: [] },
    })
    expect(await runShards(stage, [], {})).toEqual({ sums: noSums, ran: 0, skipped: 0, failed: [] })
  })

  it('tell how many rows are done of all, and of their own', async () => {
    const told: unknown[] = []
    const run: ShardRun = {
      onProgress: (done, total) => told.push([done, total]),
      onStart: (shard) => told.push(shard),
      onShardProgress: (shard, done, total) => told.push([shard, done, total]),
      onEnd: (shard, end) => told.push([shard, end instanceof Error ? end.message : end.skipped]),
    }
    await runShards(
      stageOf({ '0': result({ skipped: true }), '1': new UserError('gone') }).stage,
      shards,
      run,
    )
    expect(told).toEqual([
      ...['0', [4, 20], ['0', 4, 10], ['0', true], [10, 20]],
      // Of one whose inputs are not there the rows are not known.
      ...['1', [14, 20], ['1', 4, 0], ['1', 'gone'], [10, 20]],
      ...['2', [14, 20], ['2', 4, 10], ['2', false], [20, 20]],
    ])
  })

  it('are set aside where they keep failing, and the rest goes on', async () => {
    const { stage, made } = stageOf({ '1': new Error('no such word') })
    const outcome = await runShards(stage, shards, {})
    expect(made).toEqual(['0', '1', '1', '1', '2'])
    expect(outcome).toMatchObject({ ran: 2, failed: [{ shard: '1', error: 'no such word' }] })
    expect(outcome.sums.in).toBe(10)
  })

  it.each([
    ['where the others would fail as well', new StageError('no such model'), {}],
    ['where that is asked for', new UserError('no such word'), { stopAtFailure: true }],
  ])('end with the first %s', async (_, error, run) => {
    const { stage, made } = stageOf({ '1': error })
    await expect(runShards(stage, shards, run)).rejects.toBe(error)
    expect(made).toEqual(['0', '1'])
  })

  it('end when they are told to, and none of them is set aside', async () => {
    const stopping = new AbortController()
    const { signal } = stopping
    const reason = new Error('ctrl-c')
    const ends: string[] = []
    const { stage, made } = stageOf()
    const onEnd = (shard: string) => {
      ends.push(shard)
      stopping.abort(reason)
    }
    await expect(runShards(stage, shards, { signal, onEnd })).rejects.toBe(reason)
    expect([made, ends]).toEqual([['0'], ['0']])
    // One that fails because of that has not failed.
    const late = new AbortController()
    const failing = stageOf({ '0': new UserError('put back') })
    const onProgress = () => late.abort(reason)
    await expect(runShards(failing.stage, shards, { signal: late.signal, onProgress })).rejects.toBe(reason)
  })

  it('are begun beside those that wait for others, four at most, which end with one that ends all', async () => {
    const log: string[] = []
    const waiting = new Map<string, (error?: Error) => void>()
    const { stage } = stageOf()
    const slow: OpenStage = {
      ...stage,
      rows: async () => 10,
      async make(shard, { onWaiting, onProgress, signal }) {
        log.push(shard)
        // The third says nothing, and nobody goes past it until it is done.
        if (shard !== '2') onWaiting?.()
        await new Promise<void>((resolve, reject) => {
          waiting.set(shard, (error) => (error ? reject(error) : resolve()))
          signal?.addEventListener('abort', () => reject(signal.reason))
        })
        onProgress?.(10)
        return result()
      },
    }
    const turn = () => new Promise((resolve) => setTimeout(resolve, 5))
    const six = ['0', '1', '2', '3', '4', '5']
    const progress: number[] = []
    const running = runShards(slow, six, { onProgress: (done) => progress.push(done) })
    await turn()
    expect(log).toEqual(['0', '1', '2'])
    waiting.get('2')?.()
    await turn()
    expect(log).toEqual(['0', '1', '2', '3', '4'])
    waiting.get('0')?.()
    await turn()
    expect(log.at(-1)).toBe('5')
    for (const end of waiting.values()) end()
    expect(await running).toMatchObject({ ran: 6, failed: [] })
    expect(progress).toEqual([...progress].sort((a, b) => a - b))

    log.length = 0
    const error = new StageError('no such model')
    const ended = runShards(slow, six, {})
    await turn()
    waiting.get('1')?.(error)
    await expect(ended).rejects.toBe(error)
    expect(log).toEqual(['0', '1', '2'])
  })

  it('are looked at as they are made, by what came of them now', async () => {
    const seen: unknown[] = []
    const watch = {
      add: ({ in: rows, skipped }: { readonly in: number; readonly skipped?: boolean }) =>
        void seen.push([rows, skipped]),
      check: () => void seen.push('check'),
    }
    const tried = recordWith({ ...sums({}), in: 7 })
    const { stage } = stageOf({ '1': new UserError('gone'), '2': result({ skipped: true, tried }) })
    await runShards(stage, shards, { watch })
    expect(seen).toEqual([[5, false], 'check', 'check', [7, undefined], 'check'])
    const error = new Error('most rows failed')
    const check = () => {
      throw error
    }
    await expect(runShards(stageOf().stage, shards, { watch: { ...watch, check } })).rejects.toBe(error)
  })
})

describe('sums', () => {
  it('are those of records, older ones without what came of rules', () => {
    const { relabelled: _, ...older } = recordWith(sums({ boxes: 4 }))
    const read = sumsOfRecord(older)
    expect(read).toEqual({ in: 5, out: 3, rejected: { dns: 2 }, relabelled: {}, counts: { boxes: 4 } })
    expect(
      addSums(read, { ...noSums, in: 1, out: 2, rejected: { http_404: 1 }, counts: { boxes: 1, rows: 2 } }),
    ).toEqual({
      ...{ in: 6, out: 5, rejected: { dns: 2, http_404: 1 }, relabelled: {}, counts: { boxes: 5, rows: 2 } },
    })
  })
})
