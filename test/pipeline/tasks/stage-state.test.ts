import { describe, expect, it } from 'vitest'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import type { PresentTask } from '../../../src/pipeline/tasks/presence-record.js'
import type { KnownPresence } from '../../../src/pipeline/tasks/read-presences.js'
import { runMetrics } from '../../../src/pipeline/tasks/run-metrics.js'
import { runState, workersOf } from '../../../src/pipeline/tasks/run-state.js'
import type { StageTasks } from '../../../src/pipeline/tasks/stage-tasks.js'
import { parsePrometheusText } from '../../helpers/prometheus-text.js'

const pipeline = await parsePipeline({
  name: 'p',
  stages: [
    { name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'l.tsv' } },
    { name: 'words', uses: 'chunk', needs: ['web'] },
    { name: 'model', uses: 'train', needs: ['web'] },
    { name: 'out', uses: 'export', needs: ['web'], with: { format: 'coco', out: '/out' } },
  ],
})

type Known = Readonly<Record<string, Omit<StageTasks, 'stage'>>>

/** What a run is said to be, of some of its stages. */
const stateOf = (known: Known, processes: readonly KnownPresence[] = []) => {
  const tasks = pipeline.stages
    .filter(({ name }) => Object.hasOwn(known, name))
    .map((stage) => [stage.name, { stage, ...known[stage.name] }] as const)
  return runState('/run', { hash: 'h', pipeline }, new Map(tasks), processes)
}
const stageOf = (name: string, known: Omit<StageTasks, 'stage'>, processes?: readonly KnownPresence[]) =>
  stateOf({ [name]: known }, processes).stages[0]

const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const at = (stage: string, shard?: string, done = 0, total = 0): PresentTask => ({
  ...{ stage, since: time(0), done, total },
  ...(shard !== undefined && { shard }),
})
const process = (changes: Partial<KnownPresence> = {}): KnownPresence => ({
  ...{ host: 'h', pid: 1, started: 'x', kind: 'worker', pipeline: 'h', since: time(0), beat: time(0) },
  ...{ rows: 0, tasks: { made: 0, skipped: 0, failed: 0 }, rate: 0, failed: [], file: 'f', state: 'alive' },
  ...changes,
})
const shards = (...names: readonly string[]) => new Set(names)
const four = shards('0', '1', '2', '3')

describe('a stage of shards', () => {
  it('has as many to do as nobody has made, works on or has set aside', () => {
    const processes = [
      process({ task: at('words', '1'), rate: 4 }),
      process({ task: at('words', '2'), rate: 2 }),
      // Two at one shard are at one task.
      process({ task: at('words', '2'), rate: 1 }),
      process({ task: at('web', '3'), rate: 8 }),
      process({ failed: [{ stage: 'words', shard: '3', error: 'e' }], state: 'ended' }),
    ]
    const words = stageOf('words', { shards: four, done: shards('0') }, processes)
    expect(words).toEqual({
      ...{ name: 'words', uses: 'chunk', total: 4, done: 1, underWay: 2, setAside: 1, toDo: 0, rate: 7 },
    })
    const quiet = stageOf('words', { shards: four, done: shards('0') })
    expect(quiet).toMatchObject({ underWay: 0, setAside: 0, toDo: 3, rate: 0 })
  })

  it('is not under way where the shard is there already', () => {
    const words = stageOf('words', { shards: four, done: four, isDone: true }, [
      process({ task: at('words', '1'), rate: 4 }),
    ])
    expect(words).toMatchObject({ underWay: 0, toDo: 0, rate: 4, workSeconds: 0 })
    expect(words).not.toHaveProperty('secondsLeft')
  })

  it('is not under way where that shard is there and others are not', () => {
    const processes = [process({ task: at('words', '1') }), process({ task: at('words', '2') })]
    const words = stageOf('words', { shards: four, done: shards('1'), isDone: false }, processes)
    expect(words).toMatchObject({ underWay: 1, toDo: 2 })
  })

  it('says nothing of what is not known yet', () => {
    const words = stageOf('words', {}, [process({ task: at('words', '1') })])
    expect(words).toEqual({ name: 'words', uses: 'chunk', underWay: 1, setAside: 0, rate: 0 })
    const unplanned = stageOf('words', { done: shards() })
    expect(unplanned).toEqual({ name: 'words', uses: 'chunk', done: 0, underWay: 0, setAside: 0, rate: 0 })
  })

  it('takes as long as its shards took, those under way as much as is left of them', () => {
    const known = { shards: four, done: shards('0'), meanSeconds: 10 }
    expect(stageOf('words', known)).toMatchObject({ workSeconds: 30 })
    expect(stageOf('words', known)).not.toHaveProperty('secondsLeft')
    const processes = [
      process({ task: at('words', '1', 3, 4) }),
      // Of no rows it is not known how far it is.
      process({ task: at('words', '2', 0, 0) }),
    ]
    expect(stageOf('words', known, processes)).toMatchObject({ workSeconds: 22.5, secondsLeft: 11.25 })
    // More than all is no less than nothing.
    const over = [process({ task: at('words', '1', 9, 4) })]
    expect(stageOf('words', known, over)).toMatchObject({ workSeconds: 20, secondsLeft: 20 })
    // Of shards a rate says nothing: they are not all there is.
    const { meanSeconds: _, ...never } = known
    const rated = [process({ task: at('words', '1', 3, 4), rate: 1 })]
    expect(stageOf('words', never, rated)).not.toHaveProperty('workSeconds')
    expect(stageOf('words', { meanSeconds: 10 }, rated)).not.toHaveProperty('workSeconds')
  })
})

