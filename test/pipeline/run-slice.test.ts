import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import type { RunOptions } from '../../src/pipeline/run-options.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readCommit } from '../../src/shards/commit.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { smallCrawl } from '../helpers/small-crawl.js'

const { folder, gold } = await smallCrawl()
const words = { name: 'words', uses: 'chunk', needs: ['gold'] }
const thin = { name: 'thin', uses: 'dedup', needs: ['gold'] }
const later = { name: 'later', uses: 'chunk', needs: ['thin'] }
const check = { name: 'check', uses: 'audit', needs: ['thin', 'gold'], with: { truth: 'gold' } }
const behind = { name: 'behind', uses: 'chunk', needs: ['gold', 'check'] }
const stages = [gold, words, thin, later, check, behind]

let count = 0
const newRun = () => join(folder, `run-${count++}`)
const pipelineOf = (all: readonly object[] = stages) => parsePipeline({ name: 'p', stages: all })

/** Runs a slice; what was made, and at which stages it stopped. */
async function slice(url: string, index: number, options: RunOptions = {}, all = stages) {
  const result = await runPipeline(await pipelineOf(all), url, { ...options, slice: { index, count: 2 } })
  const outcomes = [...result.outcomes].map(([name, { ran, skipped }]) => [name, [ran, skipped]])
  return {
    ...result,
    counts: Object.fromEntries(outcomes),
    stops: result.stopped.map(({ stage, at, why }) => [stage, at, why.slice(0, 8)]),
  }
}
const whole = async (url: string, only: readonly string[]) => runPipeline(await pipelineOf(), url, { only })

const lacking = 'shards o'
const atOnce = 'it takes'

describe('a slice of a run', () => {
  it('makes its shards, and stops where all of them are needed', async () => {
    const url = newRun()
    const first = await slice(url, 0)
    expect(first.counts).toEqual({ gold: [2, 0], words: [2, 0] })
    // Each behind it says which stage is to be run first.
    const at = (why: string) => ['thin', 'later', 'check', 'behind'].map((stage) => [stage, 'thin', why])
    expect(first.stops).toEqual(at(lacking))
    const made = openStorage(join(url, 'gold'))
    const has = async (shard: string) => (await readCommit(made, 'phrases', 'words', shard)) !== undefined
    expect(await Promise.all(['00000', '00001', '00002'].map(has))).toEqual([true, false, true])

    const second = await slice(url, 1)
    expect(second.counts).toEqual({ gold: [1, 0], words: [1, 0] })
    expect(second.stops).toEqual(at(atOnce))

    await whole(url, ['thin'])
    const third = await slice(url, 1)
    expect(third.counts).toEqual({ gold: [0, 1], words: [0, 1], later: [1, 0] })
    expect(third.stops).toEqual(['check', 'behind'].map((stage) => [stage, 'check', atOnce]))

    await whole(url, ['check'])
    const done = await slice(url, 1)
    expect(done.counts).toEqual({
      ...{ gold: [0, 1], words: [0, 1], later: [0, 1], check: [0, 1], behind: [1, 0] },
    })
    expect([done.stops, done.failed]).toEqual([[], 0])
    expect(done.outcomes.get('check')).toMatchObject({ failed: [], warnings: [], seconds: 0 })
  })

  it('tells of the stages that it runs alone', async () => {
    const told: string[] = []
    const options: RunOptions = {
      onStageStart: ({ name }) => told.push(`${name} begins`),
      onStageEnd: ({ name }, { ran }) => told.push(`${name} ends with ${ran}`),
    }
    await slice(newRun(), 0, options)
    expect(told).toEqual(['gold begins', 'gold ends with 2', 'words begins', 'words ends with 2'])
  })

  it('takes a shard of others for made only where it is made of the same, or kept for that', async () => {
    const url = newRun()
    await whole(url, ['thin'])
    const run = openStorage(join(url, 'gold'))
    const record = await readCommit(run, 'images', null, '00001')
    const write = (changes: object) =>
      run.write('images/00001.json', JSON.stringify({ ...record, ...changes }))
    const stopsAt = async () => (await slice(url, 0, {}, [gold, thin])).stops
    expect(await stopsAt()).toEqual([])
    await write({ configHash: 'older' })
    expect(await stopsAt()).toEqual([['thin', 'thin', lacking]])
    await write({ configHash: 'older', config: { kept_for: 'another' } })
    expect(await stopsAt()).toEqual([['thin', 'thin', lacking]])
    await write({ configHash: 'older', config: { kept_for: record?.configHash } })
    expect(await stopsAt()).toEqual([])
  })

  it('stops at a stage whose shards were made of another configuration', async () => {
    const url = newRun()
    await whole(url, ['check'])
    const other = { ...thin, with: { distance: 1 } }
    const { stops, counts } = await slice(url, 0, {}, [gold, words, other, later])
    expect(stops).toEqual([
      ['thin', 'thin', atOnce],
      ['later', 'thin', atOnce],
    ])
    expect(counts).toEqual({ gold: [0, 2], words: [2, 0] })
  })

  it('sets shards aside as a whole run does', async () => {
    const drawn = vi.spyOn(Math, 'random').mockReturnValue(-1)
    onTestFinished(() => drawn.mockRestore())
    const url = newRun()
    await whole(url, ['gold'])
    const run = openStorage(join(url, 'gold'))
    const record = await readCommit(run, 'images', null, '00002')
    await run.write(record?.files.images?.path as string, 'none')
    const result = await slice(url, 0, {}, [gold, words])
    expect(result.failed).toBe(1)
    expect(result.outcomes.get('words')).toMatchObject({ ran: 1, failed: [{ shard: '00002' }] })
  })

  it('ends where it is told to', async () => {
    const stopping = new AbortController()
    const reason = new Error('ctrl-c')
    const options = { signal: stopping.signal, onStageEnd: () => stopping.abort(reason) }
    await expect(slice(newRun(), 0, options)).rejects.toBe(reason)
  })
})

describe('a run in this process', () => {
  it('goes through the stages in their order, and finds all of them done again', async () => {
    const url = newRun()
    const told: string[] = []
    const options: RunOptions = {
      onStageStart: ({ name }) => told.push(`${name} begins`),
      onStageEnd: ({ name }) => told.push(`${name} ends`),
    }
    const once = await runPipeline(await pipelineOf(), url, options)
    const names = ['gold', 'words', 'thin', 'later', 'check', 'behind']
    expect(told).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]))
    expect(once).toMatchObject({ failed: 0, stopped: [] })
    const counts = (result: typeof once) =>
      [...result.outcomes.values()].map(({ ran, skipped }) => [ran, skipped])
    expect(counts(once)).toEqual([3, 3, 3, 3, 1, 3].map((ran) => [ran, 0]))
    const again = await runPipeline(await pipelineOf(), url)
    expect(counts(again)).toEqual([3, 3, 3, 3, 1, 3].map((skipped) => [0, skipped]))
  })

  it('ends between two stages where it is told to', async () => {
    const stopping = new AbortController()
    const reason = new Error('ctrl-c')
    const begun: string[] = []
    const options: RunOptions = {
      signal: stopping.signal,
      onStageStart: ({ name }) => begun.push(name),
      onStageEnd: () => stopping.abort(reason),
    }
    await expect(runPipeline(await pipelineOf(), newRun(), options)).rejects.toBe(reason)
    expect(begun).toEqual(['gold'])
  })
})
