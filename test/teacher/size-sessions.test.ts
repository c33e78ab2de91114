import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { mul } from '../../src/graph/ops/elementwise.js'
import { input } from '../../src/graph/ops/tensor.js'
import { floats } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { SizeSessions } from '../../src/teacher/size-sessions.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const files = [1, 2, 3, 4].map((factor) => join(folder, `times-${factor}.onnx`))
await Promise.all(
  files.map((file, index) => writeFile(file, toOnnx({ outputs: { y: mul(input('x', [1]), index + 1) } }))),
)

const fileOf = (size: number) => files[size] ?? ''

/** The factor of a size, as its session computes it. */
const factorOf = (sessions: SizeSessions<number>, size: number): Promise<number> =>
  sessions.use(size, async (pool) => Number((await pool.run({ x: floats([1], [1]) })).y.data[0]))

describe('sessions of several sizes', () => {
  it('are opened when they are used, no more at once than allowed, the one longest unused closed first', async () => {
    const sessions = new SizeSessions(fileOf, 2, { threads: 1 })
    expect(sessions.open).toEqual([])
    expect(await factorOf(sessions, 0)).toBe(1)
    expect(await factorOf(sessions, 2)).toBe(3)
    expect(await factorOf(sessions, 0)).toBe(1)
    expect(await factorOf(sessions, 3)).toBe(4)
    expect(sessions.open).toEqual([0, 3])
    await sessions.close()
    expect(sessions.open).toEqual([])
  })

  it('stay open while they are used, and what waits for room gets it in turn', async () => {
    const sessions = new SizeSessions(fileOf, 1, { threads: 1 })
    const others: Promise<number>[] = []
    await sessions.use(0, async (pool) => {
      others.push(...[1, 2, 1, 3].map((size) => factorOf(sessions, size)))
      // The others ask for room while the model runs in its thread.
      expect((await pool.run({ x: floats([7], [1]) })).y.data[0]).toBe(7)
      expect(sessions.open).toEqual([0])
    })
    expect(await Promise.all(others)).toEqual([2, 3, 2, 4])
    expect(sessions.open).toEqual([3])
    await sessions.close()
  })

  it('go on after work that failed, and after a model that cannot be loaded', async () => {
    const sessions = new SizeSessions(
      (size: number) => (size === 0 ? fileOf(0) : join(folder, 'none.onnx')),
      1,
      {
        threads: 1,
      },
    )
    await expect(sessions.use(0, () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck')
    await expect(factorOf(sessions, 1)).rejects.toThrow(UserError)
    expect(sessions.open).toEqual([])
    expect(await factorOf(sessions, 0)).toBe(1)
    await sessions.close()
  })
})