describe('a stage of one task', () => {
  it('is done, to do or under way', () => {
    expect(stageOf('model', { isDone: false })).toMatchObject({ total: 1, done: 0, underWay: 0, toDo: 1 })
    expect(stageOf('model', { isDone: true })).toMatchObject({ total: 1, done: 1, toDo: 0, workSeconds: 0 })
    const busy = [process({ task: at('model', undefined, 5, 10) })]
    expect(stageOf('model', { isDone: false }, busy)).toMatchObject({ underWay: 1, toDo: 0 })
    expect(stageOf('model', { isDone: true }, busy)).toMatchObject({ underWay: 0, toDo: 0 })
    // Of what lies elsewhere nobody knows.
    const out = stageOf('out', { isDone: undefined })
    expect(out).toEqual({ name: 'out', uses: 'export', total: 1, underWay: 0, setAside: 0, rate: 0 })
  })

  it('takes as long as its own rate says', () => {
    const at5 = (rate: number, done = 5) => [process({ task: at('model', undefined, done, 10), rate })]
    expect(stageOf('model', { isDone: false }, at5(0.5))).toMatchObject({ workSeconds: 10, secondsLeft: 10 })
    expect(stageOf('model', { isDone: false }, at5(0.5, 12))).toMatchObject({ workSeconds: 0 })
    expect(stageOf('model', { isDone: false }, at5(0))).not.toHaveProperty('workSeconds')
    expect(stageOf('model', { isDone: false })).not.toHaveProperty('workSeconds')
  })
})

describe('who does tasks', () => {
  it('is who lives, and not who has others do them', () => {
    const [idle, busy, worker] = [
      process({ kind: 'run' }),
      process({ kind: 'run', task: at('web', '0') }),
      process({ state: 'silent' }),
    ]
    const [dead, ended] = [process({ state: 'dead' }), process({ state: 'ended' })]
    expect(workersOf([idle, busy, worker, dead, ended])).toEqual([busy, worker])
    // Alone, it is all there is.
    expect(workersOf([idle, dead])).toEqual([idle])
  })
})

