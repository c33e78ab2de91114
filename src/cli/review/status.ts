import { counted } from '../../base/counted.js'
import { nameList } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { openDataset } from '../../catalog/open-dataset.js'
import type { PairAgreement } from '../../review/agreement.js'
import { readReviews } from '../../review/read-reviews.js'
import { listReviews } from '../../review/review-files.js'
import { type ReviewStatus, reviewStatus } from '../../review/review-status.js'
import { formatTable } from '../terminal/format-table.js'
import { print, printJson, say } from '../terminal/print.js'

export interface ReviewStatusOptions {
  readonly name?: string
  readonly json?: boolean
}

/** `groundmill review status`: what people have said of a dataset, and how far they agree. */
export async function showReviews(url: string, { name, json }: ReviewStatusOptions): Promise<void> {
  const { storage } = await openDataset(url)
  const known = await listReviews(storage)
  if (name !== undefined && !known.includes(name)) {
    const list = known.length > 0 ? `it has: ${nameList(known)}` : 'it has none yet'
    throw new UserError(`${url} has no review ${nameList([name])}; ${list}.`)
  }
  const reviews: ReviewStatus[] = []
  for (const one of name === undefined ? known : [name])
    reviews.push(reviewStatus(one, await readReviews(storage, one, say)))
  if (json) return printJson({ dataset: url, reviews })
  if (reviews.length > 0) return print(reviews.map(reviewText).join('\n\n'))
  print(`Nobody has reviewed ${url} yet: \`groundmill inspect ${url} --review NAME\` begins.`)
}

function reviewText({ name, entries, pictures, reviewers, agreement }: ReviewStatus): string {
  const head = `${name}: ${counted(pictures, 'picture')}, ${counted(entries, 'entry')} of ${counted(reviewers.length, 'reviewer')}`
  const who = formatTable(
    [
      ...['reviewer', 'pictures', 'accepted', 'rejected', 'redrawn', 'added', 'relabelled'],
      ...['all found', 'not all', 'unseen', 'an hour', 'last'],
    ],
    reviewers.map(({ reviewer, pictures: own, said, anHour, last }) => [
      ...[reviewer, own, said.accept, said.reject, said.redraw, said.add, said.relabel],
      ...[said.complete, said.incomplete, said.unseen],
      ...[anHour === null ? '-' : Math.round(anHour), last.slice(0, 16).replace('T', ' ')],
    ]),
  )
  if (agreement.pairs.length === 0) return `${head}\n${who}`
  const rows = agreement.pairs.map(pairCells)
  const { boxes, phrases } = agreement
  if (rows.length > 1)
    rows.push(['mean of the pairs', '', '', fixed(boxes), '', '', fixed(phrases), '', '', '', ''])
  const header = [
    ...['', 'boxes', 'agreed', 'kappa', 'phrases', 'agreed', 'kappa'],
    ...['redrawn', 'IoU', 'added', 'IoU'],
  ]
  return `${head}\n${who}\n\n${formatTable(header, rows)}`
}

const pairCells = ({ reviewers, boxes, phrases, redrawn, added }: PairAgreement): (string | number)[] => [
  ...[reviewers.join(', '), boxes.both, boxes.agreed, fixed(boxes.kappa)],
  ...[phrases.both, phrases.agreed, fixed(phrases.kappa)],
  ...[redrawn.both, fixed(redrawn.iou), added.both, fixed(added.iou)],
]

const fixed = (value: number | null): string => (value === null ? '-' : value.toFixed(3))
