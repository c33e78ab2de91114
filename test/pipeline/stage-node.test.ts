import { describe, expect, it } from 'vitest'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { type StageNode, stageNodes } from '../../src/pipeline/stage-node.js'
import { StageError } from '../../src/pipeline/tasks/task-error.js'
import { resultWith } from '../helpers/hand-engine.js'

const ingest = (name: string) => ({ name, uses: 'ingest', with: { format: 'tsv', path: `${name}.tsv` } })
const chunk = (name: string, ...needs: readonly string[]) => ({ name, uses: 'chunk', needs })

/** Nodes of stages by their names. */
async function nodesOf(...stages: readonly object[]) {
  const pipeline = await parsePipeline({ name: 'p', stages })
  const nodes = new Map(stageNodes(pipeline.stages).map((node) => [node.stage.name, node]))
  return (name: string): StageNode => {
    const found = nodes.get(name)
    if (!found) throw new Error(name)
    return found
  }
}

const shards = ['00000', '00001', '00002']
const open = (node: StageNode, missing: readonly string[] = [], names: readonly string[] = shards) =>
  node.open(names, { missing }, undefined)
/** All that can be taken now. */
function taken(node: StageNode): (number | 'whole')[] {
  const all: (number | 'whole')[] = []
  for (let next = node.take(); next !== 'none'; next = node.take()) all.push(next)
  return all
}
const progress = ({ settled, tasks }: StageNode) => [settled, tasks]

