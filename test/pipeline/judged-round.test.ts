import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { planRun } from '../../src/pipeline/plan/plan-run.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { smallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const run = join(folder, 'run')
const teacher = join(folder, 'teacher.mjs')
/** Says of each part of any picture that it is what is asked for. */
const guesser = `
const places = [0, 0.25, 0.5].flatMap((x) => [0, 0.25, 0.5].map((y) => [x, y]))
const boxesIn = ({ width, height }) => places.map(([x, y], at) => ({
  xyxy: [x * width, y * height, (x + 0.5) * width, (y + 0.5) * height], score: 0.9 - 0.05 * at }))
export const teacher = { name: 'guesser', open: () => ({
  detect: (queries) => queries.map(({ picture, phrases }) =>
    phrases.flatMap((_, phrase) => boxesIn(picture).map((box) => ({ phrase, ...box })))) }) }
`
const rounds = {
  ...{ teacher, phrases: 'phrases', gold: ['gold'], start: 'scratch', promote: { always: true } },
  judge: { steps: 5, batch: 12, warmup: 1 },
  verify: { checked: { judge: 'network', max_boxes: 3 } },
  filter: { rules: [{ rule: 'verdict', by: 'checked', min: 0.001, as: 'score' }] },
}
const pipelineOf = ({ stages, ...more }: { readonly stages: readonly { readonly name: string }[] }) =>
  parsePipeline({ ...more, stages, rounds }, 'p.yaml')
let pipeline: Awaited<ReturnType<typeof pipelineOf>>

beforeAll(async () => {
  await writeFile(teacher, guesser)
  const world = await smallWorld()
  const server = await serveFolder(join(world, 'web'))
  const coco = {
    format: 'coco',
    images: join(world, 'gold/images'),
    instances: join(world, 'gold/annotations.json'),
  }
  const fetch = { allow_hosts: [server.url] }
  const web = { format: 'tsv', path: join(world, 'web/pairs.tsv'), base_url: server.url, fetch, limit: 8 }
  pipeline = await pipelineOf({
    ...{ name: 'judged' },
    stages: [
      { name: 'gold', uses: 'ingest', with: coco },
      { name: 'web', uses: 'ingest', with: web },
      { name: 'phrases', uses: 'chunk', needs: ['web'] },
    ],
  } as never)
  return () => server.close()
})

describe('a round that asks a judge', () => {
  it('trains it on what the teacher finds in gold, and keeps what it accepts', async () => {
    const before = await planRun(pipeline, run)
    expect(before.faults).toEqual([])
    // Nobody need learn from it here.
    const last = pipeline.stages.findIndex(({ name }) => name === 'round-1-filter')
    const labelling = { ...pipeline, stages: pipeline.stages.slice(0, last + 1) }
    expect((await runPipeline(labelling, run)).failed).toBe(0)
    const { storage, shards } = await openDataset(join(run, 'web'))
    const parts = {
      grounding: { stage: 'round-1-filter' },
      verdicts: { stage: 'round-1-checked' },
    } as const
    let boxes = 0
    for (const shard of shards)
      for await (const { grounding, verdicts } of joinRows(storage, shard, parts)) {
        const nameOf = (phrase: number, xyxy: unknown) => `${phrase} ${xyxy}`
        const said = new Map(
          verdicts.verdicts.map(({ phrase, xyxy, probability }) => [nameOf(phrase, xyxy), probability]),
        )
        for (const { phrase, xyxy, score } of grounding.regions)
          expect(score).toBe(said.get(nameOf(phrase, xyxy)))
        const accepted = verdicts.verdicts.filter(({ xyxy, probability }) => xyxy && probability >= 0.001)
        expect(grounding.regions.length).toBe(accepted.length)
        boxes += accepted.length
      }
    expect(boxes).toBeGreaterThan(0)

    const after = await planRun(pipeline, run)
    const stages = new Map(after.stages.map((stage) => [stage.name, stage]))
    expect(labelling.stages.filter(({ name }) => stages.get(name)?.done !== stages.get(name)?.total)).toEqual(
      [],
    )
    expect(stages.get('round-1-checked')?.model).toEqual({ stage: 'round-1-judge' })
    // Gold and what was found in it are the same pictures.
    expect(stages.get('round-1-judge')?.pictures).toBe(stages.get('gold')?.pictures)
  })
})
