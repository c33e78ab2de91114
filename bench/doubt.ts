/**
 * Does `doubt` find what is wrong in gold, and does a training that weighs by it lose less? Toy worlds, in whose gold
 * each thing has an error of each of four kinds with the same probability: its box is removed; moved to an IoU of 0.3 to
 * 0.6 with its own; exchanged with that of a thing of other phrases; or a box is added where nothing is. A model is trained
 * on that gold itself, asked for its boxes, and what `doubt` says is held against what was done: the area under the ROC
 * curve of each kind against what nothing was done to, beside that of the score of the box alone and of lots. For the
 * last share another model is trained that weighs by these doubts, one that takes boxes where they would have them as well,
 * and one on gold without errors: how much of the AP on held-out pictures that errors cost is won back.
 *
 * What was made before is found in the folder: a run that is stopped goes on, and `--only` makes a part.
 *
 *     npm run bench:doubt -- [--seeds 1,2,3] [--shares 5,10,20] [--steps 2500] [--pictures 2000] [--only find,train] [--threads 2] [--dir runs/bench-doubt] [--json]
 */
import { join } from 'node:path'
import { packaged } from '../src/base/files/packaged.js'
import { random } from '../src/base/random.js'
import { openDataset } from '../src/catalog/open-dataset.js'
import { runWithProgress } from '../src/cli/run-with-progress.js'
import { doubtConfig } from '../src/doubt/config.js'
import type { BoxDoubt } from '../src/doubt/doubt-model.js'
import { ownLogit } from '../src/doubt/evidence.js'
import { learnDoubt } from '../src/doubt/learn-doubt.js'
import { readDoubted } from '../src/doubt/read-doubted.js'
import { wrongKinds } from '../src/doubt/spoil.js'
import { evaluateConfig } from '../src/evaluate/config.js'
import { datasetOutput } from '../src/pipeline/dataset-output.js'
import { readPipeline } from '../src/pipeline/read-pipeline.js'
import { doubt } from '../src/pipeline/stages/doubt.js'
import { evaluate } from '../src/pipeline/stages/evaluate.js'
import type { StageOutput } from '../src/pipeline/stages/stage-context.js'
import { teach } from '../src/pipeline/stages/teach.js'
import { train } from '../src/pipeline/stages/train.js'
import { runStage } from '../src/pipeline/tasks/run-stage.js'
import type { GroundingRow, NegativeRow } from '../src/rows/rows.js'
import { committedFile } from '../src/shards/committed-file.js'
import { joinRows } from '../src/shards/join-rows.js'
import { runShardTask } from '../src/shards/shard-task.js'
import { areaUnderCurve } from '../src/statistics/area-under-curve.js'
import { emptyStats } from '../src/statistics/stats.js'
import { openStorage } from '../src/storage/open-storage.js'
import { teachConfig } from '../src/teacher/config.js'
import { makeWorld } from '../src/world/make-world.js'
import { readRecipe } from '../src/world/recipe.js'
import { type ErrorKind, errorKinds, type Injected, injectErrors } from './inject-errors.js'
import { type Figure, option, printHelp, printReport } from './report.js'
import { seedFigure, stageIn } from './toy-cycle.js'

await printHelp(import.meta.url)

const options = {
  seeds: option('seeds', '1,2,3').split(',').map(Number),
  shares: option('shares', '5,10,20').split(',').map(Number),
  pictures: Number(option('pictures', '2000')),
  steps: Number(option('steps', '2500')),
  threads: Number(option('threads', '0')),
  only: option('only', 'find,train').split(','),
  folder: option('dir', 'runs/bench-doubt'),
} as const

/** How well errors of each kind are found, 0.5 by lot and 1 at best, by what they are ranked by. */
type Found = Readonly<Record<ErrorKind, Readonly<Record<'doubt' | 'score' | 'lot', number>>>>

/** A world of a seed with its gold, and the recipe of its models. */
async function openWorld(seed: number) {
  const dir = join(options.folder, `seed-${seed}`)
  const base = await readRecipe(packaged('datasets/toy.yaml'))
  const splits = { gold: options.pictures, known: 200, web: 0, novel: 0, attributes: 0 }
  await makeWorld({ ...base, seed: base.seed + seed, splits }, join(dir, 'world'))
  const set = [`world=${join(dir, 'world')}`, 'web_url=http://127.0.0.1:1/']
  const pipeline = await readPipeline('pipelines/self-training.yaml', { set, rounds: 1 })
  const stages = pipeline.stages.filter(({ name }) => name === 'gold' || name === 'known')
  await runWithProgress({ ...pipeline, stages }, dir, {})
  const { with: recipe } = stageIn(pipeline, 'teacher', 'train')
  const { steps, threads } = options
  return { seed, dir, recipe: { ...recipe, vocabulary: [], steps, threads, seed } }
}
type World = Awaited<ReturnType<typeof openWorld>>

