import { execFile, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { resolveDevice } from '../../src/graph/device.js'
import { deviceChoice } from '../../src/graph/device-choice.js'
import { fromHalf, toHalf } from '../../src/graph/half.js'
import { matmul } from '../../src/graph/ops/matmul.js'
import { input } from '../../src/graph/ops/tensor.js'
import { floats, Session } from '../../src/graph/session.js'
import { loadError } from '../../src/graph/session-error.js'
import { SessionPool } from '../../src/graph/session-pool.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { compiled } from '../helpers/compiled.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const side = 300
const path = join(await temporaryFolder(), 'product.onnx')
const x = input('x', [side, side])
await writeFile(path, toOnnx({ outputs: { y: matmul(x, x) } }))

/** A model that takes some hundred milliseconds. */
const slow = join(path, '../slow.onnx')
let power = x
for (let turn = 0; turn < 100; turn++) power = matmul(power, x)
await writeFile(slow, toOnnx({ outputs: { y: power } }))

const diagonal = (value: number) => {
  const data = new Float32Array(side * side)
  for (let at = 0; at < side; at++) data[at * side + at] = value
  return { x: floats(data, [side, side]) }
}

describe('a pool of sessions', () => {
  it('answers every run with its own result, however many go at once', async () => {
    const pool = await SessionPool.open(path, { devices: ['cpu', 'cpu'], threads: 1 })
    expect(pool.size).toBe(2)
    expect(pool.inputs).toEqual([{ name: 'x', shape: [side, side], dtype: 'float32' }])
    const values = Array.from({ length: 9 }, (_, index) => index)
    const results = await Promise.all(values.map((value) => pool.run(diagonal(value))))
    expect(results.map(({ y }) => y.data[0])).toEqual(values.map((value) => value ** 2))
    await pool.close()
  })

  it('leaves this thread free while it works', async () => {
    const pool = await SessionPool.open(path, { threads: 1 })
    const runs = Promise.all(Array.from({ length: 40 }, (_, value) => pool.run(diagonal(value))))
    let isDone = false
    let turns = 0
    runs.then(() => {
      isDone = true
    })
    while (!isDone) {
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
    // One turn a message at most would mean that every run held the thread.
    expect(turns).toBeGreaterThan(200)
    await pool.close()
  })

  it('goes on after a run that failed, and fails what comes after its end', async () => {
    const pool = await SessionPool.open(path, { threads: 1 })
    await expect(pool.run({ x: floats(new Float32Array(4), [2, 2]) })).rejects.toThrow(/invalid dimensions/)
    expect((await pool.run(diagonal(3))).y.data[0]).toBe(9)
    await pool.close()
    await pool.close()
    await expect(pool.run(diagonal(1))).rejects.toThrow(/has been closed/)
  })

  it('is closed while a session still works, and the program goes on to its end', async () => {
    const script = `
      import { SessionPool } from ${JSON.stringify(resolve(compiled, 'graph/session-pool.js'))}
      const value = (side) => ({ x: { data: new Float32Array(side * side), shape: [side, side], dtype: 'float32' } })
      const pool = await SessionPool.open(${JSON.stringify(slow)}, { devices: ['cpu', 'cpu'], threads: 1 })
      const slow = pool.run(value(${side})).then(() => 'answered', ({ message }) => message)
      const failed = await pool.run(value(2)).then(() => 'answered', ({ message }) => message)
      await pool.close()
      console.log(JSON.stringify([failed, await slow]))`
    const program = join(path, '../close.mjs')
    await writeFile(program, script)
    const { stdout } = await promisify(execFile)(process.execPath, [program])
    const [failed, other] = JSON.parse(stdout) as readonly string[]
    expect(failed).toMatch(/^onnxruntime failed in .*slow\.onnx: .*invalid dimensions/s)
    expect(other).toMatch(/^answered$|the session has been closed$/)
  })

  it('says where a session was refused memory', async () => {
    const many = 8_000_000
    const huge = join(path, '../huge.onnx')
    const [a, b] = [input('a', [many, 1]), input('b', [1, many])]
    await writeFile(huge, toOnnx({ outputs: { y: matmul(a, b) } }))
    const pool = await SessionPool.open(huge, { threads: 1 })
    const feeds = {
      a: floats(new Float32Array(many), [many, 1]),
      b: floats(new Float32Array(many), [1, many]),
    }
    await expect(pool.run(feeds)).rejects.toThrow(
      /^Out of memory in a session of .*huge\.onnx \(.*\): lower batch, sessions or open_sizes/s,
    )
    await pool.close()
  })

  it('opens a session anew whose thread has died', async () => {
    const pool = await SessionPool.open(slow, { threads: 1 })
    const { seats } = pool as unknown as {
      readonly seats: readonly { readonly worker: { readonly worker: Worker } }[]
    }
    // Told to end before it can take the run: a process does not always survive the end of a thread in native code.
    const ended = seats[0]?.worker.worker.terminate()
    const dying = pool.run(diagonal(2))
    await ended
    await expect(dying).rejects.toThrow(/slow\.onnx: its thread has ended \(exit code 1\)/)
    expect((await pool.run(diagonal(1))).y.data[0]).toBe(1)
    await pool.close()
  })

  it('says which file cannot be loaded', async () => {
    const none = join(path, '../none.onnx')
    await expect(SessionPool.open(none)).rejects.toThrow(UserError)
    await expect(SessionPool.open(none)).rejects.toThrow(/cannot load .*none\.onnx/)
    await expect(Session.open(none)).rejects.toThrow(UserError)
    await expect(Session.open(none)).rejects.toThrow(
      /^onnxruntime cannot load .*none\.onnx: there is no such file\.$/,
    )
  })
})

describe('devices', () => {
  it('auto is one that is there, and one that is not there is refused with what would bring it', async () => {
    const found = await resolveDevice('auto')
    expect(await resolveDevice(found)).toBe(found)
    for (const device of ['cuda', 'webgpu'] as const) {
      const refusal = await resolveDevice(device).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (refusal === undefined) continue
      expect(refusal).toBeInstanceOf(UserError)
      expect((refusal as Error).message).toMatch(
        device === 'cuda'
          ? /^Device cuda is not there: .*npm rebuild/
          : /^Device webgpu is not there: .*Vulkan/,
      )
      expect((refusal as Error).message).not.toMatch(/\n|\.cc:|onnxruntime_src/)
    }
  })

  it('are named in a configuration', () => {
    for (const name of ['cpu', 'cuda', 'cuda:1', 'webgpu', 'auto'])
      expect(deviceChoice.parse(name)).toBe(name)
    for (const name of ['gpu', 'cuda:x', '', 1]) expect(deviceChoice.safeParse(name).success).toBe(false)
  })
})

describe('half precision', () => {
  it('is exact for every one of its numbers', () => {
    const halves = Uint16Array.from({ length: 0x10000 }, (_, index) => index)
    const back = toHalf(fromHalf(halves))
    const values = fromHalf(back)
    halves.forEach((half, at) => {
      const isNan = (half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0
      if (isNan ? Number.isNaN(values[at]) : back[at] === half) return
      if (!isNan) expect.fail(`${half} became ${back[at]}`)
    })
  })

  it('is the nearest there is, the even one of two', () => {
    const magnitudes = fromHalf(Uint16Array.from({ length: 0x7c00 }, (_, index) => index))
    fc.assert(
      fc.property(fc.float({ min: -70000, max: 70000, noNaN: true }), (value) => {
        const [half] = toHalf(Float32Array.of(value))
        const size = Math.abs(value)
        if (size >= 65520) {
          expect(half & 0x7fff).toBe(0x7c00)
          return
        }
        const at = half & 0x7fff
        const error = Math.abs(magnitudes[at] - size)
        for (const other of [at - 1, at + 1]) {
          if (other < 0 || other >= magnitudes.length) continue
          const others = Math.abs(magnitudes[other] - size)
          expect(error < others || (error === others && at % 2 === 0)).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('are asked for without a native word on the terminal', () => {
    const script = `import { resolveDevice } from './${join(compiled, 'graph/device.js')}'; await resolveDevice('auto')`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, ''])
  })
})

describe('a model that cannot be opened', () => {
  it.each([
    ['Load model from m.onnx failed:Protobuf parsing failed.', /is no ONNX model, or is cut off/],
    [
      'No Op registered for Cxnv with domain_version of 19',
      /the operator Cxnv, which this onnxruntime does not/,
    ],
    ['Could not find an implementation for Foo(13) node', /the operator Foo, /],
    ["Load model m.onnx failed. File doesn't exist", /there is no such file/],
    [
      'model.cc:202 Unsupported model IR version: 99, max supported IR version: 13',
      /a later version of ONNX/,
    ],
    ['GetFileLength for m.onnx.data failed: external data', /weights beside it is missing or cut off/],
    ['/onnxruntime_src/onnxruntime/core/x.cc:1 something new', /--verbose says what onnxruntime says/],
  ])('says why: %s', (message, why) => {
    const error = loadError('m.onnx', new Error(message))
    expect(error).toBeInstanceOf(UserError)
    expect(error.message).toMatch(why)
    expect(error.message).not.toMatch(/onnxruntime_src|Protobuf|registered/)
    expect((error.cause as Error).message).toBe(message)
  })
})
