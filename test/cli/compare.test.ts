import { beforeAll, describe, expect, it } from 'vitest'
import { iou } from '../../src/boxes/iou.js'
import { compareRegions } from '../../src/filter/compare-regions.js'
import type { Proposal, Region } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import type { Storage } from '../../src/storage/storage.js'
import { runCommand } from '../helpers/run-command.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'

let url: string
let storage: Storage
beforeAll(async () => {
  const made = await makeSmallDataset()
  url = made.url
  storage = made.storage
})

const json = async (...args: string[]) => {
  const { code, out, err } = await runCommand('compare', url, ...args, '--json')
  expect(code, err).toBe(0)
  expect(out.match(/\n/g)).toHaveLength(1)
  return JSON.parse(out)
}

/** Rows of a family's stage over all shards, by key. */
async function rowsOf<F extends 'grounding' | 'proposals' | 'phrases'>(family: F, stage: string) {
  const rows = new Map()
  for (const shard of ['00000', '00001', '00002'])
    for await (const row of readShard(storage, family, stage, shard)) rows.set(row.key, row)
  return rows
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, own) => all + own, 0)

describe('groundmill compare of two rounds with different teachers', () => {
  it('counts every region of both once: kept, moved, lost or added, by score, phrase and reason', async () => {
    const changes = await json('round-1', 'round-2', '--top', '100000')
    const [before, after] = await Promise.all(['round-1', 'round-2'].map((name) => rowsOf('grounding', name)))
    const count = (rows: Map<string, { regions: Region[] }>) =>
      [...rows.values()].reduce((all, { regions }) => all + regions.length, 0)
    const { kept, moved, lost, added, why, scores, phrases } = changes
    for (const own of [moved, lost, added]) expect(own).toBeGreaterThan(0)
    expect(kept + moved + lost).toBe(count(before))
    expect(kept + moved + added).toBe(count(after))
    expect(changes.meanIou).toBeGreaterThanOrEqual(0.5)
    expect(changes.meanIou).toBeLessThan(1)
    expect([sum(why.lost), sum(why.added)]).toEqual([lost, added])
    for (const [way, total] of Object.entries({ kept, moved, lost, added }))
      expect(
        scores.reduce((all: number, bin: Record<string, number>) => all + bin[way], 0),
        way,
      ).toBe(total)
    for (const [way, total] of Object.entries({ moved, lost, added }))
      expect(
        phrases.reduce((all: number, own: Record<string, number>) => all + own[way], 0),
        way,
      ).toBe(total)
    expect(changes.phrasesError).toBe(0)
    expect((await json('round-1', 'round-2', '--top', '2')).phrases).toEqual(phrases.slice(0, 2))
  })

  it('says that a box was not proposed where the rules dropped none of its phrase that overlaps it, and only there', async () => {
    const { why } = await json('round-1', 'round-2')
    const [before, after, proposals, phrases] = [
      await rowsOf('grounding', 'round-1'),
      await rowsOf('grounding', 'round-2'),
      await rowsOf('proposals', 'label-2'),
      await rowsOf('phrases', 'chunk'),
    ]
    let [notProposed, far] = [0, 0]
    for (const [key, { regions }] of before) {
      const kept: Region[] = after.get(key).regions
      for (const lost of compareRegions(regions, kept).lost) {
        const dropped = (proposals.get(key).proposals as Proposal[]).filter(({ phrase, xyxy }) => {
          const { caption, start, end } = phrases.get(key).phrases[phrase]
          if (caption !== lost.caption || start !== lost.start || end !== lost.end) return false
          return !kept.some((own) => own.phrase === phrase && own.xyxy.join() === xyxy.join())
        })
        if (dropped.some(({ xyxy }) => iou(xyxy, lost.xyxy) >= 0.5)) continue
        notProposed++
        if (dropped.length > 0) far++
      }
    }
    expect(far).toBeGreaterThan(0)
    expect(why.lost.not_proposed).toBe(notProposed)
    expect(why.lost.score).toBeGreaterThan(0)
    for (const reason of Object.keys(why.lost)) expect(['not_proposed', 'score', 'nms']).toContain(reason)
  })

  it('shows as many phrases as it is told to', async () => {
    const shown = async (...args: string[]) => {
      const { code, out } = await runCommand('compare', url, 'round-1', 'round-2', ...args)
      expect(code).toBe(0)
      return /\nphrase +lost +added +moved\n─[^\n]*\n([\s\S]*)$/.exec(out)?.[1].trimEnd().split('\n')
    }
    expect(await shown('--top', '2')).toHaveLength(2)
    expect(await shown()).toHaveLength(12)
  })

  it('draws no picture under the name of another form', async () => {
    const { code, err } = await runCommand('compare', url, 'round-1', 'round-2', '-o', 'sheet.jpg')
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/sheet\.jpg: the sheet is a PNG: name a file that ends in \.png/),
    ])
  })
})
