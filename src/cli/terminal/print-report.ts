import { type AttributeTable, kindsAsked } from '../../evaluate/attribute-contrast.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { formatTable } from './format-table.js'

/** A round's report: among its keys are the held-out sets. */
interface Report {
  readonly teacher: string
  readonly student: string
  readonly [set: string]: unknown
}

interface Scored {
  readonly teacher: Evaluation
  readonly student: Evaluation
  readonly means?: Readonly<Record<string, Evaluation>>
}

const isScored = (value: unknown): value is Scored =>
  typeof (value as Partial<Scored> | null)?.teacher?.ap === 'number'

/** A score that an older version did not record is not there; IL_MCC and cgF1 may be below 0. */
const percent = (value: number | undefined) =>
  value === undefined || value === -1 ? '-' : (100 * value).toFixed(1)

/** Teacher against student, and means of both, on every held-out set. */
export function reportTable(report: Report): string {
  const rows = Object.entries(report).flatMap(([set, value]) =>
    isScored(value)
      ? [
          { labels: [set, `teacher (${report.teacher})`], evaluation: value.teacher },
          { labels: [set, `student (${report.student})`], evaluation: value.student },
          ...Object.entries(value.means ?? {}).map(([mean, evaluation]) => ({
            labels: [set, `mean (${mean})`],
            evaluation,
          })),
        ]
      : [],
  )
  return evaluationTable(['held out', 'model'], rows)
}

/** Evaluations, a row each, in percent; kinds of attributes have a column where one of the rows has a score. */
export function evaluationTable(
  header: readonly string[],
  rows: readonly { readonly labels: readonly string[]; readonly evaluation: Evaluation }[],
): string {
  const kinds = kindsAsked(rows.map(({ evaluation }) => evaluation.attributes))
  const cells = rows.map(({ labels, evaluation }) => [
    ...labels,
    ...scores(evaluation),
    ...kinds.map((kind) => percent(evaluation.attributes?.[kind].auc ?? -1)),
  ])
  const names = [
    ...['AP', 'AP50', 'recall@1', 'recall@5', 'recall@10', 'cgF1', 'IL_MCC', 'false presence'],
    ...kinds.map((kind) => `AUC ${kind}`),
  ]
  return formatTable([...header, ...names], cells)
}

function scores(evaluation: Partial<Evaluation>): string[] {
  const { ap, ap50, recall1, recall5, recall10, cgf1, il_mcc, false_presence } = evaluation
  return [ap, ap50, recall1, recall5, recall10, cgf1, il_mcc, false_presence].map(percent)
}

/** How far attributes are read: a row a kind, in percent. */
export function attributesTable(attributes: AttributeTable): string {
  const rows = Object.entries(attributes).map(([kind, scores]) => {
    const { phrases, auc, share, absent, auc_presence, share_presence, found, chance } = scores
    const presence = [absent, percent(auc_presence), percent(share_presence)]
    return [kind, phrases, percent(auc), percent(share), ...presence, percent(found), percent(chance)]
  })
  const presence = ['absent', 'AUC presence', 'share presence']
  return formatTable(['attribute', 'phrases', 'AUC', 'share', ...presence, 'found', 'chance'], rows)
}
