import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { formatTable } from './format-table.js'

export interface RoundReport {
  readonly round: number
  readonly teacher: string
  readonly student: string
  readonly promoted: boolean
  readonly [set: string]: unknown
}

const percent = (value: number) => (value < 0 ? '-' : (100 * value).toFixed(1))

/** Teacher against student on every held-out set. */
export function reportTable(report: RoundReport): string {
  const sets = Object.entries(report).filter(([, value]) => value && typeof value === 'object') as [
    string,
    { teacher: Evaluation; student: Evaluation },
  ][]
  const rows = sets.flatMap(([set, { teacher, student }]) => [
    [set, `teacher (${report.teacher})`, ...scores(teacher)],
    [set, `student (${report.student})`, ...scores(student)],
  ])
  return formatTable(['held out', 'model', 'AP', 'AP50', 'recall@1', 'recall@5', 'recall@10'], rows)
}

function scores({ ap, ap50, recall1, recall5, recall10 }: Evaluation): string[] {
  return [ap, ap50, recall1, recall5, recall10].map(percent)
}
