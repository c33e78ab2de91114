/**
 * The whole cycle on a toy world of one seed, with its controls, as stages of one run: what was done before is
 * not done again, so that several benchmarks read the same folder.
 */
import { join } from 'node:path'
import type { AuditSummary } from '../src/audit/audit-labels.js'
import { packaged } from '../src/base/files/packaged.js'
import { runWithProgress } from '../src/cli/run-with-progress.js'
import type { Evaluation } from '../src/evaluate/evaluate-model.js'
import { evaluationName, evaluationRecord } from '../src/pipeline/promotion/evaluation-record.js'
import { readPipeline } from '../src/pipeline/read-pipeline.js'
import { readRunRecord } from '../src/pipeline/records/run-record.js'
import type { Pipeline, Stage } from '../src/pipeline/stages/pipeline-config.js'
import { openStorage } from '../src/storage/open-storage.js'
import { augmentConfig } from '../src/train/examples/augment-config.js'
import { makeWorld } from '../src/world/make-world.js'
import { type Recipe, readRecipe } from '../src/world/recipe.js'
import { serveFolder } from '../src/world/serve-world.js'
import { type Figure, mean, option } from './report.js'

/** What is run of a cycle. */
export type CyclePart =
  /** The teacher and one round, with the audit of its labels. */
  | 'round'
  /** A second round. */
  | 'second'
  /** A student of gold alone, for as many steps. */
  | 'control'
  /** A round on the same pictures with wrong colours, sizes and places in their captions. */
  | 'scrambled'
  /** A teacher that is never shown what is not there on purpose. */
  | 'plain'
  /** Teachers of other numbers of hard negatives. */
  | 'curve'
  /** Teachers whose recipe differs in one thing, and the labels of each. */
  | 'ablation'

/** Hard negatives of a prompt at most, of the teachers of the curve; 0 is the plain one. */
export const curve = [5, 15, 30] as const

type TrainConfig = StageOf<'train'>['with']

/** Teachers of the ablation: what of the recipe is as it was before attributes were asked for. */
export const ablations: Readonly<Record<string, (config: TrainConfig) => TrainConfig>> = {
  'before-all': (config) => ({
    ...config,
    ...{ learning_rate: 0.003, warmup: 50, loss: { ...config.loss, contrastive: 0.2, grounding: 0.2 } },
    augment: augmentConfig.parse({}),
  }),
  'before-prompts': (config) => ({
    ...config,
    augment: {
      ...config.augment,
      attributes: 0,
      categories: 0.7,
      hard_negatives: 0,
      absent: 0,
      mask_heads: 0,
    },
  }),
  'before-heads': (config) => ({ ...config, augment: { ...config.augment, mask_heads: 0 } }),
  'before-losses': (config) => ({ ...config, loss: { ...config.loss, contrastive: 0.2, grounding: 0.2 } }),
  'before-colour': (config) => ({ ...config, augment: { ...config.augment, colour: 0.2 } }),
  'before-rate': (config) => ({ ...config, learning_rate: 0.003, warmup: 50 }),
}

/** Settings of all benchmarks of the cycle, from the command line. */
export const cycleOptions = {
  seeds: option('seeds', '1,2,3').split(',').map(Number),
  teacher: Number(option('teacher', '2500')),
  student: Number(option('student', '1500')),
  web: Number(option('web', '2000')),
  threads: option('threads', '0'),
  folder: option('dir', 'runs/bench-cycle'),
} as const

/** What came of one seed. */
export interface Cycle {
  /** How a model scored on a held-out set. */
  scores(model: string, set: 'known' | 'novel' | 'attributes'): Promise<Evaluation>
  /** How right labels are: those of `round-1`, of the wrong captions (`scrambled`), of a teacher's name. */
  labels(of: string): Promise<AuditSummary>
}

/** Runs parts of the cycle of a seed, as far as they are not done. */
export async function runCycle(seed: number, parts: readonly CyclePart[]): Promise<Cycle> {
  const dir = join(cycleOptions.folder, `seed-${seed}`)
  const base = await readRecipe(packaged('datasets/toy.yaml'))
  const recipe = {
    ...base,
    seed: base.seed + seed,
    splits: { ...base.splits, gold: 2000, web: cycleOptions.web },
  }
  await makeWorld(recipe, join(dir, 'world'))
  await makeWorld(scrambled(recipe), join(dir, 'scrambled'))
  const server = await serveFolder(join(dir, 'world', 'web'))
  const other = await serveFolder(join(dir, 'scrambled', 'web'))
  try {
    const pipeline = await cyclePipeline(seed, dir, server.url)
    await runWithProgress(withParts(pipeline, parts, join(dir, 'scrambled'), other.url), dir, {})
  } finally {
    await server.close()
    await other.close()
  }
  const run = openStorage(dir)
  const read = async <T>(name: string): Promise<T> => {
    const record = await readRunRecord<T>(run, name)
    if (!record) throw new Error(`${dir} has no ${name}`)
    return record.result
  }
  return {
    scores: (model, set) => read<Evaluation>(evaluationRecord(evaluationName(model, set))),
    labels: (of) => read<AuditSummary>(`audits/${of}-audit.json`),
  }
}

/** The same pictures, with captions whose attributes are wrong. */
const scrambled = (recipe: Recipe): Recipe => ({
  ...recipe,
  splits: { ...recipe.splits, gold: 0, known: 0, novel: 0, attributes: 0 },
  web: { ...recipe.web, scramble: 'attributes' },
})

