import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { asideOwner, asidePath } from '../../src/base/files/write-file-atomic.js'
import { processState, thisProcess } from '../../src/base/process-identity.js'

/** The instant at which a process began, as proc(5) has it in field 22. */
const startOf = async ({ pid }: ChildProcess) =>
  (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')[19]

describe('a process', () => {
  it('is told from others of its number, and from those elsewhere', async () => {
    const place = thisProcess.started.slice(0, 8)
    expect(thisProcess.host).toBe(hostname().replaceAll('.', '_'))
    expect(await processState(thisProcess)).toBe('alive')
    expect(await processState({ ...thisProcess, started: `${place}t1` })).toBe('gone')
    expect(await processState({ ...thisProcess, host: 'far' })).toBe('elsewhere')
    expect(await processState({ ...thisProcess, started: `01234567${thisProcess.started.slice(8)}` })).toBe(
      'elsewhere',
    )
  })

  it.runIf(process.platform === 'linux')(
    'lives while it is stopped, and is gone once it is killed',
    async () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
      await once(child, 'spawn')
      const identity = {
        ...thisProcess,
        pid: child.pid ?? 0,
        started: `${thisProcess.started.slice(0, 8)}t${await startOf(child)}`,
      }
      expect(await processState(identity)).toBe('alive')
      child.kill('SIGSTOP')
      expect(await processState(identity)).toBe('alive')
      for (const start of ['', '1'])
        expect(
          await processState({ ...identity, started: `${thisProcess.started.slice(0, 8)}t${start}` }),
        ).toBe('gone')
      child.kill('SIGKILL')
      await once(child, 'exit')
      expect(await processState(identity)).toBe('gone')
    },
  )

  it('is gone though its parent has not asked for its end', async () => {
    // The shell starts a program that ends at once, and becomes one that never asks.
    const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'])
    try {
      const [text] = await once(shell.stdout, 'data')
      const pid = Number(String(text))
      let stat = ''
      while (!stat.includes(') Z ')) stat = await readFile(`/proc/${pid}/stat`, 'utf8')
      const start = stat.replace(/^.*\) /, '').split(' ')[19]
      expect(
        await processState({ ...thisProcess, pid, started: `${thisProcess.started.slice(0, 8)}t${start}` }),
      ).toBe('gone')
    } finally {
      shell.kill('SIGKILL')
    }
  })

  it('is named by what it writes aside', () => {
    expect(asideOwner(asidePath('a.b/x.parquet'))).toEqual(thisProcess)
    expect(asideOwner('x.parquet.a-b_c-12-01234567t44-89abcdef.aside')).toEqual({
      host: 'a-b_c',
      pid: 12,
      started: '01234567t44',
    })
    for (const name of ['x.parquet', 'x.parquet.123-01234567.aside', 'x.swap.aside'])
      expect(asideOwner(name)).toBeUndefined()
  })
})
