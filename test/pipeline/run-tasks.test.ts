import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import type { RunOptions } from '../../src/pipeline/run-options.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { runTasks } from '../../src/pipeline/run-tasks.js'
import { readPresences } from '../../src/pipeline/tasks/read-presences.js'
import type { StageOutcome, TaskEnd } from '../../src/pipeline/tasks/run-stage.js'
import { lastPipeline } from '../../src/pipeline/tasks/stored-pipeline.js'
import { StageError } from '../../src/pipeline/tasks/task-error.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { type HandEngine, handEngine, resultWith } from '../helpers/hand-engine.js'
import { s3Server } from '../helpers/s3-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const server = await s3Server()
const list = join(folder, 'pairs.tsv')
const pairs = (count: number) =>
  `url\tcaption\n${Array.from({ length: count }, (_, at) => `http://127.0.0.1/${at}.jpg\ta dog\n`).join('')}`
await writeFile(list, pairs(6))

const ingest = (name: string, size = 2) => ({
  name,
  uses: 'ingest',
  with: { format: 'tsv', path: list, shard_size: size },
})
const web = ingest('web')
const words = { name: 'words', uses: 'chunk', needs: ['web'] }
const boxes = { name: 'boxes', uses: 'teach', needs: ['words'], with: { model: 'none' } }
const shards = ['00000', '00001', '00002']
const of = (stage: string) => shards.map((shard) => `${stage}/${shard}`)

let count = 0
const newRun = () => join(folder, `run-${count++}`)

/** Runs stages through an engine; what came of it. */
async function go(stages: readonly object[], engine: HandEngine, options: RunOptions = {}, url = newRun()) {
  const pipeline = await parsePipeline({ name: 'p', stages })
  return runPipeline(pipeline, url, { ...options, engine })
}

const counted = (outcomes: ReadonlyMap<string, StageOutcome>) =>
  Object.fromEntries(
    [...outcomes].map(([name, { ran, skipped, failed }]) => [name, [ran, skipped, failed.length]]),
  )

