import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { mineConfig } from '../../src/mine/config.js'
import { mineShard } from '../../src/mine/mine-shard.js'
import { readVocabulary } from '../../src/mine/vocabulary.js'
import type { NegativeRow, PhraseRow } from '../../src/rows/rows.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { readShard } from '../../src/shards/read-shard.js'
import type { Teacher } from '../../src/teacher/teacher.js'
import { smallGold } from '../helpers/small-gold.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const { storage, shards } = await smallGold(await temporaryFolder())
const files = { phrases: 's', grounding: 's', negatives: 's' }
const names = await readVocabulary(storage, shards, files)

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

/** What a phrase gets of a teacher that goes by its letters. */
const scoreOf = (text: string) =>
  ([...text].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 100) / 100

/** A teacher with room for few words, which says which texts it was asked. */
function letterTeacher(asked: string[]): Teacher {
  return {
    ...{ name: 'letters', hash: 'l', pictureSide: 100, batch: 1, parallel: 1, maxTokens: 12 },
    tokensOf: (text) => text.split(/[\s.]+/).length,
    detect: async (queries, { floor }) =>
      queries.map(({ text, phrases }) => {
        asked.push(text)
        return phrases.flatMap(([start, end], phrase) => {
          const score = scoreOf([...text].slice(start, end).join(''))
          return score < floor ? [] : [{ phrase, xyxy: [0, 0, 9, 9], score }]
        })
      }),
    close: async () => {},
  }
}

async function mined(stage: string, given: object, teacher?: Teacher) {
  const config = { ...mineConfig.parse(given), ...files }
  const records = []
  const rows: NegativeRow[] = []
  for (const shard of shards) {
    const task = { storage, stage, shard, configHash: JSON.stringify(given), inputs: {} }
    records.push(await mineShard(task, config, async () => names, teacher && (async () => teacher)))
    rows.push(...((await collect(readShard(storage, 'negatives', stage, shard))) as NegativeRow[]))
  }
  return { records, rows }
}

it('mining that was stopped goes on with the next picture, and gives the same bytes', async () => {
  const config = { ...mineConfig.parse({ max: 4 }), ...files }
  const make = (stage: string, teacher: Teacher) =>
    mineShard(
      { storage, stage, shard: '00000', configHash: 'c', inputs: {}, keepEvery: 0 },
      config,
      async () => names,
      async () => teacher,
    )
  const all: string[] = []
  const { record: calm } = await make('calm', letterTeacher(all))
  const before: string[] = []
  const teacher = letterTeacher(before)
  const killed: Teacher = {
    ...teacher,
    detect: async (...query) => {
      if (before.length > all.length / 2) throw new Error('killed')
      return teacher.detect(...query)
    },
  }
  await expect(make('stopped', killed)).rejects.toThrow('killed')
  const after: string[] = []
  const { record } = await make('stopped', letterTeacher(after))
  expect(after.length).toBeLessThan(all.length * 0.7)
  expect(record.files.negatives?.sha256).toBe(calm.files.negatives?.sha256)
  expect(record.files.rejects?.sha256).toBe(calm.files.rejects?.sha256)
  expect(record.stats).toEqual(calm.stats)
  expect((await storage.list('negatives/stopped')).filter((name) => name.endsWith('.part'))).toEqual([])
})

describe('mining the gold of the toy world', () => {
  it('keeps what is known to be absent, drawn where no model is asked', async () => {
    const { rows, records } = await mined('drawn', { max: 8 })
    const phrases = (
      await Promise.all(shards.map((shard) => collect(readShard(storage, 'phrases', 's', shard))))
    ).flat() as PhraseRow[]
    expect(rows.some(({ negatives }) => negatives.length === 8)).toBe(true)
    const evidence = new Set(rows.flatMap(({ negatives }) => negatives.map((one) => one.evidence)))
    expect([...evidence].sort()).toEqual(['attribute', 'gold', 'verified'])
    for (const [at, { negatives, exhaustive, teacher }] of rows.entries()) {
      expect([exhaustive, teacher]).toEqual([true, null])
      const own = phrases[at]?.phrases ?? []
      const named = new Set(own.map(({ text }) => text.toLowerCase().replace(/^an? /, '')))
      const heads = new Set(own.map(({ head }) => head))
      for (const { text, evidence: how, phrase, score } of negatives) {
        expect(score).toBeNull()
        expect(named).not.toContain(text.toLowerCase().replace(/^an? /, ''))
        const head = text.split(' ').at(-1) ?? ''
        if (how === 'gold') expect(heads).not.toContain(head)
        else if (phrase >= 0) expect(own[phrase]?.text.split(' ').at(-1)).toBe(head)
      }
    }
    for (const { record } of records)
      expect(record.in).toBe(
        record.out + (record.rejected.too_many ?? 0) + (record.rejected.may_be_there ?? 0),
      )
  })

  it('is the same whenever it is done, and done once', async () => {
    await mined('again', { max: 8 })
    for (const shard of shards) {
      const bytes = async (stage: string) =>
        readFile(storage.path((await committedFile(storage, 'negatives', stage, shard)).path))
      expect((await bytes('again')).equals(await bytes('drawn'))).toBe(true)
    }
    const { records } = await mined('again', { max: 8 })
    expect(records.every(({ skipped }) => skipped)).toBe(true)
    const { rows } = await mined('other', { max: 8, seed: 3 })
    const { rows: first } = await mined('again', { max: 8 })
    expect(rows).not.toEqual(first)
  })

  it('keeps the hardest for a teacher, whose prompts have room for all of them', async () => {
    const asked: string[] = []
    const teacher = letterTeacher(asked)
    const { rows, records } = await mined('hard', { max: 5, min_score: 0.5 }, teacher)
    for (const text of asked) expect(teacher.tokensOf(text)).toBeLessThanOrEqual(12)
    for (const { negatives, teacher: name } of rows) {
      expect(name).toBe('letters')
      const scores = negatives.map(({ score }) => score ?? -1)
      expect(scores.length).toBeLessThanOrEqual(5)
      for (const { text, score } of negatives) expect(score).toBe(Math.fround(scoreOf(text)))
      expect(Math.min(1, ...scores)).toBeGreaterThanOrEqual(0.5)
      expect([...scores].sort((a, b) => b - a)).toEqual(scores)
    }
    const reasons = Object.keys(records[0]?.record.rejected ?? {})
    expect(reasons).toEqual(expect.arrayContaining(['too_easy', 'too_many']))
    const rejects = await collect(readShard(storage, 'rejects', 'hard', shards[0] ?? ''))
    // A reject is one that scores less than all that are kept, or less than what is asked for.
    for (const { key, reason, detail } of rejects) {
      if (reason === 'too_easy') expect(scoreOf(detail)).toBeLessThan(0.5)
      const own = rows.find((row) => row.key === key)
      if (reason === 'too_many')
        expect(Math.min(...(own?.negatives ?? []).map(({ score }) => score ?? 1))).toBeGreaterThanOrEqual(
          Math.fround(scoreOf(detail)),
        )
    }
    expect(records[0]?.record.stats.tallies.evidence).toBeDefined()
  })
})
