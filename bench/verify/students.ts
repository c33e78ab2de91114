import { join } from 'node:path'
import { runWithProgress } from '../../src/cli/run-with-progress.js'
import type { Evaluation } from '../../src/evaluate/evaluate-model.js'
import { evaluationRecord } from '../../src/pipeline/promotion/evaluation-record.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { readRunRecord } from '../../src/pipeline/records/run-record.js'
import type { Stage } from '../../src/pipeline/stages/pipeline-config.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { bestPoint, type LabelCurve } from './label-curve.js'

const kinds = ['thresholded', 'verified'] as const
const sets = ['known', 'novel'] as const

/**
 * Trains a student on what a threshold keeps, and one on as many regions as the judge is surest of, from the same
 * teacher, for as many steps, and scores both.
 */
export async function students(
  seed: number,
  folder: string,
  { score, judge }: { readonly score: LabelCurve; readonly judge: LabelCurve },
): Promise<Record<(typeof sets)[number], Record<(typeof kinds)[number], Evaluation>>> {
  const best = bestPoint(score)
  const count = best?.regions ?? 0
  const sure = judge.find(({ regions }) => regions >= count) ?? judge.at(-1)
  const server = await serveFolder(join(folder, 'world', 'web'))
  const set = [
    ...[`world=${join(folder, 'world')}`, `web_url=${server.url}`],
    ...[`teacher.seed=${seed}`, `teacher-b.seed=${100 + seed}`, `judge.seed=${seed}`],
  ]
  const pipeline = await readPipeline('bench/data/verify-toy.yaml', { set })
  const stageOf = (name: string) => pipeline.stages.find((stage) => stage.name === name) as Stage
  const filter = (name: string, from: string, min: number): Stage => {
    const stage = stageOf(from) as Extract<Stage, { uses: 'filter' }>
    const rules = [...stage.with.rules, { rule: 'score' as const, min }]
    return { ...stage, name, with: { ...stage.with, rules } }
  }
  const teacher = stageOf('teacher') as Extract<Stage, { uses: 'train' }>
  const added: Stage[] = [
    filter('kept-thresholded', 'by-score', best?.score ?? 0.5),
    filter('kept-verified', 'one-name-judge', sure?.score ?? 0.5),
    ...kinds.flatMap((name): Stage[] => [
      {
        ...teacher,
        name: `student-${name}`,
        needs: ['gold', `kept-${name}`, 'teacher'],
        with: { ...teacher.with, vocabulary: [], init: 'teacher', steps: 800, learning_rate: 0.0015, seed },
      },
      ...sets.map(
        (set): Stage =>
          ({
            name: `${name}-${set}`,
            uses: 'evaluate',
            needs: [set, `student-${name}`],
            with: { threads: 2 },
          }) as unknown as Stage,
      ),
    ]),
  ]
  try {
    await runWithProgress({ ...pipeline, stages: [...pipeline.stages, ...added] }, folder, {})
  } finally {
    await server.close()
  }
  const run = openStorage(folder)
  const scores = async (set: string) => {
    const of = async (name: string) =>
      (await readRunRecord<Evaluation>(run, evaluationRecord(`${name}-${set}`)))!.result
    return { thresholded: await of('thresholded'), verified: await of('verified') }
  }
  return { known: await scores('known'), novel: await scores('novel') }
}