describe('a run through an engine', () => {
  it('takes a shard on before it begins the next one', async () => {
    const engine = handEngine(1)
    const { outcomes, failed, stopped } = await go([web, words, boxes], engine)
    expect(engine.names).toEqual(
      shards.flatMap((shard) => ['web', 'words', 'boxes'].map((stage) => `${stage}/${shard}`)),
    )
    expect([failed, stopped]).toEqual([0, []])
    expect(counted(outcomes)).toEqual({ web: [3, 0, 0], words: [3, 0, 0], boxes: [3, 0, 0] })
  })

  it('ends a branch where nothing came of a stage, and no other', async () => {
    const engine = handEngine(2, async ({ task }) => (task.stage === 'web' ? { out: 0 } : {}))
    const other = ingest('other')
    const chunks = { name: 'chunks', uses: 'chunk', needs: ['other'] }
    const { outcomes, failed, stopped } = await go([web, words, boxes, other, chunks], engine)
    expect([...new Set(engine.names.map((name) => name.split('/')[0]))].sort()).toEqual([
      'chunks',
      'other',
      'web',
    ])
    expect(counted(outcomes)).toEqual({ web: [3, 0, 0], other: [3, 0, 0], chunks: [3, 0, 0] })
    expect([...outcomes].filter(([, { nothing }]) => nothing !== undefined).map(([name]) => name)).toEqual([
      'web',
    ])
    const why = 'nothing came of it'
    expect([failed, stopped]).toEqual([
      0,
      [
        { stage: 'words', at: 'web', why },
        { stage: 'boxes', at: 'web', why },
      ],
    ])
  })

  it('says of each task what it is, what it wants and how early it comes', async () => {
    const engine = handEngine(1)
    const url = newRun()
    await go([web, words, boxes], engine, {}, `${url}/`)
    const run = openStorage(url)
    const [first, second, third] = engine.submitted
    expect(first?.task).toEqual({
      ...{ v: 2, run: run.path(''), pipeline: await lastPipeline(run), session: first?.task.session },
      ...{ stage: 'web', shard: '00000' },
    })
    expect(engine.submitted.slice(0, 3).map(({ resource }) => resource)).toEqual(['fetch', 'cpu', 'gpu'])
    expect([first, second, third].map((one) => one?.options.priority)).toEqual([0, 1, 2])
    expect(new Set(engine.submitted.map(({ task }) => task.session)).size).toBe(1)
    // What a worker has found out in one run is not taken for true in the next.
    const again = handEngine(1)
    await go([web], again, { retryFailed: 'all', drop: true }, url)
    expect(again.submitted[0]?.task).toMatchObject({ retry: 'all', drop: true })
    expect(again.submitted[0]?.task.session).not.toBe(first?.task.session)
    const neither = handEngine(1)
    await go([web], neither, { drop: false }, url)
    const keys = Object.keys(neither.submitted[0]?.task ?? {})
    expect(keys.filter((key) => ['drop', 'retry', 'missing'].includes(key))).toEqual([])
  })

  it('names a bucket by its address', async () => {
    const engine = handEngine(4)
    const url = server.url('run')
    await go([web], engine, {}, url)
    expect(engine.submitted[0]?.task.run).toBe(url)
  })

  it.each([1, 2, 5])('releases no more than %i at once, and as many where there are', async (window) => {
    let [now, most] = [0, 0]
    const engine = handEngine(window, async () => {
      now++
      most = Math.max(most, now)
      await turn()
      await turn()
      now--
      return {}
    })
    await go([ingest('web', 1), words], engine)
    expect(engine.names).toHaveLength(12)
    expect(most).toBe(window)
  })

  it('has a stage that needs all of another wait for its end, and tells it what is missing', async () => {
    const rules = [{ rule: 'frequency_score', rare: 0.1, common: 0.2, frequent: 0.3 }]
    const engine = handEngine(3, async ({ name }) => {
      await turn()
      if (name === 'words/00001') throw new Error('no such word')
      return {}
    })
    const { outcomes, failed } = await go(
      [
        web,
        words,
        boxes,
        { name: 'kept', uses: 'filter', needs: ['boxes'], with: { rules } },
        exported('kept'),
      ],
      engine,
    )
    expect(engine.names.slice(-3)).toEqual(['kept/00000', 'kept/00002', 'export'])
    expect(new Set(engine.names.slice(0, -3))).toEqual(
      new Set([...of('web'), ...of('words'), 'boxes/00000', 'boxes/00002']),
    )
    const missing = { words: ['00001'], boxes: ['00001'] }
    expect(engine.submitted.slice(-3).map(({ task }) => task.missing)).toEqual([
      // What it is without itself is known when its own shards are.
      { ...missing, kept: ['00001'] },
      { ...missing, kept: ['00001'] },
      { ...missing, kept: ['00001'] },
    ])
    // A shard that needs the same one alone is told of none.
    expect(engine.submitted.find(({ name }) => name === 'boxes/00002')?.task).not.toHaveProperty('missing')
    expect(engine.submitted.at(-1)?.task).not.toHaveProperty('shard')
    expect(failed).toBe(1)
    expect(outcomes.get('words')?.failed).toEqual([{ shard: '00001', error: 'no such word' }])
    expect(counted(outcomes)).toEqual({
      ...{ web: [3, 0, 0], words: [2, 0, 1], boxes: [2, 0, 0], kept: [2, 0, 0], export: [1, 0, 0] },
    })
  })

  it('does a stage whose shards come in their order as one task, which may set shards aside', async () => {
    const failed = [{ shard: '00002', error: 'cannot be read' }]
    const engine = handEngine(4, async ({ name }) => (name === 'thin' ? { failed } : {}))
    const thin = { name: 'thin', uses: 'dedup', needs: ['web'] }
    const { outcomes, failed: aside } = await go([web, thin, { ...words, needs: ['thin'] }], engine)
    expect(engine.names).toEqual([...of('web'), 'thin', 'words/00000', 'words/00001'])
    expect(counted(outcomes)).toEqual({ web: [3, 0, 0], thin: [1, 0, 1], words: [2, 0, 0] })
    expect(aside).toBe(1)
  })

  it('begins what needs nothing of another at once', async () => {
    const engine = handEngine(4, async () => {
      await turn()
      return {}
    })
    await go([web, ingest('more', 6), { ...words, needs: ['more'] }], engine)
    expect(new Set(engine.names.slice(0, 4))).toEqual(new Set([...of('web'), 'more/00000']))
  })

  it('counts what was there already, and gives each warning once', async () => {
    const engine = handEngine(2, async ({ name }) => ({
      skipped: name !== 'web/00001',
      warnings: ['a slow host', ...(name === 'web/00002' ? ['and another'] : [])],
    }))
    const { outcomes } = await go([web], engine)
    expect(outcomes.get('web')).toMatchObject({
      ran: 1,
      skipped: 2,
      warnings: ['a slow host', 'and another'],
    })
  })

  it('tells what goes on', async () => {
    const told: unknown[] = []
    const ends = new Map<string, TaskEnd>()
    const nameOf = (stage: string, shard: string | undefined) => [stage, shard].filter(Boolean).join('/')
    const engine = handEngine(1, async ({ name, options }) => {
      options.onProgress?.(1, 4, 'half')
      options.onNotice?.('on a cpu')
      if (name === 'web/00001') throw new Error('gone')
      return {}
    })
    const options: RunOptions = {
      onStageStart: ({ name }) => told.push(['begins', name]),
      onStageEnd: ({ name }, { ran }) => told.push(['ends', name, ran]),
      onTaskStart: ({ name }, shard) => told.push(['task', nameOf(name, shard)]),
      onTaskProgress: ({ name }, shard, done, total) => told.push(['at', nameOf(name, shard), done, total]),
      onProgress: ({ name }, done, total, note) => told.push(['of all', name, done, total, note]),
      onNotice: ({ name }, text) => told.push(['notice', name, text]),
      onTaskEnd: ({ name }, shard, end) => ends.set(nameOf(name, shard), end),
    }
    await go([web, exported('web')], engine, options)
    const task = (name: string, stage: string) => [
      ['task', name],
      ['at', name, 1, 4],
      // Of one thing the progress is that of the stage.
      ...(name === stage ? [['of all', stage, 1, 4, 'half']] : []),
      ['notice', stage, 'on a cpu'],
    ]
    // What this machine lacks is told first: its models may be where the work is done.
    const lacking = expect.stringContaining('not found here')
    expect(told).toEqual([
      ['notice', 'web', lacking],
      ['notice', 'web', lacking],
      ['begins', 'web'],
      ...of('web').flatMap((name) => task(name, 'web')),
      ['ends', 'web', 2],
      ['begins', 'export'],
      ...task('export', 'export'),
      ['ends', 'export', 1],
    ])
    expect([...ends.keys()]).toEqual([...of('web'), 'export'])
    expect(ends.get('web/00000')).toEqual(resultWith())
    expect(ends.get('web/00001')).toMatchObject({ message: 'gone' })
  })

  it('counts the tasks that are known, and those that have ended', async () => {
    const counts: string[] = []
    const engine = handEngine(1, async ({ name }) => {
      if (name === 'web/00001') throw new Error('gone')
      return {}
    })
    await go([web, words, exported('words')], engine, {
      onTasks: (done, total) => counts.push(`${done} of ${total}`),
    })
    // With a shard goes what needs it; what all are needed for is known when they have ended.
    expect([...new Set(counts)]).toEqual([
      '0 of 6',
      '1 of 6',
      '2 of 6',
      '4 of 6',
      '5 of 6',
      '6 of 6',
      '6 of 7',
    ])
  })

  it('removes what a writer that died has left, where a stage ends', async () => {
    const url = newRun()
    const run = openStorage(url)
    const left = [
      'web/images/00001-0123456789abcdef.parquet',
      'web/phrases/words/00000-0123456789abcdef.parquet',
    ]
    for (const name of left) await run.write(name, 'half')
    await go([web], handEngine(2), {}, url)
    expect(await Promise.all(left.map((name) => run.exists(name)))).toEqual([false, true])
    await go([web, words], handEngine(2), {}, url)
    expect(await run.exists(left[1] as string)).toBe(false)
  })

  it('lets shards of a source go only where that is asked for', async () => {
    const url = newRun()
    const short = { ...web, with: { ...web.with, limit: 4 } }
    await go([web], handEngine(2), {}, url)
    await expect(go([short], handEngine(2), {}, url)).rejects.toThrow('1 shard of 3')
    const engine = handEngine(2)
    await go([short], engine, { drop: true }, url)
    expect(engine.names).toEqual(['web/00000', 'web/00001'])
  })

  it('needs nobody to tell', async () => {
    const { stages } = await parsePipeline({ name: 'p', stages: [web, exported('web')] })
    const engine = handEngine(2, async ({ options }) => {
      options.onProgress?.(1, 2)
      options.onNotice?.('on a cpu')
      return {}
    })
    const { outcomes } = await runTasks('p', stages, newRun(), engine, {})
    expect(counted(outcomes)).toEqual({ web: [3, 0, 0], export: [1, 0, 0] })
  })

  it('runs some of the stages, with what they need', async () => {
    const engine = handEngine(8)
    const { outcomes } = await go([web, ingest('more'), words, boxes], engine, { only: ['words'] })
    expect([...outcomes.keys()]).toEqual(['web', 'words'])
    const priorities = new Map(engine.submitted.map(({ task, options }) => [task.stage, options.priority]))
    expect([...priorities]).toEqual([
      ['web', 0],
      ['words', 1],
    ])
    await expect(go([web], engine, { only: ['wob'] })).rejects.toThrow(UserError)
  })

  it('leaves word of what was set aside, and says nothing of what others do', async () => {
    const url = newRun()
    const engine = handEngine(1, async ({ name }) => {
      if (name === 'web/00001') throw new Error('gone')
      return {}
    })
    await go([web], engine, {}, url)
    expect(await readPresences(openStorage(url))).toMatchObject([
      {
        ...{ kind: 'run', state: 'ended', tasks: { made: 0, skipped: 0, failed: 1 } },
        failed: [{ stage: 'web', shard: '00001', error: 'gone' }],
      },
    ])
  })
})