describe('the tasks of a stage', () => {
  it('are none before it is open, and can be taken once each', async () => {
    const web = (await nodesOf(ingest('web')))('web')
    expect([taken(web), progress(web), web.canEnd(), web.canOpen()]).toEqual([[], [0, 0], false, true])
    open(web)
    expect([web.canOpen(), progress(web)]).toEqual([false, [0, 3]])
    expect(taken(web)).toEqual([0, 1, 2])
    expect(taken(web)).toEqual([])
    for (const shard of [0, 1, 2]) {
      expect(web.canEnd()).toBe(false)
      web.made(shard, resultWith({ skipped: shard === 1 }))
      expect(progress(web)).toEqual([shard + 1, 3])
    }
    expect(web.canEnd()).toBe(true)
    expect(web.output()).toMatchObject({ name: 'web', config: web.stage.with, missing: [] })
    expect([web.canEnd(), web.canOpen(), web.state]).toEqual([false, false, 'ended'])
    expect(web.outcome()).toMatchObject({ ran: 2, skipped: 1, failed: [], warnings: [] })
    expect(web.outcome().seconds).toBeGreaterThan(0)
    expect(web.outcome().seconds).toBeLessThan(100)
  })

  it('come each once where there are many', async () => {
    const names = Array.from({ length: 3000 }, (_, index) => String(index).padStart(5, '0'))
    const nodes = await nodesOf(ingest('web'), chunk('words', 'web'))
    open(nodes('web'), [], names)
    open(nodes('words'), [], names)
    expect(taken(nodes('web'))).toEqual([...names.keys()])
    // Some are offered while others have long been taken.
    const found: (number | 'whole')[] = []
    for (let shard = 0; shard < 3000; shard++) {
      nodes('web').made(shard, resultWith())
      if (shard % 700 === 0) found.push(...taken(nodes('words')))
    }
    expect([...found, ...taken(nodes('words'))]).toEqual([...names.keys()])
  })

  it('wait for the same shard of the stage before, whose lack is passed on', async () => {
    const nodes = await nodesOf(ingest('web'), chunk('words', 'web'), chunk('more', 'web'))
    const [web, words, more] = [nodes('web'), nodes('words'), nodes('more')]
    expect(words.canOpen()).toBe(false)
    open(web)
    expect(words.canOpen()).toBe(true)
    open(words)
    expect([taken(words), words.canEnd()]).toEqual([[], false])
    web.made(2, resultWith())
    expect(taken(words)).toEqual([2])
    expect(web.setAside(0, new Error('gone'))).toBe(true)
    expect([taken(words), progress(words), progress(web)]).toEqual([[], [1, 3], [2, 3]])
    // One that is opened later finds what there is.
    open(more)
    expect([taken(more), progress(more)]).toEqual([[2], [1, 3]])
    web.made(1, resultWith())
    expect([taken(words), taken(more)]).toEqual([[1], [1]])
    words.made(1, resultWith())
    words.made(2, resultWith())
    expect([web, words].map((node) => node.canEnd())).toEqual([true, true])
    expect(words.output().missing).toEqual(['00000'])
    // It is no failure of its own.
    expect(words.outcome()).toMatchObject({ ran: 2, skipped: 0, failed: [] })
    expect(web.output().missing).toEqual(['00000'])
    expect(web.outcome().failed).toEqual([{ shard: '00000', error: 'gone' }])
  })

  it('wait for something to come of the stage before, and are not made where nothing did', async () => {
    const nodes = await nodesOf(ingest('web'), chunk('words', 'web'), chunk('more', 'words'))
    const [web, words, more] = [nodes('web'), nodes('words'), nodes('more')]
    open(web)
    open(words)
    open(more)
    web.made(0, resultWith({ out: 0 }))
    expect(taken(words)).toEqual([])
    web.made(1, resultWith({ out: 3 }))
    expect(taken(words)).toEqual([1, 0])
    web.made(2, resultWith({ out: 0 }))
    expect(taken(words)).toEqual([2])
    for (const shard of [0, 1, 2])
      words.made(shard, resultWith({ in: 4, out: 0, rejected: { not_english: 4 } }))
    expect([words.canEnd(), taken(more), words.emptyBehind]).toEqual([true, [], undefined])
    expect(words.sums).toMatchObject({ in: 12, out: 0, rejected: { not_english: 12 } })
    words.output()
    words.remark({ nothing: 'nothing came', warnings: [] })
    expect([words.isEmpty, more.emptyBehind, words.outcome().nothing]).toEqual([
      true,
      'words',
      'nothing came',
    ])
    more.stop('words')
    expect([more.state, more.canOpen(), more.canEnd(), more.stoppedAt]).toEqual([
      'ended',
      false,
      false,
      'words',
    ])
  })

  it('are not those of shards that were missing from the beginning', async () => {
    const nodes = await nodesOf(ingest('web'), chunk('words', 'web'))
    const [web, words] = [nodes('web'), nodes('words')]
    open(web, ['00001'])
    open(words, ['00001'])
    expect([taken(web), progress(web)]).toEqual([
      [0, 2],
      [1, 3],
    ])
    web.made(0, resultWith())
    web.made(2, resultWith())
    expect([taken(words), words.canEnd()]).toEqual([[0, 2], false])
    expect(web.output().missing).toEqual(['00001'])
  })

  it('are looked at again without harm', async () => {
    const nodes = await nodesOf(ingest('web'), chunk('words', 'web'))
    const [web, words] = [nodes('web'), nodes('words')]
    words.offer(0)
    open(web)
    open(words)
    web.made(0, resultWith())
    words.offer(0)
    words.offer(1)
    expect(taken(words)).toEqual([0])
    words.made(0, resultWith())
    words.offer(0)
    expect(taken(words)).toEqual([])
  })

  it('are one where its shards come in their order, or where it makes one thing', async () => {
    const thin = { name: 'thin', uses: 'dedup', needs: ['web'] }
    const out = { name: 'out', uses: 'export', needs: ['thin'], with: { format: 'coco' } }
    const nodes = await nodesOf(ingest('web'), thin, chunk('words', 'thin'), out)
    const [web, one, words] = [nodes('web'), nodes('thin'), nodes('words')]
    expect([web, one, words, nodes('out')].map(({ isOne }) => isOne)).toEqual([false, true, false, true])
    expect([web, one, words, nodes('out')].map(({ isWhole }) => isWhole)).toEqual([false, true, false, true])
    open(web)
    // It begins when all that it needs has ended, and is followed when it has ended itself.
    expect(one.canOpen()).toBe(false)
    for (const shard of [0, 1, 2]) web.made(shard, resultWith())
    expect(one.canOpen()).toBe(false)
    web.output()
    expect([one.canOpen(), progress(one)]).toEqual([true, [0, 0]])
    open(one, ['00000'])
    expect([words.canOpen(), progress(one), taken(one), taken(one)]).toEqual([false, [0, 1], ['whole'], []])
    expect(one.setAside(undefined, new Error('gone'))).toBe(false)
    expect(one.canEnd()).toBe(false)
    const failed = [{ shard: '00002', error: 'cannot be read' }]
    one.made(undefined, resultWith({ failed }))
    expect([progress(one), one.canEnd(), words.canOpen()]).toEqual([[1, 1], true, false])
    expect(one.output().missing).toEqual(['00000', '00002'])
    expect(one.outcome()).toMatchObject({ ran: 1, failed })
    expect(words.canOpen()).toBe(true)
    open(words, ['00000', '00002'])
    expect(taken(words)).toEqual([1])
  })

  it('wait for all of several datasets, whose shards have nothing to do with one another', async () => {
    const nodes = await nodesOf(ingest('web'), ingest('more'), chunk('words', 'web', 'more'))
    const [web, more, words] = [nodes('web'), nodes('more'), nodes('words')]
    expect(words.isWhole).toBe(true)
    expect(web.followers).toEqual([])
    open(web, shards)
    open(more, shards)
    web.output()
    expect(words.canOpen()).toBe(false)
    more.output()
    expect(words.canOpen()).toBe(true)
    open(words)
    expect(taken(words)).toEqual([0, 1, 2])
  })

  it('follow one dataset where the other need is one thing', async () => {
    const train = { name: 'model', uses: 'train', needs: ['web'] }
    const teach = { name: 'boxes', uses: 'teach', needs: ['words', 'model'] }
    const nodes = await nodesOf(ingest('web'), chunk('words', 'web'), train, teach)
    const [web, words, model, boxes] = [nodes('web'), nodes('words'), nodes('model'), nodes('boxes')]
    expect(boxes.isWhole).toBe(false)
    expect([words.followers, model.followers]).toEqual([[boxes], []])
    open(web)
    open(words)
    expect(boxes.canOpen()).toBe(false)
    for (const shard of [0, 1, 2]) web.made(shard, resultWith())
    web.output()
    open(model, [], [])
    model.made(undefined, resultWith())
    expect(boxes.canOpen()).toBe(false)
    model.output()
    expect(boxes.canOpen()).toBe(true)
    open(boxes)
    expect(taken(boxes)).toEqual([])
    words.made(1, resultWith())
    expect(taken(boxes)).toEqual([1])
  })
})