/** Gold with errors, as a grounding of its own, with what was done to each picture. */
async function spoilGold({ dir, seed }: World, share: number) {
  const url = join(dir, 'gold')
  const storage = openStorage(url)
  const name = `errors-${share}`
  const done = new Map<string, Injected>()
  for (const shard of (await openDataset(url)).shards) {
    const rows: GroundingRow[] = []
    const negatives: NegativeRow[] = []
    const parts = {
      images: { columns: ['width', 'height'] },
      grounding: { stage: 'gold' },
      negatives: { stage: 'gold' },
    } as const
    for await (const { key, images, grounding, negatives: absent } of joinRows(storage, shard, parts)) {
      const made = injectErrors({ ...images, key }, grounding.regions, { rate: share / 100, seed })
      done.set(key, made)
      rows.push({ ...grounding, regions: made.regions })
      negatives.push(absent)
    }
    const hash = async (family: 'phrases' | 'grounding') =>
      (await committedFile(storage, family, 'gold', shard)).sha256
    const inputs = { phrases: await hash('phrases'), gold: await hash('grounding') }
    const task = { storage, stage: name, shard, configHash: `${share}/${seed}`, inputs }
    await runShardTask(task, 'grounding', async (write) => {
      const out = rows.reduce((sum, { regions }) => sum + regions.length, 0)
      const files = {
        grounding: await write('grounding', rows),
        negatives: await write('negatives', negatives),
      }
      return { files, unit: 'regions', in: out, out, rejected: {}, stats: emptyStats }
    })
  }
  return { name, done, output: await datasetOutput(await openDataset(url), 'grounding', name) }
}

/** A model of a grounding; with doubts, one that weighs by them, and mends as they say where that is asked. */
async function modelOf(
  { dir, recipe }: World,
  name: string,
  grounding: StageOutput,
  { doubts, mend }: { readonly doubts?: StageOutput; readonly mend?: true } = {},
) {
  const outputs = new Map([grounding, ...(doubts ? [doubts] : [])].map((output) => [output.name, output]))
  const config = { ...recipe, ...(doubts && { weigh_by: doubts.name }), ...(mend && { mend }) }
  const stage = { name, needs: [...outputs.keys()], with: config }
  const tell = (_: unknown, step: number, of: number) => {
    if (step % 100 === 0) process.stderr.write(`  ${dir} ${name}: step ${step} of ${of}\n`)
  }
  return (await runStage(train, stage, { run: openStorage(dir), outputs }, { onProgress: tell })).output
}

/** What the model of a grounding finds for its phrases. */
async function boxesOf(name: string, grounding: StageOutput, model: StageOutput): Promise<StageOutput> {
  const config = teachConfig.parse({ floor: 0.02, ask: 'attributes', threads: options.threads })
  const outputs = new Map([grounding, model].map((output) => [output.name, output]))
  const stage = { name, needs: [...outputs.keys()], with: config }
  return (await runStage(teach, stage, { outputs })).output
}

async function findErrors({ dir }: World, grounding: string, proposals: string, done: Map<string, Injected>) {
  const { storage, shards } = await openDataset(join(dir, 'gold'))
  const stages = { phrases: 'gold', grounding, proposals }
  const model = await learnDoubt(storage, shards, stages, doubtConfig.parse({}))
  const ranked = Object.fromEntries(
    errorKinds.map((kind) => [kind, { doubt: twoLists(), score: twoLists(), lot: twoLists() }]),
  ) as Record<ErrorKind, Record<'doubt' | 'score' | 'lot', Lists>>
  const draw = random(1, 'lots')
  for (const shard of shards)
    for await (const { picture } of readDoubted(storage, shard, stages)) {
      const made = done.get(picture.key)!
      model.boxes(picture).forEach((said, at) => {
        const wrong = made.wrong[at] ?? null
        for (const kind of wrongKinds) {
          if (wrong !== null && wrong !== kind) continue
          const list = wrong === kind ? 'wrong' : 'right'
          ranked[kind].doubt[list].push((said as BoxDoubt)[kind])
          ranked[kind].score[list].push(-ownLogit(picture, picture.boxes[at]!))
          ranked[kind].lot[list].push(draw.next())
        }
      })
      // A phrase one of whose boxes is moved or exchanged lacks one as well, in a way: it counts for neither.
      const lacking = new Set(made.removed.map(({ phrase }) => phrase))
      const unclear = new Set(made.regions.flatMap(({ phrase }, at) => (made.wrong[at] ? [phrase] : [])))
      const missing = model.missing(picture)
      picture.phrases.forEach((_, phrase) => {
        if (!lacking.has(phrase) && unclear.has(phrase)) return
        const list = lacking.has(phrase) ? 'wrong' : 'right'
        const own = missing.filter((one) => one.phrase === phrase)
        ranked.missing.doubt[list].push(Math.max(0, ...own.map(({ likelihood }) => likelihood)))
        ranked.missing.score[list].push(Math.max(0, ...own.map(({ score }) => score)))
        ranked.missing.lot[list].push(draw.next())
      })
    }
  return Object.fromEntries(
    errorKinds.map((kind) => {
      const { doubt, score, lot } = ranked[kind]
      return [kind, { doubt: areaOf(doubt), score: areaOf(score), lot: areaOf(lot) }]
    }),
  ) as Found
}