function exported(needs: string) {
  // One task, which takes whatever it needs.
  return { name: 'export', uses: 'average', needs: [needs], with: { from: 'a', to: 'b', weight: 0.5 } }
}

describe('a run through an engine ends', () => {
  it.each([
    ['where no shard of a stage can be made', 'web/00000', new StageError('no such source')],
    ['where one thing cannot be made', 'export', new Error('cannot be written')],
    ['where what is one task fails', 'thin', new Error('cannot be read')],
  ])('%s', async (_, failing, error) => {
    const engine = handEngine(1, async ({ name }) => {
      if (name === failing) throw error
      return {}
    })
    const stages = [web, { name: 'thin', uses: 'dedup', needs: ['web'] }, exported('thin')]
    await expect(go(stages, engine)).rejects.toBe(error)
    expect(engine.names.at(-1)).toBe(failing)
  })

  it('when all that is under way has ended, which it is told to', async () => {
    const ended: string[] = []
    const error = new StageError('no such source')
    const engine = handEngine(3, async ({ name, options: { signal } }) => {
      if (name === 'web/00001') throw error
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      await turn()
      ended.push(name)
      throw signal?.reason
    })
    const stages = [ingest('web', 1), words]
    await expect(go(stages, engine)).rejects.toBe(error)
    expect(ended).toEqual(['web/00000', 'web/00002'])
    expect(engine.names).toHaveLength(3)
  })

  it('no sooner than what is under way', async () => {
    const { stages } = await parsePipeline({ name: 'p', stages: [web] })
    let ended = false
    const error = new StageError('no such source')
    const engine = handEngine(2, async ({ name }) => {
      if (name === 'web/00001') throw error
      for (let turns = 0; turns < 20; turns++) await turn()
      ended = true
      return {}
    })
    await expect(runTasks('p', stages, newRun(), engine, {})).rejects.toBe(error)
    expect(ended).toBe(true)
  })

  it('where it is told to, with the reason, and sets nothing aside', async () => {
    const url = newRun()
    const stopping = new AbortController()
    const reason = new Error('ctrl-c')
    const engine = handEngine(2, async ({ name, options: { signal } }) => {
      if (name === 'web/00001') stopping.abort(reason)
      signal?.throwIfAborted()
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      throw new Error('put back')
    })
    const set: unknown[] = []
    const options = { signal: stopping.signal, onTaskEnd: (...end: unknown[]) => void set.push(end) }
    await expect(go([web, words], engine, options, url)).rejects.toBe(reason)
    expect(engine.names).toEqual(['web/00000', 'web/00001'])
    expect(set).toEqual([])
    expect(await readPresences(openStorage(url))).toEqual([])
    // Where that was before it began, nothing is begun.
    await expect(go([web, words], engine, options, url)).rejects.toBe(reason)
    expect(engine.names).toHaveLength(2)
  })

  it('where the source cannot be read, and waits for what others have begun', async () => {
    const lost = { ...ingest('lost'), with: { format: 'tsv', path: join(folder, 'none.tsv') } }
    const none = handEngine(2)
    await expect(go([lost], none)).rejects.toThrow(UserError)
    expect(none.names).toEqual([])
    let ended = 0
    const later = join(folder, 'later.tsv')
    await writeFile(later, 'url\tcaption\nhttp://127.0.0.1/a.jpg\ta dog\n')
    const engine = handEngine(3, async ({ task, options: { signal } }) => {
      if (task.stage.startsWith('web')) {
        await rm(later, { force: true })
        return {}
      }
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      await turn()
      ended++
      return {}
    })
    // It begins when the first stages have ended, and then finds that its source is gone.
    const late = {
      ...{ name: 'late', uses: 'ingest', needs: ['web-1', 'web-2'] },
      with: { format: 'tsv', path: later },
    }
    const first = [ingest('web-1', 6), ingest('web-2', 6), ingest('more', 3)]
    await expect(go([...first, late], engine)).rejects.toThrow(UserError)
    expect([...engine.names].sort()).toEqual(['more/00000', 'more/00001', 'web-1/00000', 'web-2/00000'])
    expect(ended).toBe(2)
  })

  it('where most of its rows fail for reasons that may pass', async () => {
    const long = join(folder, 'long.tsv')
    await writeFile(long, pairs(600))
    const source = { name: 'web', uses: 'ingest', with: { format: 'tsv', path: long, shard_size: 150 } }
    const lost = { in: 150, out: 10, rejected: { http_503: 140 } }
    const engine = handEngine(1, async () => lost)
    await expect(go([source], engine)).rejects.toThrow('280 of 300 rows failed for reasons that may pass')
    expect(engine.names).toEqual(['web/00000', 'web/00001'])
    // Shards that stayed as they were count by what came of them now.
    const kept = handEngine(1, async () => ({
      ...resultWith({ in: 150, out: 150, skipped: true }),
      tried: lost,
    }))
    await expect(go([source], kept)).rejects.toThrow('280 of 300 rows failed')
    const well = handEngine(1, async () => ({ in: 150, out: 150, skipped: true }))
    expect(counted((await go([source], well)).outcomes)).toEqual({ web: [0, 4, 0] })
  })
})