describe('a stage', () => {
  it('is not gone on without where none of its shards can be made', async () => {
    const web = (await nodesOf(ingest('web')))('web')
    open(web)
    expect(web.setAside(0, new StageError('no such source'))).toBe(false)
    expect(web.setAside(0, Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toBe(false)
    expect([web.outcome().failed, progress(web)]).toEqual([[], [0, 3]])
  })

  it('gives each warning once', async () => {
    const web = (await nodesOf(ingest('web')))('web')
    open(web)
    web.warn('few rows')
    web.warn('slow')
    web.made(0, resultWith({ warnings: ['slow', 'slower'] }))
    web.made(1, resultWith({ warnings: ['slower'] }))
    expect(web.outcome().warnings).toEqual(['few rows', 'slow', 'slower'])
  })

  it('has what looks at its sums told of each task, before it looks', async () => {
    const web = (await nodesOf(ingest('web')))('web')
    const seen: unknown[] = []
    const watch = {
      add: (sums: { readonly in: number }) => void seen.push(sums.in),
      check: () => void seen.push(progress(web)),
    }
    web.open(shards, { missing: [] }, watch)
    web.made(0, resultWith({ in: 5 }))
    const tried = { in: 7, out: 1, rejected: {} }
    web.made(1, resultWith({ in: 6, tried }))
    expect(seen).toEqual([5, [1, 3], 7, [2, 3]])
  })

  it('that names another is not followed by it, and waits for its end', async () => {
    const teacher = { name: 'teacher', uses: 'train', needs: ['gold'], with: { vocabulary: ['web'] } }
    const nodes = await nodesOf(ingest('gold'), ingest('web'), teacher)
    expect(nodes('teacher').named).toEqual([nodes('web')])
    expect(nodes('teacher').needs).toEqual([nodes('gold')])
  })

  it('needs none of the stages that are not run', async () => {
    const pipeline = await parsePipeline({ name: 'p', stages: [ingest('web'), chunk('words', 'web')] })
    const [words] = stageNodes(pipeline.stages.slice(1))
    expect(words?.needs).toEqual([])
    expect(words?.canOpen()).toBe(true)
  })
})
