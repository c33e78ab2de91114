import type { AuditSummary } from '../../audit/audit-labels.js'
import { type AttributeTable, kindsAsked } from '../../evaluate/attribute-contrast.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { formatTable } from './format-table.js'

export interface RoundReport {
  readonly round: number
  readonly teacher: string
  readonly student: string
  readonly promoted: boolean
  /** How right the teacher's labels are, where the pipeline names a truth. */
  readonly labels?: AuditSummary
  readonly [set: string]: unknown
}

/** A score that an older version did not record is not there; IL_MCC and cgF1 may be below 0. */
const percent = (value: number | undefined) =>
  value === undefined || value === -1 ? '-' : (100 * value).toFixed(1)

/** Teacher against student on every held-out set. */
export function reportTable(report: RoundReport): string {
  const isSet = (value: unknown) => typeof value === 'object' && value !== null && 'teacher' in value
  const sets = Object.entries(report).filter(([, value]) => isSet(value)) as [
    string,
    { teacher: Evaluation; student: Evaluation },
  ][]
  const rows = sets.flatMap(([set, { teacher, student }]) => [
    { labels: [set, `teacher (${report.teacher})`], evaluation: teacher },
    { labels: [set, `student (${report.student})`], evaluation: student },
  ])
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
