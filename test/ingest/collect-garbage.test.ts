import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { collectGarbage, garbageCollector } from '../../src/ingest/collect-garbage.js'
import { imageServer } from '../helpers/image-server.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const jpeg = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#3c3' } })
  .jpeg()
  .toBuffer()
/** A small picture with much behind its end, which no decoder minds. */
const heavy = Buffer.concat([jpeg, Buffer.alloc(480_000)])
const rows = 400
const { url } = await imageServer(
  Object.fromEntries(
    Array.from({ length: rows }, (_, index) => [`/${index}.jpg`, (_, response) => response.end(heavy)]),
  ),
)

const mb = 1 << 20

describe('collecting garbage', () => {
  it('keeps the heap within 32 MB or half of what is alive, and is not done for less', () => {
    const step = fc.record({
      made: fc.integer({ min: 0, max: 40 * mb }),
      kept: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 0, max: 500 * mb }),
        (steps, first) => {
          let [used, alive, last] = [first, first, first]
          const collect = () => {
            // Not while there is less garbage than that.
            expect(used - last).toBeGreaterThan(Math.max(32 * mb, last / 2))
            used = alive
            last = alive
          }
          const check = garbageCollector(collect, () => used)
          for (const { made, kept } of steps) {
            used += made
            alive += Math.floor(made * kept)
            check()
            expect(used - last).toBeLessThanOrEqual(Math.max(32 * mb, last / 2))
          }
        },
      ),
    )
  })

  it('frees buffers that nothing holds any more, without a gc for all to call', () => {
    collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    for (let round = 0; round < 40; round++) {
      // 25 parts each, so that none is large enough for V8 to hurry.
      Array.from({ length: 25 }, () => Buffer.alloc(mb / 5, round))
      collectGarbage()
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * mb)
    }
    expect((globalThis as { gc?: unknown }).gc).toBe(undefined)
  })

  it('goes on while a shard is made', { timeout: 60_000 }, async () => {
    const list = join(folder, 'heavy.tsv')
    const lines = Array.from({ length: rows }, (_, index) => `${url}/${index}.jpg\tpicture ${index}\n`)
    await writeFile(list, `url\tcaption\n${lines.join('')}`)
    let forced = 0
    const observer = new PerformanceObserver((entries) => {
      for (const { detail } of entries.getEntries() as { detail?: { flags?: number } }[])
        if ((detail?.flags ?? 0) & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) forced++
    })
    observer.observe({ entryTypes: ['gc'] })
    const { images } = await ingestAll(join(folder, 'heavy'), { format: 'tsv', path: list, shard_size: 40 })
    await new Promise((resolve) => setImmediate(resolve))
    observer.disconnect()
    expect(images).toHaveLength(rows)
    // 190 MB came in, in shards of 19 MB.
    expect(forced).toBeGreaterThan(0)
  })
})
