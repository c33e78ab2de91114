import { join } from 'node:path'
import { packaged } from '../src/base/files/packaged.js'
import { openDataset } from '../src/catalog/open-dataset.js'
import { runWithProgress } from '../src/cli/run-with-progress.js'
import { datasetOutput } from '../src/pipeline/dataset-output.js'
import { readPipeline } from '../src/pipeline/read-pipeline.js'
import { teach } from '../src/pipeline/stages/teach.js'
import { train } from '../src/pipeline/stages/train.js'
import { runStage } from '../src/pipeline/tasks/run-stage.js'
import type { GroundingRow, NegativeRow } from '../src/rows/rows.js'
import { committedFile } from '../src/shards/committed-file.js'
import { joinRows } from '../src/shards/join-rows.js'
import { runShardTask } from '../src/shards/shard-task.js'
import { emptyStats } from '../src/statistics/stats.js'
import { openStorage } from '../src/storage/open-storage.js'
import { teachConfig } from '../src/teacher/config.js'
import { makeWorld } from '../src/world/make-world.js'
import { readRecipe } from '../src/world/recipe.js'
import { injectErrors } from './inject-errors.js'
import { option } from './report.js'
import { stageIn } from './toy-cycle.js'

const options = {
  seeds: option('seeds', '1').split(',').map(Number),
  shares: option('shares', '5,10,20').split(',').map(Number),
  pictures: Number(option('pictures', '2000')),
  steps: Number(option('steps', '1000')),
  threads: Number(option('threads', '0')),
  folder: option('dir', 'runs/bench-doubt'),
} as const

async function prepare(seed: number) {
  const dir = join(options.folder, `seed-${seed}`)
  const base = await readRecipe(packaged('datasets/toy.yaml'))
  const recipe = {
    ...base,
    seed: base.seed + seed,
    splits: { gold: options.pictures, known: 200, web: 0, novel: 0, attributes: 0 },
  }
  await makeWorld(recipe, join(dir, 'world'))
  const set = [`world=${join(dir, 'world')}`, 'web_url=http://127.0.0.1:1/']
  const pipeline = await readPipeline('pipelines/self-training.yaml', { set, rounds: 1 })
  const stages = pipeline.stages.filter(({ name }) => name === 'gold' || name === 'known')
  await runWithProgress({ ...pipeline, stages }, dir, {})
  return { dir, teacher: stageIn(pipeline, 'teacher', 'train').with }
}

for (const seed of options.seeds) {
  const { dir, teacher } = await prepare(seed)
  const storage = openStorage(join(dir, 'gold'))
  for (const share of options.shares) {
    const name = `noisy-${share}`
    let dataset = await openDataset(join(dir, 'gold'))
    for (const shard of dataset.shards) {
      const phrases = (await committedFile(storage, 'phrases', 'gold', shard)).sha256
      const grounding = (await committedFile(storage, 'grounding', 'gold', shard)).sha256
      const task = {
        storage,
        stage: name,
        shard,
        configHash: `${share}/${seed}`,
        inputs: { phrases, grounding },
      }
      await runShardTask(task, 'grounding', async (write) => {
        const rows: GroundingRow[] = []
        const negatives: NegativeRow[] = []
        let out = 0
        for await (const row of joinRows(storage, shard, {
          images: { columns: ['width', 'height'] },
          grounding: { stage: 'gold' },
          negatives: { stage: 'gold' },
        })) {
          const { width, height } = row.images
          const made = injectErrors({ key: row.key, width, height }, row.grounding.regions, {
            rate: share / 100,
            seed,
          })
          out += made.regions.length
          rows.push({ ...row.grounding, regions: made.regions })
          negatives.push(row.negatives)
        }
        return {
          files: {
            grounding: await write('grounding', rows),
            negatives: await write('negatives', negatives),
          },
          ...{ unit: 'regions', in: out, out, rejected: {}, stats: emptyStats },
        }
      })
    }
    dataset = await openDataset(join(dir, 'gold'))
    const noisy = await datasetOutput(dataset, 'grounding', name)
    const run = openStorage(dir)
    const outputs = new Map([[name, noisy]])
    console.log(name, 'training')
    const model = await runStage(
      train,
      {
        name: `model-${share}`,
        needs: [name],
        with: { ...teacher, vocabulary: [], steps: options.steps, seed, threads: options.threads },
      },
      { run, outputs },
      { onProgress: (_, done, of, note) => done % 100 === 0 && console.log(done, of, note) },
    )
    outputs.set(`model-${share}`, model.output)
    console.log(name, 'teaching')
    await runStage(
      teach,
      {
        name: `boxes-${share}`,
        needs: [name, `model-${share}`],
        with: teachConfig.parse({ floor: 0.02, max_boxes: 20, threads: options.threads }),
      },
      { run, outputs },
    )
    console.log(name, 'done')
  }
}
