import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { localHostLimiter } from '../../../src/ingest/fetch/local-host-limiter.js'
import type * as taskProcess from '../../../src/pipeline/engines/task-process.js'
import { type Task, taskProtocol } from '../../../src/pipeline/tasks/task.js'
import { compiled } from '../../helpers/compiled.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

// It starts a program that lies beside it.
const { startTaskProcess } = (await import(
  resolve(compiled, 'pipeline/engines/task-process.js')
)) as typeof taskProcess

describe('a process that is killed in the middle of a task', () => {
  it('is told of with what it was doing, and what that mostly means', async () => {
    const started = startTaskProcess({ kind: 'worker', limiter: localHostLimiter() })
    const names = { pipeline: 'none', session: 'none', stage: 'label', shard: '00003' }
    const task: Task = { v: taskProtocol, run: await temporaryFolder(), ...names }
    const ended = started.run(task, {})
    started.kill()
    await expect(ended).rejects.toThrow(
      'the process that made shard 00003 of "label" has ended (SIGKILL): where nobody killed it, the system had no memory left',
    )
    expect(started.isGone()).toBe(true)
  })
})
