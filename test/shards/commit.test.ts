import { beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { recordPath } from '../../src/rows/family-path.js'
import {
  addsUp,
  isOf,
  isPointer,
  parseStored,
  parseUnsummed,
  readCommit,
  readRecord,
  readStored,
  sumsOf,
  textOf,
} from '../../src/shards/commit.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { fileOf, putRecord, recordWith, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let storage: Storage
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
})
const pointer = { version: 2, stage: 'gold', family: 'grounding', main: 'images', shard } as const
const putPointer = (changes: object = {}) =>
  storage.write(recordPath('grounding', 'gold', shard), textOf({ ...pointer, ...changes }))
const gold = {
  family: 'images',
  stage: 'gold',
  files: {
    images: fileOf('images', '1'),
    grounding: fileOf('grounding', '1', 'gold'),
    rejects: fileOf('rejects', '1', 'gold'),
  },
} as const

describe('the record of a family', () => {
  it('that was written beside another is that of the other, where that lists it', async () => {
    const main = await putRecord(storage, gold)
    await putPointer()
    expect(await readCommit(storage, 'grounding', 'gold', shard)).toEqual({ ...main, family: 'grounding' })
    expect(await readRecord(storage, recordPath('grounding', 'gold', shard))).toBeUndefined()
    expect(await readStored(storage, recordPath('grounding', 'gold', shard))).toEqual(pointer)
    expect(await readCommit(storage, 'images', 'gold', shard)).toEqual(main)
    await putRecord(storage, { ...gold, files: { images: gold.files.images } })
    expect(await readCommit(storage, 'grounding', 'gold', shard)).toBeUndefined()
    await putRecord(storage, { ...gold, stage: 'web', files: { images: gold.files.images } })
    expect(await readCommit(storage, 'grounding', 'gold', shard)).toBeUndefined()
    const web = {
      ...gold.files,
      grounding: fileOf('grounding', '1', 'web'),
      rejects: fileOf('rejects', '1', 'web'),
    }
    await putRecord(storage, { ...gold, stage: 'web', files: web })
    expect(await readCommit(storage, 'grounding', 'gold', shard)).toBeUndefined()
    await storage.remove(recordPath('images', null, shard))
    expect(await readCommit(storage, 'grounding', 'gold', shard)).toBeUndefined()
  })

  it('of rejects is that of the stage that rejected them', async () => {
    const rejects = (stage: string) => readCommit(storage, 'rejects', stage, shard)
    expect(await rejects('gold')).toBeUndefined()
    const main = await putRecord(storage, gold)
    expect(await rejects('gold')).toEqual({ ...main, family: 'rejects' })
    expect(await rejects('web')).toBeUndefined()
    await putRecord(storage)
    expect(await rejects('chunk')).toBeUndefined()
    const chunk = await putRecord(storage, { files: { rejects: fileOf('rejects', '2') } })
    expect(await rejects('chunk')).toEqual({ ...chunk, family: 'rejects' })
    // Nothing of that name is looked for.
    await storage.write(`rejects/chunk/${shard}.json`, '{')
    await storage.remove(recordPath('phrases', 'chunk', shard))
    expect(await rejects('chunk')).toBeUndefined()
  })

  it('is of the shard that has its name', async () => {
    const name = recordPath('phrases', 'chunk', shard)
    expect(isOf(recordWith(), name)).toBe(true)
    for (const other of [{ shard: '00001' }, { stage: 'other' }, { family: 'grounding' }] as const)
      expect(isOf(recordWith(other), name)).toBe(false)
    await storage.write(name, textOf(recordWith({ shard: '00001' })))
    await expect(readStored(storage, name)).rejects.toThrow(
      /chunk\/00000\.json: it says of itself that it is phrases of "chunk", shard 00001/,
    )
  })
})