function cyclePipeline(seed: number, dir: string, url: string): Promise<Pipeline> {
  const { teacher, student, threads } = cycleOptions
  const set = [
    `world=${join(dir, 'world')}`,
    `web_url=${url}`,
    `teacher.steps=${teacher}`,
    `teacher.seed=${seed}`,
    `teacher.threads=${threads}`,
    `rounds.train.threads=${threads}`,
    `rounds.teach.threads=${threads}`,
    `rounds.train.steps=${student}`,
    `rounds.train.seed=${seed}`,
  ]
  return readPipeline('pipelines/self-training.yaml', { set, rounds: 2 })
}

type StageOf<Use extends Stage['uses']> = Extract<Stage, { readonly uses: Use }>

/** The stage of that name, with the configuration of its kind. */
export function stageIn<Use extends Stage['uses']>(
  pipeline: Pipeline,
  name: string,
  uses: Use,
): StageOf<Use> {
  const found = pipeline.stages.find((stage): stage is StageOf<Use> => stage.name === name)
  if (found?.uses !== uses) throw new Error(`the pipeline has no stage ${name} that uses ${uses}`)
  return found
}

/** The pipeline with the stages that parts add, without those that none asks for. */
function withParts(
  pipeline: Pipeline,
  parts: readonly CyclePart[],
  otherWorld: string,
  otherUrl: string,
): Pipeline {
  const stageOf = <Use extends Stage['uses']>(name: string, uses: Use) => stageIn(pipeline, name, uses)
  const evaluations = (model: string, sets: readonly string[]): Stage[] =>
    sets.map((set) => ({
      ...stageOf(evaluationName('teacher', set), 'evaluate'),
      name: evaluationName(model, set),
      needs: [set, model],
    }))
  const teacher = stageOf('teacher', 'train')
  const student = stageOf('round-1-student', 'train')
  const teacherWith = (name: string, augment: Partial<StageOf<'train'>['with']['augment']>): Stage => ({
    ...teacher,
    name,
    with: { ...teacher.with, augment: { ...teacher.with.augment, ...augment } },
  })
  const added: Readonly<Record<CyclePart, () => Stage[]>> = {
    round: () => [],
    second: () => [],
    control: () => [
      { ...student, name: 'control', needs: ['gold', 'teacher'] },
      ...evaluations('control', ['known', 'novel']),
    ],
    scrambled: () => {
      const web = stageOf('web', 'ingest')
      const { fetch } = web.with as { readonly fetch: object }
      const source = { ...web.with, path: join(otherWorld, 'web', 'pairs.tsv'), base_url: otherUrl }
      const audit = stageOf('round-1-audit', 'audit')
      const truth = join(otherWorld, 'web', 'truth.json')
      return [
        {
          ...web,
          name: 'scrambled',
          with: { ...source, fetch: { ...fetch, allow_hosts: [otherUrl] } } as typeof web.with,
        },
        { ...stageOf('phrases', 'chunk'), name: 'scrambled-phrases', needs: ['scrambled'] },
        {
          ...stageOf('round-1-label', 'teach'),
          name: 'scrambled-label',
          needs: ['scrambled-phrases', 'teacher'],
        },
        { ...stageOf('round-1-filter', 'filter'), name: 'scrambled-filter', needs: ['scrambled-label'] },
        {
          ...audit,
          name: 'scrambled-audit',
          needs: audit.needs.map((need) => (need === 'round-1-filter' ? 'scrambled-filter' : need)),
          with: { ...audit.with, truth },
        },
        { ...student, name: 'scrambled-student', needs: ['gold', 'scrambled-filter', 'teacher'] },
        ...evaluations('scrambled-student', ['known', 'novel']),
      ]
    },
    ablation: () =>
      Object.entries(ablations).flatMap(([name, change]): Stage[] => {
        const audit = stageOf('round-1-audit', 'audit')
        return [
          { ...teacher, name, with: change(teacher.with) },
          ...evaluations(name, ['known', 'attributes']),
          { ...stageOf('round-1-label', 'teach'), name: `${name}-label`, needs: ['phrases', name] },
          { ...stageOf('round-1-filter', 'filter'), name: `${name}-filter`, needs: [`${name}-label`] },
          {
            ...audit,
            name: `${name}-audit`,
            needs: audit.needs.map((need) => (need === 'round-1-filter' ? `${name}-filter` : need)),
          },
        ]
      }),
    plain: () => [
      teacherWith('plain', { hard_negatives: 0, absent: 0 }),
      ...evaluations('plain', ['known', 'attributes']),
    ],
    curve: () =>
      curve.flatMap((count) => [
        teacherWith(`hard-${count}`, { hard_negatives: count }),
        ...evaluations(`hard-${count}`, ['known', 'attributes']),
      ]),
  }
  const stages = parts.includes('second')
    ? pipeline.stages
    : pipeline.stages.filter(({ name }) => !name.startsWith('round-2-'))
  return { ...pipeline, stages: [...stages, ...parts.flatMap((part) => added[part]())] }
}

/** The mean over seeds, with each seed's value beside it; a goal is met where the mean, or each, meets it. */
export function seedFigure(
  values: readonly number[],
  goal?: { readonly least: number; readonly each?: boolean },
): Figure {
  const value = mean(values)
  const isMet = goal && (goal.each ? values.every((one) => one >= goal.least) : value >= goal.least)
  return {
    value,
    unit: '0 to 1',
    goal: goal ? `>= ${goal.least}${goal.each ? ' each' : ''}` : '',
    met: isMet ?? null,
    note: `seeds ${values.map((one) => one.toFixed(3)).join(', ')}`,
  }
}
