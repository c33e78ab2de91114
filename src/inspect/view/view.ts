import type { Verdict } from './answers.js'
import { type QueueOrder, queueOrders } from './review-answers.js'
import { type ShownName, shownMeasures, shownNames } from './shown-measures.js'

/** What pictures are put in order by; `disagreement` is told by `disagreementOf`. */
export const orders = ['dataset', 'best', 'worst', 'disagreement'] as const
export type Order = (typeof orders)[number]

const verdicts: readonly Verdict[] = ['right', 'wrong', 'missed']

/** What the page shows, all of it in its address: a link opens the same again. */
export interface View {
  readonly tab: 'samples' | 'compare' | 'funnel' | 'review'
  /** The grounding that is shown; null: the last one of the dataset. */
  readonly grounding: string | null
  /** The one that it is compared with. */
  readonly against: string | null
  /** The weakest score that is kept; null: what the grounding was made with. */
  readonly threshold: number | null
  readonly search: string
  /** Chosen bins of the histograms. */
  readonly bins: Readonly<Partial<Record<ShownName, readonly number[]>>>
  readonly heads: readonly string[]
  readonly hosts: readonly string[]
  /** Only pictures with a box that is kept, or only those without one. */
  readonly boxes: 'with' | 'without' | null
  /** Only the pictures of this selection of the dataset. */
  readonly only: string | null
  /** The layer that is taken for the truth; null: nothing is judged. */
  readonly truth: string | null
  /** Only pictures with boxes of these verdicts. */
  readonly verdicts: readonly Verdict[]
  /** Null: that of the dataset; of a comparison what changed most first. */
  readonly sort: Order | null
  /** Whether boxes carry their phrases and scores; null: those of an open picture do. */
  readonly labels: boolean | null
  /** From 0. */
  readonly page: number
  /** The picture that is open, as `shard:row`. */
  readonly open: string | null
  /** Of a comparison: also the pictures that are the same in both. */
  readonly same: boolean
  /** Of the funnel: the rejects of a stage and of a reason. */
  readonly stage: string | null
  readonly reason: string | null
  /** Of a review: who reviews; null: whom the server takes. */
  readonly reviewer: string | null
  readonly queue: QueueOrder | null
  /** Which pictures a random queue has. */
  readonly seed: number
}

export const firstView: View = {
  tab: 'samples',
  grounding: null,
  against: null,
  threshold: null,
  search: '',
  bins: {},
  heads: [],
  hosts: [],
  boxes: null,
  only: null,
  truth: null,
  verdicts: [],
  sort: null,
  labels: null,
  page: 0,
  open: null,
  same: false,
  stage: null,
  reason: null,
  reviewer: null,
  queue: null,
  seed: 1,
}

/** Pictures on one page. */
export const pageSize = 36

/** A view from the query of an address. What it does not know or cannot read is as in `firstView`. */
export function readView(query: string): View {
  const given = new URLSearchParams(query)
  const tab = given.get('tab')
  const bins: Partial<Record<ShownName, number[]>> = {}
  for (const name of shownNames) {
    const chosen = (given.get(name) ?? '').split('.').filter(Boolean).map(Number)
    const known = chosen.filter(
      (bin) => Number.isInteger(bin) && bin >= 0 && bin <= shownMeasures[name].edges.length,
    )
    if (known.length > 0) bins[name] = [...new Set(known)].sort((a, b) => a - b)
  }
  const threshold = given.get('t') ? Number(given.get('t')) : Number.NaN
  const page = Number(given.get('page') ?? 1)
  const seed = Number(given.get('seed') ?? 1)
  const oneOf = <T extends string>(name: string, all: readonly T[]) =>
    all.find((one) => one === given.get(name)) ?? null
  const labels = oneOf('labels', ['0', '1'])
  const judged = (given.get('verdict') ?? '').split('.')
  return {
    tab: tab === 'compare' || tab === 'funnel' || tab === 'review' ? tab : 'samples',
    grounding: given.get('grounding'),
    against: given.get('against'),
    threshold: threshold >= 0 && threshold <= 1 ? threshold : null,
    search: (given.get('q') ?? '').slice(0, 200),
    bins,
    heads: given.getAll('head').slice(0, 100),
    hosts: given.getAll('host').slice(0, 100),
    boxes: oneOf('boxes', ['with', 'without']),
    only: given.get('only'),
    truth: given.get('truth'),
    verdicts: verdicts.filter((verdict) => judged.includes(verdict)),
    sort: oneOf('sort', orders),
    labels: labels === null ? null : labels === '1',
    page: Number.isSafeInteger(page) && page > 0 ? page - 1 : 0,
    open: /^[\w][\w.-]*:\d{1,9}$/.test(given.get('open') ?? '') ? given.get('open') : null,
    same: given.get('same') === '1',
    stage: given.get('stage'),
    reason: given.get('reason'),
    reviewer: given.get('reviewer')?.slice(0, 128) || null,
    queue: oneOf('queue', queueOrders),
    seed: Number.isSafeInteger(seed) && seed > 0 ? seed : 1,
  }
}

