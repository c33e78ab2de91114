import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { readStats } from '../../src/catalog/read-stats.js'
import { exportCommand } from '../../src/cli/export.js'
import { mine } from '../../src/cli/mine.js'
import { parsePipeline, readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { exactStatistics } from '../../src/query/exact-statistics.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const run = join(folder, 'run')
const url = join(run, 'gold')
const pipelinePath = join(folder, 'pipeline.yaml')
const source = `format: coco, images: "${world}/gold/images", instances: "${world}/gold/annotations.json"`
const { signal } = new AbortController()

const written: string[] = []
beforeAll(async () => {
  await makeSmallWorld(world)
  await writeFile(
    pipelinePath,
    `name: p
stages:
  - { name: gold, uses: ingest, with: { ${source}, shard_size: 10, limit: 20 } }
  - { name: once, uses: dedup, needs: [gold] }
  - { name: absent, uses: mine, needs: [once], with: { max: 4 } }
  - { name: pairs, uses: export, needs: [once, absent], with: { format: saco } }
`,
  )
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean(written.push(String(text))))
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  return () => vi.restoreAllMocks()
})

describe('a stage mine', () => {
  it('that finds none stops nothing that needs it', async () => {
    const gold = { name: 'gold', uses: 'ingest', with: { format: 'coco', images: `${world}/gold/images` } }
    const whole = JSON.parse(await readFile(`${world}/gold/annotations.json`, 'utf8'))
    const [first] = whole.annotations
    const { id, file_name, width, height } = whole.images.find(
      (image: { id: number }) => image.id === first.image_id,
    )
    const images = [{ id, file_name, width, height }]
    const categories = whole.categories.filter(({ id }: { id: number }) => id === first.category_id)
    const instances = join(folder, 'one.json')
    await writeFile(instances, JSON.stringify({ images, categories, annotations: [first] }))
    const pipeline = await parsePipeline({
      name: 'p',
      stages: [
        { ...gold, with: { ...gold.with, instances } },
        { name: 'absent', uses: 'mine', needs: ['gold'], with: { sources: ['frequent'] } },
        { name: 'pairs', uses: 'export', needs: ['gold', 'absent'], with: { format: 'saco' } },
      ],
    })
    const { outcomes } = await runPipeline(pipeline, join(folder, 'none'))
    const { nothing, warnings } = outcomes.get('absent') ?? {}
    expect(nothing).toBeUndefined()
    expect(warnings).toEqual(['nothing came of "absent": what needs it goes on without'])
    expect(outcomes.get('pairs')).toMatchObject({ ran: 1 })
  })

  it('mines the gold that it needs, once, and an export takes what it mined', async () => {
    const pipeline = await readPipeline(pipelinePath)
    const { failed, outcomes } = await runPipeline(pipeline, run)
    expect(failed).toBe(0)
    expect(outcomes.get('absent')).toMatchObject({ ran: 2, skipped: 0 })
    const again = await runPipeline(pipeline, run)
    for (const outcome of again.outcomes.values()) expect(outcome.ran).toBe(0)

    const { images, annotations } = JSON.parse(
      await readFile(join(run, 'exports/pairs/pairs.json'), 'utf8'),
    ) as Record<'images' | 'annotations', Record<string, unknown>[]>
    const boxed = new Set(annotations.map(({ image_id }) => image_id))
    const absent = images.filter(({ id }) => !boxed.has(id))
    const [stage] = (await readStats(url)).filter(({ family }) => family === 'negatives')
    expect(absent).toHaveLength(stage?.out ?? -1)
    expect(absent.length).toBeGreaterThan(20)

    // Rows and records say the same.
    const exact = await exactStatistics(openStorage(url), { top: 5 })
    const counted = exact.stages.find(({ family }) => family === 'negatives')?.counts
    expect(counted).toEqual(stage?.stats.counts)
    expect(counted?.exhaustive_images).toBe(20)
  })

  it('is already done for the command', async () => {
    await mine(url, { as: 'absent', gold: 'once', set: ['max=4'] }, signal)
    expect(written.join('')).toMatch(/✓ absent {2}\d+ negatives of \d+ proposed .*already done/)
    const out = join(folder, 'boxes')
    await exportCommand(url, { as: 'once', format: 'coco', negatives: 'absent', out }, signal)
    const { images } = JSON.parse(await readFile(join(out, 'instances.json'), 'utf8'))
    expect(images.some(({ negatives = [] }: { negatives?: string[] }) => negatives.length > 0)).toBe(true)
    await expect(
      exportCommand(url, { as: 'once', format: 'coco', negatives: 'other', out }, signal),
    ).rejects.toThrow('has no negatives "other"; it has: absent.')
  })

  it('is refused where nothing says what is absent', async () => {
    await writeFile(
      join(folder, 'web.yaml'),
      `name: p
stages:
  - { name: gold, uses: ingest, with: { ${source}, limit: 3 } }
  - { name: absent, uses: mine, needs: [gold], with: { sources: [nonsense] } }
`,
    )
    await expect(readPipeline(join(folder, 'web.yaml'))).rejects.toThrow(/sources/)
    await expect(mine(url, { as: 'a', gold: 'nothing', set: [] }, signal)).rejects.toThrow(
      'has no grounding "nothing"; it has: gold, once.',
    )
  })
})
