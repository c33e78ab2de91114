import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { anchorsOf } from '../../src/model/network/anchors.js'
import { assignTargets } from '../../src/train/examples/assign-targets.js'
import { tinyOfficial } from '../helpers/tiny-official.js'

/** What prepare_targets of the official code gives: bench/parity/official_rules.py. */
const fixture: {
  readonly height: number
  readonly width: number
  readonly cases: readonly {
    /** With their last pixel inside. */
    readonly boxes: readonly (readonly number[])[]
    /** Box by anchor. */
    readonly assigned: Readonly<Record<string, number>>
    /** In the order of the anchors. */
    readonly centerness: readonly number[]
    /** Words that are asked for where there is no box, of 256. */
    readonly wordsOfNone: readonly number[]
  }[]
} = JSON.parse(readFileSync(new URL('fixtures/official-targets.json', import.meta.url), 'utf8'))

describe('ATSS beside the official code', () => {
  const anchors = anchorsOf(tinyOfficial, fixture)

  it.each(fixture.cases)('anchors go to the same boxes, of equal ones to the first', (one) => {
    const edges = one.boxes.flatMap(([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => [x1, y1, x2 + 1, y2 + 1])
    const { assigned, centerness } = assignTargets(anchors, Float32Array.from(edges))
    const found = [...assigned.entries()].filter(([, box]) => box >= 0)
    expect(Object.fromEntries(found)).toEqual(one.assigned)
    found.forEach(([anchor], index) => {
      expect(centerness[anchor]).toBeCloseTo(one.centerness[index] ?? Number.NaN, 3)
    })
  })

  it('has the last word alone where there is no box', () => {
    for (const { wordsOfNone } of fixture.cases) expect(wordsOfNone).toEqual([255])
  })
})
