import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, it } from 'vitest'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { hashStart } from '../../src/model/model-folder.js'
import { partialWeights } from '../../src/model/start-weights.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { readSafetensors, writeSafetensors } from '../../src/weights/safetensors.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const run = join(folder, 'run')
let server: Awaited<ReturnType<typeof serveFolder>>
const set = () => [
  `world=${world}`,
  `web_url=${server.url}`,
  'known.limit=2',
  'novel.limit=2',
  'attributes.limit=2',
  'teacher.steps=6',
  'teacher.batch=2',
  'teacher.checkpoint_every=2',
  'rounds.train.steps=3',
  'rounds.train.batch=2',
  'rounds.teach.floor=0.001',
  'rounds.filter.rules=[{rule: score, min: 0.002}]',
]

beforeAll(async () => {
  await makeSmallWorld(world)
  server = await serveFolder(join(world, 'web'))
  return () => server.close()
})

describe('the whole cycle', () => {
  it('goes through two rounds, adds up at every stage, and is read by DuckDB', {
    timeout: 480_000,
  }, async () => {
    const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: set(), rounds: 2 })
    const { failed, outcomes } = await runPipeline(pipeline, run)
    expect(failed).toBe(0)
    expect([...outcomes.values()].every(({ ran }) => ran > 0)).toBe(true)
    const funnel = await datasetFunnel(openStorage(join(run, 'web')))
    expect(funnel.map(({ stage }) => stage)).toEqual([
      'web',
      'phrases',
      'round-1-label',
      'round-2-label',
      'round-1-filter',
      'round-2-filter',
    ])
    for (const { in: given, out, rejected } of funnel) {
      expect(given).toBe(out + Object.values(rejected).reduce((sum, count) => sum + count, 0))
    }
    expect(funnel[0]).toMatchObject({ in: 40, out: 36 })
    expect(funnel[4].out).toBeGreaterThan(0)

    const round = JSON.parse(await readFile(join(run, 'rounds', '2.json'), 'utf8'))
    expect(round.result.lineage.stages['round-2-filter'].rules).toEqual([{ rule: 'score', min: 0.002 }])
    expect(Object.keys(round.result.scores)).toEqual(['known', 'novel', 'attributes'])
    const report = JSON.parse(await readFile(join(run, 'report.json'), 'utf8'))
    for (const held of ['known', 'novel', 'attributes']) {
      for (const model of ['teacher', 'student']) {
        for (const score of ['ap', 'ap50', 'recall1']) expect(report[held][model][score]).toBeTypeOf('number')
      }
    }
    expect(report.promoted).toBeTypeOf('boolean')
    expect(report.labels).toMatchObject({ pictures: 36, picturesWithTruth: 36 })
    expect(report.labels.kinds[0]).toMatchObject({ dimension: 'all', labels: funnel.at(-1)?.out })
    expect(report.labels.kinds[0].chance).toBeGreaterThan(0)
    const audit = JSON.parse(await readFile(join(run, 'audits', 'round-2-audit.json'), 'utf8'))
    expect(audit.result).toEqual(report.labels)

    const connection = await (await DuckDBInstance.create()).connect()
    const rows = await connection.runAndReadAll(
      `select count(*) as rows, sum(len(regions)) as regions from '${run}/web/grounding/round-1-filter/*.parquet'`,
    )
    expect(rows.getRowObjectsJson()).toEqual([{ rows: '36', regions: String(funnel[4].out) }])
  })

  it('finds everything done when it runs again', async () => {
    const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: set(), rounds: 2 })
    const { outcomes } = await runPipeline(pipeline, run)
    for (const [name, { ran }] of outcomes) expect(ran, name).toBe(0)
  })

  it('trains a model anew that has lost a file, and nothing else', async () => {
    await rm(join(run, 'models', 'round-2-student', 'model.safetensors'))
    const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: set(), rounds: 2 })
    const { outcomes } = await runPipeline(pipeline, run)
    expect([...outcomes].filter(([, { ran }]) => ran > 0).map(([name]) => name)).toEqual(['round-2-student'])
  })

  it('decides on promotion anew when the way of scoring changes', async () => {
    const changed = [...set(), 'rounds.evaluate.novel.floor=0.9']
    const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: changed, rounds: 2 })
    await runPipeline(pipeline, run)
    const evaluation = JSON.parse(
      await readFile(join(run, 'evaluations', 'round-2-student-on-novel.json'), 'utf8'),
    )
    const round = JSON.parse(await readFile(join(run, 'rounds', '2.json'), 'utf8'))
    expect(evaluation.result.ap).toBe(0)
    expect(round.result.scores.novel.student).toEqual(evaluation.result)
  })

  it('takes what a stage works on from one stage only', async () => {
    const path = join(folder, 'two.yaml')
    await writeFile(
      path,
      `name: two
stages:
  - { name: a, uses: ingest, with: { format: tsv, path: ${world}/web/pairs.tsv, base_url: "${server.url}", limit: 2 } }
  - { name: b, uses: ingest, with: { format: tsv, path: ${world}/web/pairs.tsv, base_url: "${server.url}", limit: 2 } }
  - { name: phrases, uses: chunk, needs: [a, b] }
`,
    )
    await expect(runPipeline(await readPipeline(path), join(folder, 'two'))).rejects.toThrow(
      /"phrases" \(chunk\) takes a dataset from one stage, and needs several that give it: a, b/,
    )
  })

  it('runs only the filter again when a threshold changes', async () => {
    const changed = [...set(), 'rounds.filter.rules=[{rule: score, min: 0.003}]']
    const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: changed })
    const { outcomes } = await runPipeline(pipeline, run, { only: ['round-1-filter'] })
    expect([...outcomes].filter(([, { ran }]) => ran > 0).map(([name]) => name)).toEqual(['round-1-filter'])
  })

  it('goes on from a checkpoint with the losses it would have had', async () => {
    const lossesOf = async (url: string) => {
      const text = await readFile(join(url, 'models', 'teacher', 'metrics.jsonl'), 'utf8')
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).loss as number)
    }
    const calm = await lossesOf(run)
    const stopped = join(folder, 'stopped')
    const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: set() })
    const abort = new AbortController()
    const options = {
      only: ['teacher'],
      signal: abort.signal,
      onProgress: ({ name }: { name: string }, done: number) => {
        if (name === 'teacher' && done === 3) abort.abort()
      },
    }
    await expect(runPipeline(pipeline, stopped, options)).rejects.toThrow()
    await runPipeline(pipeline, stopped, { only: ['teacher'] })
    const resumed = await lossesOf(stopped)
    expect(resumed).toHaveLength(calm.length)
    resumed.forEach((loss, index) => {
      expect(loss).toBeCloseTo(calm[index], 4)
    })
  })

  it('trains from imported weights of a part of the network', async () => {
    const start = join(folder, 'start')
    const { tensors } = await readSafetensors(join(run, 'models', 'teacher', 'model.safetensors'))
    const backbone = [...tensors.values()].filter(({ name }) => name.startsWith('backbone.body.'))
    await writeSafetensors(join(start, 'model.safetensors'), backbone, partialWeights)
    const begun = join(folder, 'begun')
    const pipeline = await readPipeline('pipelines/quickstart.yaml', {
      set: [...set(), `teacher.init=${start}`],
    })
    await runPipeline(pipeline, begun, { only: ['teacher'] })
    const record = JSON.parse(await readFile(join(begun, 'models', 'teacher', 'record.json'), 'utf8'))
    expect(record.inputs.init).toBe(await hashStart(start))
    expect(record.result.start.taken.toSorted()).toEqual(backbone.map(({ name }) => name).sort())
    expect(record.result.start.fresh.length).toBe(tensors.size - backbone.length)
  })

  it('sets a shard aside that keeps failing, and goes on with the rest', async () => {
    const name = 'round-1-filter'
    const web = openStorage(join(run, 'web'))
    const { path } = await committedFile(web, 'proposals', 'round-1-label', '00000')
    const proposals = web.path(path)
    await writeFile(proposals, (await readFile(proposals)).subarray(0, 500))
    const changed = [...set(), 'rounds.filter.rules=[{rule: score, min: 0.004}]']
    const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: changed })
    const { failed, outcomes } = await runPipeline(pipeline, run, { only: [name] })
    expect(failed).toBe(1)
    expect(outcomes.get(name)?.failed[0].error).toMatch(
      /proposals.round-1-label.00000-[0-9a-f]{16}\.parquet is damaged or cut short/,
    )
  })
})
