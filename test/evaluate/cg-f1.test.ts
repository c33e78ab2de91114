import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ownName } from '../../bench/official-cgf1.js'
import { readDetections } from '../../src/evaluate/benchmark-ids.js'
import { cgF1, countPairs, officialConfidence } from '../../src/evaluate/cg-f1.js'
import { cgF1Of, noPairs } from '../../src/evaluate/pair-counts.js'
import { readSacoTruth, sacoScores } from '../../src/evaluate/saco.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

interface Fixture {
  readonly name: string
  /** One file in SA-Co's form an annotator. */
  readonly files: readonly object[]
  readonly predictions: readonly object[]
  /** The 26 numbers of the official code, by its names. */
  readonly stats: Readonly<Record<string, number>>
}

// bench/parity/write-cgf1-fixture.ts
const fixtures = JSON.parse(
  readFileSync(new URL('./fixtures/cg-f1.json', import.meta.url), 'utf8'),
) as readonly Fixture[]

describe('cgF1', () => {
  for (const { name, files, predictions, stats } of fixtures) {
    it(`equals the official code: ${name}`, async () => {
      const folder = await temporaryFolder()
      const truths = files.map((_, at) => join(folder, `truth-${at}.json`))
      for (const [at, file] of files.entries()) await writeFile(truths[at], JSON.stringify(file))
      await writeFile(join(folder, 'found.json'), JSON.stringify(predictions))
      const truth = await readSacoTruth(truths)
      const found = await readDetections(join(folder, 'found.json'), truth, 'pairs')
      const scores = sacoScores(truth, found, officialConfidence)
      const official = Object.entries(stats)
      expect(official.length).toBe(26)
      expect(Object.keys(scores).toSorted()).toEqual(official.map(([key]) => ownName(key)).toSorted())
      for (const [key, value] of official) {
        const own = scores[ownName(key)]
        expect(Math.abs(own - value), `${key}: ${own} for ${value}`).toBeLessThan(1e-9)
      }
    })
  }

  const truth = {
    // Pair 0 has two things, pair 1 one, pairs 2 and 3 none.
    pair: Int32Array.of(0, 0, 1),
    bbox: Float64Array.of(0, 0, 10, 10, 20, 0, 10, 10, 0, 0, 10, 10),
    iscrowd: new Uint8Array(3),
  }
  const predictions = {
    // One of the two is found exactly, pair 1 is passed over, something is seen in pair 2.
    pair: Int32Array.of(0, 1, 2),
    bbox: Float64Array.of(20, 0, 10, 10, 0, 0, 10, 10, 5, 5, 3, 3),
    scores: Float64Array.of(0.5, 0.49, 0.9),
  }

  it('is what its formula gives', () => {
    const { pmf1, il_mcc, cgf1, il_fpr } = cgF1(4, [truth], predictions)
    // Of three boxes one is found, and no wrong one is in a pair that has the thing.
    expect(pmf1).toBeCloseTo((2 * (1 / 3)) / (4 / 3), 3)
    expect(il_mcc).toBeCloseTo(0, 6)
    expect(il_fpr).toBeCloseTo(0.5, 5)
    expect(cgf1).toBeCloseTo(0, 6)
    const surer = cgF1(4, [truth], predictions, 0.45)
    expect(surer.il_mcc).toBeCloseTo(2 / Math.sqrt(3 * 2 * 2 * 1), 5)
    expect(surer.cgf1).toBeCloseTo(surer.pmf1 * surer.il_mcc, 12)
  })

  it('adds up over any parts of the pairs', () => {
    const parts = [noPairs(), noPairs()]
    countPairs(4, [truth], predictions, 0.45, (pair) => parts[pair % 2])
    const [even, odd] = parts
    expect([even.truePresent, even.falsePresent, even.trueAbsent]).toEqual([1, 1, 0])
    expect([odd.truePresent, odd.falseAbsent, odd.trueAbsent]).toEqual([1, 0, 1])
    const both = noPairs()
    for (const part of parts) {
      both.truePresent += part.truePresent
      both.falsePresent += part.falsePresent
      both.trueAbsent += part.trueAbsent
      for (const key of ['matched', 'wrong', 'missed', 'wrongOfPresent', 'f1'] as const)
        part[key].forEach((value, at) => {
          both[key][at] += value
        })
    }
    expect(cgF1Of(both)).toEqual(cgF1(4, [truth], predictions, 0.45))
  })
})
