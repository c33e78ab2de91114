/**
 * The same toy network, data and steps in PyTorch: is what a training learns, or does not learn, a matter of
 * this program's engine? The `toy` preset is trained on the gold of a run of the toy world by the teacher's
 * recipe of pipelines/self-training.yaml; beside it PyTorch trains from the same start weights on the same
 * batches in the same order. Told are both curves of the loss, and how both models score on held-out sets.
 *
 *     npm run verify:twin -- --run runs/self-training [--steps 600] [--seed 1] [--recipe before-all] [--threads 2] [--python python3] [--json]
 *
 * `--run` is the folder of a run with the datasets gold, known, attributes and web; it is only read.
 * `--recipe` takes a recipe of bench/toy-cycle.ts in which something is as it was before. Where Python lacks
 * torch or numpy the figure is null.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { categoriesOf, type Evaluation, evaluateModel } from '../src/evaluate/evaluate-model.js'
import { writeModelFolder } from '../src/model/model-folder.js'
import { evaluationName } from '../src/pipeline/promotion/evaluation-record.js'
import { readPipeline } from '../src/pipeline/read-pipeline.js'
import { readDataset } from '../src/shards/dataset.js'
import { readShard } from '../src/shards/read-shard.js'
import { openStorage } from '../src/storage/open-storage.js'
import { openTeacher } from '../src/teacher/open-teacher.js'
import { openTraining, type Training } from '../src/train/open-training.js'
import { learningRate } from '../src/train/optimizer/learning-rate.js'
import { parametersOfState } from '../src/train/optimizer/optimizer-state.js'
import { takeStep } from '../src/train/take-step.js'
import type { NamedArray } from '../src/weights/safetensors.js'
import { compareLosses, compareTerms } from './loss-curves.js'
import { hasTorch, type Losses, openTorchTwin } from './parity/torch-twin.js'
import { gatherFigures, option, printReport, refuse } from './report.js'
import { ablations, stageIn } from './toy-cycle.js'

const run = option('run', '')
if (run === '') refuse('verify:twin: give --run FOLDER, a run of the toy world.')
const steps = Number(option('steps', '600'))
const seed = Number(option('seed', '1'))
const threads = Number(option('threads', '2'))
const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const recipeName = option('recipe', '')
const changed = recipeName === '' ? undefined : ablations[recipeName]
if (recipeName !== '' && !changed)
  refuse(`verify:twin: --recipe ${recipeName}: use one of ${Object.keys(ablations).join(', ')}.`)
/** Batches that are handed to PyTorch at once: some 40 MB. */
const handed = 20
const { figures, report } = gatherFigures()

const pipeline = await readPipeline('pipelines/self-training.yaml', {
  set: [`teacher.steps=${steps}`, `teacher.seed=${seed}`, `teacher.threads=${threads}`],
})
const teacherConfig = stageIn(pipeline, 'teacher', 'train').with

/** A dataset of the run, whose gold was written by its ingest stage. */
async function datasetOf(name: string) {
  const storage = openStorage(join(run, name))
  return { name, storage, shards: (await readDataset(storage)).shards, stage: name }
}

async function captionsOf(name: string): Promise<string[]> {
  const { storage, shards } = await datasetOf(name)
  const texts: string[] = []
  for (const shard of shards)
    for await (const { captions } of readShard(storage, 'images', null, shard, { columns: ['captions'] }))
      texts.push(...captions.map(({ text }) => text))
  return texts
}

/** A training of the recipe, set up in a folder as the train stage sets it up. */
async function setUp(folder: string): Promise<Training> {
  const gold = await datasetOf('gold')
  return openTraining({
    name: 'ours',
    folder,
    config: changed ? changed(teacherConfig) : teacherConfig,
    sources: [{ ...gold, grounding: gold.stage, phrases: gold.stage }],
    texts: (await Promise.all(teacherConfig.vocabulary.map(captionsOf))).flat(),
  })
}

interface Trained {
  readonly losses: readonly Losses[]
  readonly parameters: readonly NamedArray[]
}

/** Trains here and in PyTorch, in turns. */
async function trainBoth(
  { config, network, state, batch, run: runStep }: Training,
  folder: string,
): Promise<{ readonly ours: Trained; readonly theirs: Trained }> {
  const parameters = parametersOfState(state, 'value')
  const twin = await openTorchTwin(python, folder, { config: network, recipe: config, parameters, threads })
  try {
    const ours: Losses[] = []
    const theirs: Losses[] = []
    while (ours.length < config.steps) {
      const batches = []
      for (let count = Math.min(handed, config.steps - ours.length); count > 0; count--) {
        const step = ours.length + 1
        const given = await batch(step, 0)
        batches.push(given)
        ours.push(takeStep(state, [await runStep(given)], step, learningRate(step, config), config))
      }
      theirs.push(...(await twin.train(batches)))
      const [here, there] = [ours.at(-1)!.loss, theirs.at(-1)!.loss]
      console.error(`step ${ours.length}: loss ${here.toFixed(4)}, PyTorch ${there.toFixed(4)}`)
    }
    return {
      ours: { losses: ours, parameters: parametersOfState(state) },
      theirs: { losses: theirs, parameters: await twin.finish() },
    }
  } finally {
    twin.close()
  }
}

/** Scores parameters as a model on a held-out set, as the pipeline's evaluate stage does. */
async function scoresOf(folder: string, set: 'known' | 'attributes'): Promise<Evaluation> {
  const teacher = await openTeacher(folder, { threads })
  try {
    const config = stageIn(pipeline, evaluationName('teacher', set), 'evaluate').with
    const dataset = await datasetOf(set)
    return await evaluateModel(teacher, dataset, config, await categoriesOf(dataset))
  } finally {
    await teacher.close()
  }
}

async function reportScores(who: string, folder: string): Promise<void> {
  const known = await scoresOf(folder, 'known')
  const { attributes } = await scoresOf(folder, 'attributes')
  report(`AUC of colour, ${who}`, attributes?.colour.auc ?? null, '0 to 1')
  report(`AUC of size, ${who}`, attributes?.size.auc ?? null, '0 to 1')
  report(`known AP50, ${who}`, known.ap50, '0 to 1')
  report(`known recall@1, ${who}`, known.recall1, '0 to 1')
  report(`known IL_MCC, ${who}`, known.il_mcc, '-1 to 1')
}

if (!hasTorch(python)) {
  report('loss', null, '', '', null, `${python} has no torch and numpy`)
} else {
  const folder = await mkdtemp(join(tmpdir(), 'groundmill-twin-'))
  try {
    const training = await setUp(join(folder, 'training'))
    const { ours, theirs } = await trainBoth(training, folder).finally(training.close)
    const curveOf = ({ losses }: Trained) => losses.map(({ loss }) => loss)
    Object.assign(figures, compareTerms(ours.losses[0]!, theirs.losses[0]!))
    Object.assign(figures, compareLosses(curveOf(ours), curveOf(theirs)))
    for (const [who, { parameters }] of [
      ['ours', ours],
      ['PyTorch', theirs],
    ] as const) {
      const model = join(folder, who)
      await writeModelFolder(model, {
        config: training.network,
        vocabulary: training.tokenizer.vocabulary,
        parameters,
        card: '',
      })
      await reportScores(who, model)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
printReport('twin', 1, figures)
if (Object.values(figures).some(({ met }) => met === false)) process.exitCode = 1
