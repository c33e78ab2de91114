/**
 * Are the labels true? On toy worlds of several seeds: what share of a round's labels is right, by kind of phrase
 * beside chance, by the world's own truth, and whether teacher and student tell a phrase from the same with
 * another colour or size.
 *
 *     npm run bench:labels -- [--seeds 1,2,3] [--teacher 1600] [--student 1000] [--web 2000] [--threads 2] [--dir runs/bench-cycle] [--json]
 */
import type { AuditSummary } from '../src/audit/audit-labels.js'
import type { Evaluation } from '../src/evaluate/evaluate-model.js'
import { type Figure, printReport } from './report.js'
import { cycleOptions, runCycle, seedFigure } from './toy-cycle.js'

interface Outcome {
  readonly labels: AuditSummary
  readonly teacher: Evaluation
  readonly student: Evaluation
}

const outcomes: Outcome[] = []
for (const seed of cycleOptions.seeds) {
  const cycle = await runCycle(seed, ['round'])
  outcomes.push({
    labels: await cycle.labels('1'),
    teacher: await cycle.scores('teacher', 'attributes'),
    student: await cycle.scores('round-1-student', 'attributes'),
  })
}

const kindOf = (dimension: string, kind: string) => {
  const found = outcomes.map(({ labels }) =>
    labels.kinds.find((summary) => summary.dimension === dimension && summary.kind === kind),
  )
  return found.map((summary) => ({
    labels: summary?.judged ?? 0,
    precision: summary?.precision ?? -1,
    chance: summary?.chance ?? -1,
    recall: summary?.recall ?? -1,
  }))
}

/** Share of a kind's labels that are right, and beside it boxes drawn by lot. */
const labelFigures = (
  name: string,
  dimension: string,
  kind: string,
  least?: number,
): Record<string, Figure> => {
  const rows = kindOf(dimension, kind)
  const right = seedFigure(
    rows.map(({ precision }) => precision),
    least === undefined ? undefined : { least },
  )
  return {
    [`labels right: ${name}`]: {
      ...right,
      note: `${right.note}; labels ${rows.map(({ labels }) => labels).join(', ')}`,
    },
    [`by lot: ${name}`]: seedFigure(rows.map(({ chance }) => chance)),
  }
}

const aucFigures = (kind: 'colour' | 'size') =>
  Object.fromEntries(
    (['teacher', 'student'] as const).map((model) => [
      `${model}, AUC of ${kind}`,
      seedFigure(
        outcomes.map(({ [model]: { attributes } }) => attributes?.[kind].auc ?? -1),
        { least: 0.85 },
      ),
    ]),
  )

printReport('labels', outcomes.length, {
  ...labelFigures('new name, telling colour', 'head/telling', 'new/telling_colour', 0.75),
  ...labelFigures('new name, colour that others have', 'head/telling', 'new/shared_colour'),
  ...labelFigures('new name, telling size', 'head/telling', 'new/telling_size'),
  ...labelFigures('new name, no attribute', 'head/attribute', 'new/none'),
  ...labelFigures('known name, telling colour', 'head/telling', 'known/telling_colour', 0.85),
  ...labelFigures('known name, no attribute', 'head/attribute', 'known/none'),
  ...labelFigures('all', 'all', 'all'),
  ...aucFigures('colour'),
  ...aucFigures('size'),
})