describe('the bytes of a record', () => {
  const parse = (value: unknown) => parseStored(Buffer.from(JSON.stringify(value)), 'r.json')
  const record = recordWith({ in: 3, out: 1, rejected: { bad: 2 } })

  it('give it back, with and without a checksum', () => {
    for (const stored of [record, pointer]) {
      expect(parseStored(Buffer.from(textOf(stored)), 'r.json')).toEqual(stored)
      expect(parse(stored)).toEqual(stored)
    }
    expect(parse({ ...record, version: 1 })).toEqual({ ...record, version: 1 })
    expect(isPointer(pointer)).toBe(true)
    expect(isPointer(record)).toBe(false)
  })

  it('whose checksum is another are damaged, and still are read where that is known', () => {
    const text = textOf(record).replace('"out": 1', '"out": 2').replace('"in": 3', '"in": 4')
    expect(() => parseStored(Buffer.from(text), 'r.json')).toThrow(/^r\.json is damaged: its checksum/)
    expect(parseUnsummed(Buffer.from(text), 'r.json')).toEqual({ ...record, in: 4, out: 2 })
    expect(() => parseStored(Buffer.from(textOf(record).trimEnd()), 'r.json')).toThrow(/is damaged/)
  })

  it('keep words that are names of what objects have', () => {
    const tallies = JSON.parse('{"heads": {"__proto__": 2, "constructor": 1}}')
    const one = recordWith({ stats: { ...record.stats, tallies } })
    expect(JSON.stringify(parse(one))).toBe(JSON.stringify(one))
  })

  it.each<[object | null, RegExp]>([
    [null, /not a commit record \(it has no version\)/],
    [{ ...record, version: 0 }, /it has no version/],
    [{ ...record, version: '2' }, /it has no version/],
    [{ ...record, version: '3' }, /it has no version/],
    [{ ...record, version: 1.5 }, /it has no version/],
    [{ ...record, version: 3 }, /has version 3, this groundmill reads up to 2/],
    [{ ...pointer, stage: '../x' }, /\(stage: /],
    [{ ...pointer, family: 'x' }, /\(family: /],
    [{ ...pointer, main: 'x' }, /\(main: /],
    [{ ...pointer, shard: '' }, /\(shard: /],
    [{ ...record, configHash: 1 }, /\(configHash: /],
    [{ ...record, files: { phrases: { path: 'x' } } }, /\(files\.phrases\.rows: /],
    [
      { ...record, stats: { ...record.stats, counts: null } },
      /\(stats\.counts: expected numbers by their names/,
    ],
    [{ ...record, stats: { ...record.stats, counts: [1] } }, /\(stats\.counts: /],
    [{ ...record, stats: { ...record.stats, counts: 'x' } }, /\(stats\.counts: /],
    [{ ...record, stats: { ...record.stats, counts: 5 } }, /\(stats\.counts: /],
    [{ ...record, stats: { ...record.stats, counts: { a: 1, b: '2' } } }, /\(stats\.counts: /],
    [{ ...record, files: { phrases: fileOf('phrases', '1', 'x') } }, /expected a file in phrases\/chunk\//],
    [
      { ...record, files: JSON.parse('{"__proto__": {"polluted": true}}') },
      /\(files: __proto__ is no family\)/,
    ],
    [
      { ...record, rejected: JSON.parse('{"__proto__": {"polluted": true}}') },
      /\(rejected: expected counts by their reasons\)/,
    ],
    [{ ...record, out: 2 }, /3 rows in, 2 out and 2 rejected do not add up/],
  ])('that say %j are none', (value, message) => {
    expect(() => parse(value)).toThrow(message)
  })

  it('that are no JSON are none', () => {
    let thrown: unknown
    try {
      parseStored(Buffer.from('{"a": '), 'r.json')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(UserError)
    expect((thrown as Error).message).toMatch(/^r\.json is not a commit record \((?!it has no version)/)
  })

  it('of what went in say what became of it', () => {
    const sums = { unit: 'rows', in: 6, out: 1, rejected: { bad: 2, worse: 3 } }
    expect(addsUp(sums)).toBe(true)
    expect(addsUp({ ...sums, in: 7 })).toBe(false)
    expect(addsUp({ ...sums, rejected: { bad: 5 } })).toBe(true)
    expect(sumsOf({ ...sums, in: 7 })).toBe('7 rows in, 1 out and 5 rejected do not add up')
  })
})
