/**
 * Are the labels true? On toy worlds of several seeds: what share of a round's labels is right, by kind of phrase
 * beside chance, by the world's own truth, and whether teacher and student tell a phrase from the same with
 * another colour or size. With `--ablate`, for the first seed, also teachers whose recipe is in one thing as it was
 * before attributes were asked for.
 *
 *     npm run bench:labels -- [--ablate] [--seeds 1,2,3] [--teacher 2500] [--student 1500] [--web 2000] [--threads 2] [--dir runs/bench-cycle] [--json]
 */
import type { AuditSummary } from '../src/audit/audit-labels.js'
import type { Evaluation } from '../src/evaluate/evaluate-model.js'
import { type Figure, printReport } from './report.js'
import { ablations, type Cycle, cycleOptions, runCycle, seedFigure } from './toy-cycle.js'

interface Outcome {
  readonly labels: AuditSummary
  readonly teacher: Evaluation
  readonly student: Evaluation
}

const outcomes: Outcome[] = []
const ablated: Record<string, Figure> = {}
for (const seed of cycleOptions.seeds) {
  const isAblated = process.argv.includes('--ablate') && outcomes.length === 0
  const cycle = await runCycle(seed, isAblated ? ['round', 'ablation'] : ['round'])
  outcomes.push({
    labels: await cycle.labels('round-1'),
    teacher: await cycle.scores('teacher', 'attributes'),
    student: await cycle.scores('round-1-student', 'attributes'),
  })
  if (isAblated) Object.assign(ablated, await ablationFigures(cycle))
}

/** Of each teacher of the ablation, and of the recipe itself, what it reads and how right its labels are. */
async function ablationFigures(cycle: Cycle): Promise<Record<string, Figure>> {
  const rows: Record<string, Figure> = {}
  for (const name of ['teacher', ...Object.keys(ablations)]) {
    const { attributes } = await cycle.scores(name, 'attributes')
    const known = await cycle.scores(name, 'known')
    const { kinds } = await cycle.labels(name === 'teacher' ? 'round-1' : name)
    const telling = kinds.find(({ kind }) => kind === 'new/telling_colour')
    rows[`${name}: new name, telling colour, labels right`] = {
      ...{ value: telling?.precision ?? null, unit: '0 to 1', goal: '', met: null },
      note:
        `by lot ${telling?.chance?.toFixed(3)}, ${telling?.judged} labels; AUC of colour ${attributes?.colour.auc.toFixed(3)}, ` +
        `of size ${attributes?.size.auc.toFixed(3)}; known AP50 ${known.ap50.toFixed(3)}, recall@1 ${known.recall1.toFixed(3)}, ` +
        `IL_MCC ${known.il_mcc.toFixed(3)}`,
    }
  }
  return rows
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
  ...ablated,
})