interface Lists {
  readonly wrong: number[]
  readonly right: number[]
}
const areaOf = ({ wrong, right }: Lists) => areaUnderCurve(wrong, right)
const twoLists = (): Lists => ({ wrong: [], right: [] })

async function apOf({ dir }: World, model: StageOutput): Promise<number> {
  const known = await datasetOutput(await openDataset(join(dir, 'known')), 'grounding', 'known')
  const stage = {
    name: `scores-${model.name}`,
    needs: ['known', model.name],
    with: evaluateConfig.parse({ threads: options.threads }),
  }
  const outputs = new Map([known, model].map((output) => [output.name, output]))
  return (await runStage(evaluate, stage, { run: openStorage(dir), outputs })).result.ap
}

const last = Math.max(...options.shares)
const found = new Map<number, Found[]>()
const trained: Readonly<Record<'clean' | 'plain' | 'weighed' | 'mended', number>>[] = []
for (const seed of options.seeds) {
  const world = await openWorld(seed)
  for (const share of options.only.includes('find') ? options.shares : [last]) {
    const { name, done, output } = await spoilGold(world, share)
    const model = await modelOf(world, `model-${share}`, output)
    const boxes = await boxesOf(`boxes-${share}`, output, model)
    if (options.only.includes('find'))
      found.set(share, [...(found.get(share) ?? []), await findErrors(world, name, boxes.name, done)])
    if (share !== last || !options.only.includes('train')) continue
    const outputs = new Map([output, boxes].map((one) => [one.name, one]))
    const stage = { name: `doubts-${share}`, needs: [name, boxes.name], with: doubtConfig.parse({}) }
    const doubts = (await runStage(doubt, stage, { outputs })).output
    const gold = await datasetOutput(await openDataset(join(world.dir, 'gold')), 'grounding', 'gold')
    trained.push({
      clean: await apOf(world, await modelOf(world, 'model-clean', gold)),
      plain: await apOf(world, model),
      weighed: await apOf(world, await modelOf(world, `weighed-${share}`, output, { doubts })),
      mended: await apOf(world, await modelOf(world, `mended-${share}`, output, { doubts, mend: true })),
    })
  }
}

const figures: Record<string, Figure> = {}
for (const [percent, seeds] of found)
  for (const kind of errorKinds) {
    const of = (by: 'doubt' | 'score' | 'lot') => seeds.map((one) => one[kind][by])
    const control = (by: 'score' | 'lot') => seedFigure(of(by)).value?.toFixed(3)
    const figure = seedFigure(of('doubt'), { least: 0.9 })
    figures[`AUROC, ${percent} % ${kind}`] = {
      ...figure,
      note: `${figure.note}; by score alone ${control('score')}, by lot ${control('lot')}`,
    }
  }
if (trained.length > 0) {
  figures['AP, gold without errors'] = seedFigure(trained.map(({ clean }) => clean))
  figures['AP, gold with errors'] = seedFigure(trained.map(({ plain }) => plain))
  figures['AP, weighed by doubts'] = seedFigure(trained.map(({ weighed }) => weighed))
  figures['AP, mended by doubts'] = seedFigure(trained.map(({ mended }) => mended))
  for (const [name, by] of [
    ['by weighing', 'weighed'],
    ['by mending', 'mended'],
  ] as const)
    figures[`lost AP that is won back ${name}`] = seedFigure(
      trained.map(({ clean, plain, [by]: own }) => 1 - (clean - own) / (clean - plain)),
      { least: 0.5 },
    )
}
printReport('doubt', options.seeds.length, figures)