/** The query of a view's address; of the first view it is empty. */
export function writeView(view: View): string {
  const query = new URLSearchParams()
  if (view.tab !== 'samples') query.set('tab', view.tab)
  if (view.grounding !== null) query.set('grounding', view.grounding)
  if (view.against !== null) query.set('against', view.against)
  if (view.threshold !== null) query.set('t', String(view.threshold))
  if (view.search !== '') query.set('q', view.search)
  for (const name of shownNames) {
    const chosen = view.bins[name]
    if (chosen && chosen.length > 0) query.set(name, chosen.join('.'))
  }
  for (const head of view.heads) query.append('head', head)
  for (const host of view.hosts) query.append('host', host)
  if (view.boxes !== null) query.set('boxes', view.boxes)
  if (view.only !== null) query.set('only', view.only)
  if (view.truth !== null) query.set('truth', view.truth)
  if (view.verdicts.length > 0) query.set('verdict', view.verdicts.join('.'))
  if (view.sort !== null) query.set('sort', view.sort)
  if (view.labels !== null) query.set('labels', view.labels ? '1' : '0')
  if (view.page > 0) query.set('page', String(view.page + 1))
  if (view.open !== null) query.set('open', view.open)
  if (view.same) query.set('same', '1')
  if (view.stage !== null) query.set('stage', view.stage)
  if (view.reason !== null) query.set('reason', view.reason)
  if (view.reviewer !== null) query.set('reviewer', view.reviewer)
  if (view.queue !== null) query.set('queue', view.queue)
  if (view.seed !== 1) query.set('seed', String(view.seed))
  return query.toString()
}

/** Whether anything but the threshold narrows what is shown. */
export function isNarrowed(view: View): boolean {
  const { search, bins, heads, hosts, boxes, only } = view
  return (
    search.trim() !== '' ||
    Object.keys(bins).length > 0 ||
    heads.length > 0 ||
    hosts.length > 0 ||
    boxes !== null ||
    only !== null ||
    (isJudged(view) && view.verdicts.length > 0)
  )
}

/** Whether boxes are held against a truth: in a comparison they are held against each other. */
export const isJudged = ({ tab, truth }: Pick<View, 'tab' | 'truth'>): boolean =>
  tab === 'samples' && truth !== null

/** The order of a view's pictures. */
export const orderOf = ({ sort, tab }: Pick<View, 'sort' | 'tab'>): Order =>
  sort ?? (tab === 'compare' ? 'disagreement' : 'dataset')

/**
 * What pictures disagree with, the most first: of a comparison the other grounding, else the truth where there
 * is one (boxes that are wrong or missed), else the threshold (`nearThreshold`).
 */
export const disagreementOf = (view: Pick<View, 'tab' | 'truth'>): 'grounding' | 'truth' | 'threshold' =>
  view.tab === 'compare' ? 'grounding' : view.truth === null ? 'threshold' : 'truth'

/**
 * Boxes within so much of the threshold, on either side, are those that a small step of it would keep or leave
 * out.
 */
export const nearThreshold = 0.05

/**
 * Whether pictures are found by the index; without it they are shown in the order of the dataset, all of
 * them.
 */
export const needsIndex = (view: View): boolean =>
  view.tab === 'compare' || isNarrowed(view) || orderOf(view) !== 'dataset'

/** A view without what filters it. */
export const withoutFilters: Partial<View> = {
  ...{ search: '', bins: {}, heads: [], hosts: [], boxes: null, only: null, verdicts: [] },
}
