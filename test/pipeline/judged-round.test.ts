import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { planRun } from '../../src/pipeline/plan/plan-run.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { oneStepCycle } from '../helpers/one-step-cycle.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const run = join(folder, 'run')
let server: Awaited<ReturnType<typeof serveFolder>>
const read = () =>
  readPipeline('pipelines/quickstart.yaml', {
    set: [
      ...oneStepCycle(world, server.url),
      'gold.limit=12',
      'rounds.held_out=[novel]',
      'rounds.promote={set: novel, metric: recall1}',
      'rounds.evaluate={novel: {unseen_in: gold}}',
      'rounds.judge={steps: 3, batch: 12, warmup: 1}',
      'rounds.verify={checked: {judge: network, max_boxes: 3}}',
      'rounds.train.weigh_by=checked',
      'rounds.filter.rules=[{rule: verdict, by: checked, min: 0.1, as: score}]',
    ],
  })

beforeAll(async () => {
  await makeSmallWorld(world)
  server = await serveFolder(join(world, 'web'))
  return () => server.close()
}, 240_000)

describe('a round that asks a judge', () => {
  it('trains it, keeps what it accepts, and says so in its record', { timeout: 240_000 }, async () => {
    const pipeline = await read()
    const before = await planRun(pipeline, run)
    expect(before.faults).toEqual([])
    const modelsOf = ({ stages }: typeof before) =>
      Object.fromEntries(stages.flatMap(({ name, model }) => (model ? [[name, model]] : [])))
    expect(modelsOf(before)).toMatchObject({
      'round-1-label-on-gold': { stage: 'teacher' },
      'round-1-checked': { stage: 'round-1-judge' },
      'round-1-student': { stage: 'teacher' },
    })
    const { failed } = await runPipeline(pipeline, run)
    expect(failed).toBe(0)
    const { storage, shards } = await openDataset(join(run, 'web'))
    const parts = {
      grounding: { stage: 'round-1-filter' },
      verdicts: { stage: 'round-1-checked' },
    } as const
    let boxes = 0
    for (const shard of shards)
      for await (const { grounding, verdicts } of joinRows(storage, shard, parts)) {
        const said = new Map(verdicts.verdicts.map(({ xyxy, probability }) => [String(xyxy), probability]))
        for (const { xyxy, score } of grounding.regions) expect(score).toBe(said.get(String(xyxy)))
        const accepted = verdicts.verdicts.filter(({ xyxy, probability }) => xyxy && probability >= 0.1)
        expect(grounding.regions.length).toBe(accepted.length)
        boxes += accepted.length
      }
    expect(boxes).toBeGreaterThan(0)
    const round = JSON.parse(await readFile(join(run, 'rounds', '1.json'), 'utf8'))
    const { stages } = round.result.lineage
    expect(stages['round-1-judge']).toMatchObject({ steps: 3 })
    expect(stages['round-1-checked']).toMatchObject({ judge: 'network' })
    expect(stages['round-1-student']).toMatchObject({ weigh_by: 'round-1-checked' })
    const after = await planRun(pipeline, run)
    expect(after.stages.filter(({ total, done }) => total !== done)).toEqual([])
  })
})
