import { type ShownName, shownMeasures, shownNames } from './shown-measures.js'

/** What the page shows, all of it in its address: a link opens the same again. */
export interface View {
  readonly tab: 'samples' | 'compare' | 'funnel'
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
  /** From 0. */
  readonly page: number
  /** The picture that is open, as `shard:row`. */
  readonly open: string | null
  /** Of a comparison: also the pictures that are the same in both. */
  readonly same: boolean
  /** Of the funnel: the rejects of a stage and of a reason. */
  readonly stage: string | null
  readonly reason: string | null
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
  page: 0,
  open: null,
  same: false,
  stage: null,
  reason: null,
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
  return {
    tab: tab === 'compare' || tab === 'funnel' ? tab : 'samples',
    grounding: given.get('grounding'),
    against: given.get('against'),
    threshold: threshold >= 0 && threshold <= 1 ? threshold : null,
    search: (given.get('q') ?? '').slice(0, 200),
    bins,
    heads: given.getAll('head').slice(0, 100),
    hosts: given.getAll('host').slice(0, 100),
    page: Number.isSafeInteger(page) && page > 0 ? page - 1 : 0,
    open: /^[\w][\w.-]*:\d{1,9}$/.test(given.get('open') ?? '') ? given.get('open') : null,
    same: given.get('same') === '1',
    stage: given.get('stage'),
    reason: given.get('reason'),
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
  if (view.page > 0) query.set('page', String(view.page + 1))
  if (view.open !== null) query.set('open', view.open)
  if (view.same) query.set('same', '1')
  if (view.stage !== null) query.set('stage', view.stage)
  if (view.reason !== null) query.set('reason', view.reason)
  return query.toString()
}

/** Whether anything but the threshold narrows what is shown. */
export function isNarrowed({ search, bins, heads, hosts }: View): boolean {
  return search.trim() !== '' || Object.keys(bins).length > 0 || heads.length > 0 || hosts.length > 0
}

/**
 * Whether pictures are found by the index; without it they are shown in the order of the dataset, all of
 * them.
 */
export const needsIndex = (view: View): boolean => view.tab === 'compare' || isNarrowed(view)
