import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { openTorchCheckpoint } from '../../src/weights/read-torch-checkpoint.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** Files of PyTorch, and what it says is in them: bench/parity/torch_checkpoints.py. */
const fixtures = fileURLToPath(new URL('./fixtures/torch', import.meta.url))
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<
  string,
  Record<string, { readonly shape: number[]; readonly values: (number | string)[] }>
>
const folder = await temporaryFolder()

async function read(path: string, average = false) {
  const file = await openTorchCheckpoint(path, average)
  try {
    const tensors: Record<string, { shape: number[]; values: number[] }> = {}
    for (const tensor of file.tensors.values())
      tensors[tensor.name] = { shape: [...tensor.shape], values: [...(await tensor.read())] }
    return { tensors, others: file.others }
  } finally {
    await file.close()
  }
}

const wanted = (name: string) =>
  Object.fromEntries(
    Object.entries(expected[name]).map(([key, { shape, values }]) => [
      key,
      { shape, values: values.map((value) => Math.fround(Number(value))) },
    ]),
  )

describe('a checkpoint of PyTorch', () => {
  const good = Object.keys(expected).filter((name) => !name.includes(' '))

  it.each(good)('%s is read as PyTorch reads it', async (name) => {
    expect((await read(join(fixtures, name))).tensors).toEqual(wanted(name))
  })

  it('is read by names, not by what lies beside them', async () => {
    const { others } = await read(join(fixtures, 'state.pth'))
    expect(others).toEqual([
      'model_ema',
      'optimizer',
      'scheduler',
      'iteration',
      'args',
      'best',
      'history',
      'sets',
    ])
  })

  it('gives its moving averages where they are asked for', async () => {
    const { tensors } = await read(join(fixtures, 'state.pth'), true)
    expect(tensors).toEqual(wanted('state.pth model_ema'))
    expect(tensors['module.dense.weight']).not.toEqual(wanted('state.pth')['module.dense.weight'])
    await expect(read(join(fixtures, 'plain.pth'), true)).rejects.toThrow(/no moving averages/)
  })
})

describe('a pickle that asks for more than data', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['hostile-system.pth', /byte \d+: it asks for posix\.system/],
    ['hostile-system-4.pth', /byte \d+: it asks for posix\.system/],
    ['hostile-legacy.pth', /byte \d+: it asks for posix\.system/],
    ['hostile-eval.pth', /byte \d+: it asks for (__builtin__|builtins)\.eval/],
    ['hostile-getattr.pth', /byte \d+: it asks for (__builtin__|builtins)\.getattr/],
    ['hostile-inst.pth', /byte \d+: opcode 0x53 \(STRING\)/],
    ['hostile-ext.pth', /byte \d+: opcode 0x82 \(EXT1\)/],
    ['hostile-call.pth', /it calls torch\.float32, which may only be named/],
    ['module.pth', /it asks for __main__\.Net/],
  ]
  it('is tested in every variant there is', () => {
    const files = readdirSync(fixtures).filter((name) => /^(hostile|module)/.test(name))
    expect(cases.map(([name]) => name).sort()).toEqual(files.sort())
  })

  it.each(cases)('%s is refused by name, and nothing runs', async (name, message) => {
    const path = join(fixtures, name)
    const refusal = await read(path).catch((error: Error) => error)
    expect(refusal).toBeInstanceOf(UserError)
    expect((refusal as Error).message).toMatch(message)
    expect((refusal as Error).message).toContain(path)
    expect(existsSync('hostile-was-run')).toBe(false)
  })
})

describe('a damaged file', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['bad-short.pth', /weight \[2, 3\] is damaged: storage 0 is too short/],
    ['bad-beyond.pth', /weight \[2, 3\] is damaged: storage 0 is too short/],
    ['bad-stride.pth', /weight \[2, 3\] is damaged: storage 0 is too short/],
    ['bad-negative.pth', /impossible shape, stride or offset/],
    ['bad-huge.pth', /weight \[1099511627776, 3\] is larger than any weight/],
    ['bad-overflow.pth', /impossible shape, stride or offset/],
    ['bad-missing.pth', /its storage 0 is missing/],
    ['bad-kind.pth', /it asks for torch\.ComplexFloatStorage/],
    ['bad-twice.pth', /it sets the key "weight" twice/],
    ['bad-big-endian.pth', /big-endian machine/],
    ['bad-script.pth', /is a TorchScript program/],
    ['bad-deflated.pth', /data\.pkl is compressed or encrypted/],
    ['bad-protocol.pth', /protocol 1 is not 2 to 5/],
    ['bad-empty.pth', /holds no weights/],
    ['bad-top.pth', /its top is no dict/],
    ['bad-entries.pth', /two entries named archive\/data\.pkl/],
    ['bad-zip.pth', /no data\.pkl in a folder/],
  ]
  it('is tested in every variant there is', () => {
    const files = readdirSync(fixtures).filter((name) => name.startsWith('bad'))
    expect(cases.map(([name]) => name).sort()).toEqual(files.sort())
  })

  it.each(cases)('%s is refused with what is wrong', async (name, message) => {
    const refusal = await read(join(fixtures, name)).catch((error: Error) => error)
    expect(refusal).toBeInstanceOf(UserError)
    expect((refusal as Error).message).toMatch(message)
  })

  it('that announces more than it has is refused before anything is read', async () => {
    const bytes = await readFile(join(fixtures, 'made.pth'))
    // Both sizes of the first entry, in the central directory.
    const entry = bytes.indexOf('PK\u0001\u0002')
    bytes.writeUInt32LE(0xfffffff0, entry + 20)
    bytes.writeUInt32LE(0xfffffff0, entry + 24)
    const path = join(folder, 'bomb.pth')
    await writeFile(path, bytes)
    await expect(read(path)).rejects.toThrow(/file data overflows file bounds: \d+ \+ 4294967280/)
  })

  it.each(['made.pth', 'legacy.pth'])('that is %s cut anywhere is refused', async (name) => {
    const bytes = await readFile(join(fixtures, name))
    const path = join(folder, `cut-${name}`)
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length))
      const refusal = await read(path).catch((error: Error) => error)
      expect(refusal, `${length} bytes`).toBeInstanceOf(UserError)
    }
  })

  it('that points beyond any file is refused, and does not end the program', async () => {
    const copy = Buffer.from(await readFile(join(fixtures, 'protocol-5.pth')))
    const locator = copy.lastIndexOf(Buffer.from('504b0607', 'hex'))
    expect(locator).toBeGreaterThan(0)
    copy.fill(0xe3, locator + 14, locator + 16)
    const path = join(folder, 'beyond.pth')
    await writeFile(path, copy)
    await expect(read(path)).rejects.toThrow(/beyond\.pth is damaged, .*points beyond its own end/)
  })

  it.each(['made.pth', 'legacy.pth', 'protocol-5.pth'])(
    'that is %s with other bytes is read or refused',
    async (name) => {
      const bytes = await readFile(join(fixtures, name))
      const path = join(folder, `changed-${name}`)
      const change = fc.tuple(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }))
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
          const copy = Buffer.from(bytes)
          for (const [at, value] of changes) copy[at] = value
          await writeFile(path, copy)
          const refusal = await read(path).catch((error: Error) => error)
          if (refusal instanceof Error) expect(refusal).toBeInstanceOf(UserError)
        }),
        { numRuns: 300 },
      )
    },
  )
})