describe('a run', () => {
  const done = { shards: four, done: four, isDone: true, meanSeconds: 10 }

  it('is done where all of it is there and nobody works on it', () => {
    expect(stateOf({ web: done, model: { isDone: true } })).toMatchObject({
      ...{ run: '/run', pipeline: { name: 'p', hash: 'h' }, isDone: true, isAtLeast: false },
    })
    // What lies elsewhere keeps nobody waiting, unless it is being made.
    expect(stateOf({ web: done, out: { isDone: undefined } })).toMatchObject({
      isDone: true,
      isAtLeast: false,
    })
    const making = [process({ task: at('out') })]
    expect(stateOf({ out: { isDone: undefined } }, making)).toMatchObject({ isDone: false, isAtLeast: true })
    expect(stateOf({ web: { ...done, done: shards('0') } }).isDone).toBe(false)
    // Not planned is not done.
    expect(stateOf({ web: done, words: { done: shards() } }).isDone).toBe(false)
    expect(stateOf({ model: { isDone: false } }, [process({ task: at('model') })]).isDone).toBe(false)
  })

  it('takes as long as its stages, shared by those who work', () => {
    const known = { web: { ...done, done: shards('0') }, words: { ...done, done: shards() } }
    expect(stateOf(known)).not.toHaveProperty('secondsLeft')
    expect(stateOf(known, [process()])).toMatchObject({ secondsLeft: 70, isAtLeast: false })
    expect(stateOf(known, [process(), process(), process({ state: 'dead' })]).secondsLeft).toBe(35)
    const unknown = { ...known, model: { isDone: false } }
    expect(stateOf(unknown, [process()])).toMatchObject({ secondsLeft: 70, isAtLeast: true })
  })

  it('names what was set aside, and nobody has made or works on since', () => {
    const error = (stage: string, shard: string | undefined, text: string) => ({
      ...{ stage, error: text },
      ...(shard !== undefined && { shard }),
    })
    const failed = [
      ...['0', '1', '2'].map((shard) => error('words', shard, 'old')),
      error('model', undefined, 'no memory'),
      error('gone', '0', 'of a stage that is no more'),
    ]
    const processes = [
      process({ beat: time(5), failed, state: 'ended' }),
      process({ beat: time(9), failed: [error('words', '2', 'new')], state: 'ended' }),
      process({ beat: time(7), failed: [error('words', '2', 'middle')], state: 'ended' }),
      process({ task: at('words', '1') }),
      // Who is dead works on nothing.
      process({ task: at('words', '2'), state: 'dead' }),
    ]
    const known = { words: { shards: four, done: shards('0') }, model: { isDone: false } }
    const state = stateOf(known, processes)
    expect(state.setAside).toEqual([error('words', '2', 'new'), error('model', undefined, 'no memory')])
    expect(state.stages.map(({ setAside }) => setAside)).toEqual([1, 1])
    expect(stateOf({ ...known, model: { isDone: true } }, processes).setAside).toHaveLength(1)
    expect(stateOf({ model: { isDone: undefined } }, processes).setAside).toHaveLength(1)
    expect(stateOf({ words: {} }, processes).setAside.map(({ shard }) => shard)).toEqual(['0', '2'])
    // While something is set aside it is not done, though nothing is to do.
    const last = [process({ failed: [error('words', '3', 'e')], state: 'ended' })]
    const three = { shards: four, done: shards('0', '1', '2') }
    expect(stateOf({ words: three }, last)).toMatchObject({ isDone: false, stages: [{ toDo: 0 }] })
  })

  it('is told as metrics of its stages and processes', async () => {
    const metrics = runMetrics()
    const processes = [
      process({ task: at('words', '1'), rate: 4 }),
      process({ state: 'silent' }),
      process({ state: 'dead' }),
      process({ kind: 'run', state: 'ended' }),
    ]
    const valuesOf = async () => {
      const found: Record<string, number> = {}
      for (const [name, { samples }] of parsePrometheusText(await metrics.registry.text()))
        for (const { labels, value } of samples)
          if (name.startsWith('groundmill'))
            found[[name.slice(15), ...Object.values(labels)].join(' ')] = value
      return found
    }
    metrics.set(
      stateOf(
        { words: { shards: four, done: shards('0'), meanSeconds: 10 }, out: { isDone: undefined } },
        processes,
      ),
    )
    expect(await valuesOf()).toEqual({
      ...{
        'tasks words done': 1,
        'tasks words under_way': 1,
        'tasks words set_aside': 0,
        'tasks words to_do': 2,
      },
      // Of what lies elsewhere it is not known whether it is there.
      ...{ 'tasks out under_way': 0, 'tasks out set_aside': 0, 'rate words': 4, 'rate out': 0 },
      ...{ 'processes worker alive': 2, 'processes worker dead': 1, 'processes run ended': 1 },
      time_left_seconds: 15,
    })
    metrics.set(stateOf({ words: { shards: four, done: four } }))
    expect(await valuesOf()).toEqual({
      ...{
        'tasks words done': 4,
        'tasks words under_way': 0,
        'tasks words set_aside': 0,
        'tasks words to_do': 0,
      },
      'rate words': 0,
    })
  })
})
