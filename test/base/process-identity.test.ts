import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { isRunning, thisProcess } from '../../src/base/process-identity.js'

describe('who a process is', () => {
  it('knows that it runs itself', () => {
    expect(isRunning(thisProcess)).not.toBe(false)
  })

  it.runIf(process.platform === 'linux')(
    'tells a process from an earlier one of the same number, and one that has ended',
    async () => {
      expect(isRunning(thisProcess)).toBe(true)
      const earlier = thisProcess.started.replace(/\d+$/, (ticks) => String(Number(ticks) - 1))
      expect(isRunning({ ...thisProcess, started: earlier })).toBe(false)
      const child = spawn(process.execPath, ['-e', ''])
      await once(child, 'exit')
      expect(isRunning({ ...thisProcess, pid: child.pid as number })).toBe(false)
    },
  )

  it('cannot tell of another machine, boot or container', () => {
    expect(isRunning({ ...thisProcess, host: 'elsewhere' })).toBeUndefined()
    expect(isRunning({ ...thisProcess, started: 'x.1.2' })).toBeUndefined()
  })
})
