import { writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { processes } from '../../../src/pipeline/engines/processes.js'
import type { Task, TaskOptions } from '../../../src/pipeline/tasks/task.js'
import { tasksOf } from '../../helpers/fake-tasks.js'
import { soonDone } from '../../helpers/queue-here.js'
import { scriptChildren } from '../../helpers/scripted-children.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

await scriptChildren()
const folder = await temporaryFolder()

async function begin(count: number) {
  const run = await mkdtemp(join(folder, 'run-'))
  const warned: string[] = []
  const engine = processes(count, (text) => warned.push(text))
  onTestFinished(() => engine.close())
  const order: string[] = []
  /** Has a task made, and gives what its process says of itself. */
  const submit = async (name: string, options: TaskOptions = {}) => {
    const { counts } = await engine.submit(tasksOf(run, [name])[0] as Task, 'cpu', options)
    order.push(name)
    return counts
  }
  /** Has a task go on that waits. */
  const go = (which: string) => writeFileSync(join(run, `go-${which}`), '')
  /** When a task is begun. */
  const begun = (name: string) => {
    let done: Promise<unknown> = Promise.resolve()
    const waits = new Promise<void>((resolve) => {
      done = submit(name, { onNotice: () => resolve() })
      done.catch(() => {})
    })
    return { done: done as ReturnType<typeof submit>, waits: soonDone(waits) }
  }
  return { engine, warned, submit, go, begun, order }
}

describe('processes of this machine', () => {
  it('are started when tasks come, share the cores, and say at the end what their stages say', async () => {
    const { engine, warned, begun, submit, go } = await begin(2)
    expect(engine.window).toBe(2)
    const [a, b] = [begun('chunk/waits-a'), begun('chunk/waits-b')]
    await a.waits
    await b.waits
    const third = submit('chunk/c')
    go('a')
    go('b')
    const counts = [await soonDone(a.done), await soonDone(b.done), await soonDone(third)]
    expect(new Set(counts.map(({ pid }) => pid)).size).toBe(2)
    expect(counts[0]?.cores).toBe(Math.max(1, Math.floor(availableParallelism() / 2)))
    await soonDone(engine.close())
    expect(warned).toEqual(['the end', 'of worker'])
    expect((await begin(1)).warned).toEqual([])
    await processes(1).close()
  })

  it('have at least one core each', async () => {
    const { submit } = await begin(100_000)
    expect((await soonDone(submit('chunk/a'))).cores).toBe(1)
  })

  it('make shards of the stage that is open in them', async () => {
    const { begun, submit, go } = await begin(2)
    const [a, b] = [begun('chunk/waits-a'), begun('teach/waits-b')]
    await a.waits
    await b.waits
    go('a')
    const chunk = await soonDone(a.done)
    go('b')
    const teach = await soonDone(b.done)
    expect((await soonDone(submit('teach/c'))).pid).toBe(teach.pid)
    expect((await soonDone(submit('chunk/d'))).pid).toBe(chunk.pid)
    // Of neither: the one that waits for longest, in which that stage is open from then on.
    expect((await soonDone(submit('filter/e'))).pid).toBe(teach.pid)
    expect((await soonDone(submit('filter/f'))).pid).toBe(teach.pid)
  })

  it('give a place to who waits with the stage that is open there, or else to who came first', async () => {
    const { begun, submit, go, order } = await begin(1)
    const first = begun('chunk/waits-a')
    await first.waits
    const all = ['teach/b', 'filter/c', 'chunk/d'].map((name) => submit(name))
    go('a')
    for (const one of all) await soonDone(one)
    expect(order).toEqual(['chunk/waits-a', 'chunk/d', 'teach/b', 'filter/c'])
  })

  it('are replaced where they end on the way, and the task is tried again', async () => {
    const { engine, warned, submit } = await begin(1)
    const before = await soonDone(submit('chunk/a'))
    const again = await soonDone(submit('chunk/once-3'))
    expect(again.pid).not.toBe(before.pid)
    expect(again.runs).toBe(1)
    await soonDone(engine.close())
    expect(warned).toEqual(['the end', 'of worker'])
  })

  it('are replaced at once where another task waits', async () => {
    const { submit, order } = await begin(1)
    const both = [submit('chunk/once-3'), submit('chunk/b')]
    await soonDone(both[1] as Promise<unknown>)
    // The other one waits before it is tried again.
    expect(order).toEqual(['chunk/b'])
    await soonDone(both[0] as Promise<unknown>)
  })

  it('do not try again what the user must mend', async () => {
    const { submit } = await begin(1)
    await expect(soonDone(submit('chunk/fails-user'))).rejects.toEqual(new UserError('fails 1'))
    expect((await soonDone(submit('chunk/a'))).runs).toBe(2)
  })

  it('do not begin what is given up, and are free for others', async () => {
    const { begun, submit, go } = await begin(1)
    const first = begun('chunk/waits-a')
    await first.waits
    const interrupt = new AbortController()
    const given = submit('chunk/b', { signal: interrupt.signal })
    given.catch(() => {})
    interrupt.abort(new Error('interrupted'))
    go('a')
    await expect(soonDone(given)).rejects.toThrow('interrupted')
    const { runs } = await soonDone(submit('chunk/c'))
    expect(runs).toBe(2)
  })
})
