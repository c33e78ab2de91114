import { describe, expect, it } from 'vitest'
import { foundBoxes } from '../../src/pipeline/stages/found-boxes.js'
import type { ShardResult } from '../../src/shards/shard-task.js'

const result = (phrases: number, answered: number, pictures = 2, skipped = false) =>
  ({
    record: { in: phrases, out: answered, files: { proposals: { rows: pictures } } },
    skipped,
  }) as unknown as ShardResult

describe('a teacher that was asked', () => {
  it('and found nothing in any shard is told of, with what it was asked', () => {
    const found = foundBoxes()
    expect(found.isNothing()).toBe(false)
    const first = result(100, 0, 30)
    expect(found.add(first)).toBe(first)
    found.add(result(48, 0, 7))
    expect(found.isNothing()).toBe(true)
    expect(found.warning('teach', 'mine')).toContain(
      'stage "teach": mine found nothing at all: no proposal for any of 148 phrases in 37 pictures.',
    )
    found.add(result(5, 1))
    expect(found.isNothing()).toBe(false)
  })

  it('nothing, or in a shard that was made before, is not', () => {
    const found = foundBoxes()
    found.add(result(0, 0))
    found.add(result(50, 0, 5, true))
    expect(found.isNothing()).toBe(false)
  })
})
