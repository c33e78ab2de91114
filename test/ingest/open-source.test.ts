import { readdir, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ingestConfig } from '../../src/ingest/config.js'
import { openSource } from '../../src/ingest/open-source.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import { sources } from '../../src/ingest/sources.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { plainRows, planOf, rowsOf, take, withSource } from '../helpers/rows-of.js'
import { sourceSamples } from '../helpers/source-samples.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const samples = await sourceSamples(folder)
const named = Object.entries(samples)

/** Files below the tests' folder that this process has open. */
async function openFiles(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  )
  return links.filter((path) => path.startsWith(folder))
}
const hasProc = process.platform === 'linux'

describe('the list of formats', () => {
  it('has the one object of each file, by the name of the file', async () => {
    const room = new URL('../../src/ingest/sources/', import.meta.url).pathname
    const files = await readdir(room)
    for (const file of files) {
      const exported: unknown[] = Object.values(await import(join(room, file)))
      const own = sources.find(({ name }) => name === file.replace('.ts', ''))
      expect(exported, file).toEqual([own])
    }
    expect(sources).toHaveLength(files.length)
    expect(new Set(named.map(([, { format }]) => format))).toEqual(new Set(sources.map(({ name }) => name)))
  })
})

describe('a source that is opened once', () => {
  it.each(named)('gives the rows of %s from any mark, as far as they are wanted', async (_, given) => {
    const whole = await rowsOf(given)
    expect(whole.length).toBeGreaterThan(15)
    const part = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: whole.length }))
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        await withSource(given, async (source) => {
          for (const [start, count] of parts) {
            const rows = await take(source.rows(whole[start]?.mark), count)
            expect(plainRows(rows)).toEqual(plainRows(whole.slice(start, start + count)))
          }
        })
      }),
      { numRuns: 12 },
    )
  })

  it.each(named)('gives the rows of %s whatever the size of its shards', async (_, given) => {
    const whole = plainRows(await rowsOf(given))
    for (const shard_size of [1, 2, 5, 7, 1000]) {
      await withSource({ ...given, shard_size }, async (source) => {
        const plan = await planIngest(source)
        expect(plan.rows).toBe(whole.length)
        const rows = []
        for (const shard of plan.shards) {
          const own = await take(source.rows(shard.mark), shard.rows)
          expect(plainRows(own)).toEqual(plainRows((await rowsOf(given, shard.mark)).slice(0, shard.rows)))
          rows.push(...own)
        }
        expect(plainRows(rows)).toEqual(whole)
      })
    }
    expect((await planOf(given)).sourceHash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('gives two that read it at once their own rows', async () => {
    const given = samples['tsv in gzip'] ?? {}
    const whole = await rowsOf(given)
    await withSource(given, async (source) => {
      const [one, other] = [source.rows(whole[3]?.mark), source.rows(whole[10]?.mark)]
      for (const index of [0, 1, 2]) {
        expect((await one.next()).value).toEqual(whole[3 + index])
        expect((await other.next()).value).toEqual(whole[10 + index])
      }
      await one.return(undefined)
      await other.return(undefined)
      expect(await take(source.rows(whole[13]?.mark), 2)).toEqual(whole.slice(13, 15))
    })
  })

  it('is read again where it failed before', async () => {
    const path = join(folder, 'late.json')
    await withSource({ format: 'coco', instances: path }, async (source) => {
      await expect(take(source.rows())).rejects.toThrow(/Cannot read .*late\.json/)
      await writeFile(path, JSON.stringify({ images: [{ id: 1, file_name: 'a' }], annotations: [] }))
      expect(await take(source.rows())).toHaveLength(1)
    })
  })

  it('cannot be read when it is closed', async () => {
    for (const [, given] of named) {
      const source = await openSource(ingestConfig.parse(given))
      await source.close()
      await source.close()
      await expect(take(source.rows())).rejects.toThrow('the source is closed')
    }
  })
})

describe.runIf(hasProc)('files', () => {
  // Larger than what is read ahead, and of letters that do not pack well.
  const long = Array.from({ length: 6000 }, (_, index) => {
    const noise = Array.from({ length: 12 }, (_, place) =>
      ((index * 7919 + place * 104_729) ** 2).toString(36),
    )
    return `http://127.0.0.1/${index}.jpg\t${noise.join('')}`
  })
  const text = `url\tcaption\n${long.join('\n')}\n`

  it.each([
    ['long.tsv', text],
    ['long.tsv.gz', gzipSync(text)],
  ])('of %s stay open between shards, and none behind close', async (name, bytes) => {
    const path = join(folder, name)
    await writeFile(path, bytes)
    const source = await openSource(ingestConfig.parse({ format: 'tsv', path }))
    await take(source.rows(), 2)
    expect(await openFiles()).toEqual([path])
    const reading = source.rows()
    await reading.next()
    await source.close()
    // Who is still reading closes the file with the reading.
    await reading.return(undefined)
    await expect.poll(openFiles).toEqual([])
  })

  it.each(named)('of %s are all closed', async (_, given) => {
    await withSource({ ...given, shard_size: 3 }, async (source) => {
      const { shards } = await planIngest(source)
      for (const { mark } of shards) await take(source.rows(mark), 2)
    })
    await expect.poll(openFiles).toEqual([])
  })

  it('are closed behind a run that stops within its list', async () => {
    const path = join(folder, 'run.tsv.gz')
    await writeFile(path, gzipSync(text))
    const pipeline = join(folder, 'run.yaml')
    await writeFile(
      pipeline,
      `name: p
stages:
  - name: web
    uses: ingest
    with: { format: tsv, path: ${path}, limit: 4, shard_size: 2, min_success_rate: 0 }
`,
    )
    const { outcomes } = await runPipeline(await readPipeline(pipeline), join(folder, 'run'))
    expect(outcomes.get('web')).toMatchObject({ ran: 2, failed: [] })
    await expect.poll(openFiles).toEqual([])
  })
})
