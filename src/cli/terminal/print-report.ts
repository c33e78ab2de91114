import { type AttributeTable, kindsAsked } from '../../evaluate/attribute-contrast.js'
import type { Told } from '../../evaluate/compare/told-scores.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { formatTable } from './format-table.js'
import { percentScore } from './print-scores.js'

/** A round's report: among its keys are the held-out sets. */
interface Report {
  readonly teacher: string
  readonly student: string
  readonly [set: string]: unknown
}

interface Scored {
  readonly teacher: Told<Evaluation>
  readonly student: Told<Evaluation>
  readonly means?: Readonly<Record<string, Told<Evaluation>>>
}

const isScored = (value: unknown): value is Scored =>
  (value as Partial<Scored> | null)?.teacher?.ap !== undefined

/** A model by its part and its name, where that says more. */
const named = (part: string, name: string): string => (name === part ? part : `${part} (${name})`)

/** Teacher against student, and means of both, on every held-out set. */
export function reportTable(report: Report): string {
  const rows = Object.entries(report).flatMap(([set, value]) =>
    isScored(value)
      ? [
          { labels: [set, named('teacher', report.teacher)], evaluation: value.teacher },
          { labels: [set, named('student', report.student)], evaluation: value.student },
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
  rows: readonly { readonly labels: readonly string[]; readonly evaluation: Told<Evaluation> }[],
): string {
  const kinds = kindsAsked(rows.map(({ evaluation }) => evaluation.attributes))
  const cells = rows.map(({ labels, evaluation }) => [
    ...labels,
    ...scores(evaluation),
    ...kinds.map((kind) => percentScore(evaluation.attributes?.[kind].auc ?? -1)),
  ])
  const names = [
    ...['AP', 'AP50', 'recall@1', 'recall@5', 'recall@10', 'cgF1', 'IL_MCC', 'false presence'],
    ...kinds.map((kind) => `AUC ${kind}`),
  ]
  return formatTable([...header, ...names], cells)
}

function scores(evaluation: Partial<Told<Evaluation>>): string[] {
  const { ap, ap50, recall1, recall5, recall10, cgf1, il_mcc, false_presence } = evaluation
  return [ap, ap50, recall1, recall5, recall10, cgf1, il_mcc, false_presence].map(percentScore)
}

/** How far attributes are read: a row a kind, in percent. */
export function attributesTable(attributes: Told<AttributeTable>): string {
  const rows = Object.entries(attributes).map(([kind, scores]) => {
    const { phrases, auc, share, absent, auc_presence, share_presence, found, chance } = scores
    const presence = [absent ?? 0, percentScore(auc_presence), percentScore(share_presence)]
    return [
      kind,
      phrases ?? 0,
      percentScore(auc),
      percentScore(share),
      ...presence,
      percentScore(found),
      percentScore(chance),
    ]
  })
  const presence = ['absent', 'AUC presence', 'share presence']
  return formatTable(['attribute', 'phrases', 'AUC', 'share', ...presence, 'found', 'chance'], rows)
}
