import { useEffect, useRef, useState } from 'preact/hooks'
import type { CountsAnswer, DatasetAnswer, LayerAnswer, SampleAnswer, SamplesAnswer } from '../answers.js'
import { isNarrowed, pageSize, type View, writeView } from '../view.js'
import { useAnswer } from './ask.js'
import { Compare } from './compare.js'
import { Detail } from './detail.js'
import { Funnel } from './funnel.js'
import { Header } from './header.js'
import { Help } from './help.js'
import { thresholdOf } from './live.js'
import { Samples } from './samples.js'
import { Sidebar } from './sidebar.js'
import { savedTheme, setTheme, type Theme } from './theme.js'
import { useKeys } from './use-keys.js'
import { useSettled } from './use-settled.js'
import { useView } from './use-view.js'

/** While the dataset is being looked through, how often its numbers are asked for again. */
const everyMs = 700
/** How long the slider must rest before a comparison's pictures follow it. */
const pauseMs = 150

const nextTheme: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' }

export function App() {
  const [view, setView] = useView()
  const [theme, setThemeState] = useState(savedTheme)
  const [helps, setHelps] = useState(false)
  const [filters, setFilters] = useState(false)
  const [weak, setWeak] = useState(false)
  const [tick, setTick] = useState(0)
  const search = useRef<HTMLInputElement>(null)

  const dataset = useAnswer<DatasetAnswer>('/api/dataset')
  const { layer, against } = layersOf(view, dataset.value)
  const hasSamples = view.tab !== 'funnel'
  const counts = useAnswer<CountsAnswer>(hasSamples ? `/api/counts?${withoutPage(view)}` : null, tick)
  // Boxes of a comparison are paired by the server, from row groups all over the dataset: after the slider, not with it.
  const settled = useSettled(view.threshold, view.tab === 'compare' ? pauseMs : 0)
  const samples = useAnswer<SamplesAnswer>(
    hasSamples ? `/api/samples?${samplesQuery({ ...view, threshold: settled })}` : null,
    needsIndex(view) ? tick : 0,
  )
  const detail = useAnswer<SampleAnswer>(view.open && hasSamples ? `/api/sample?${writeView(view)}` : null)

  const isBusy = counts.value?.index.isBusy ?? false
  useEffect(() => {
    if (!isBusy) return
    const timer = setInterval(() => setTick((old) => old + 1), everyMs)
    return () => clearInterval(timer)
  }, [isBusy])

  const name = dataset.value?.name
  useEffect(() => {
    document.title = name ? `${name} · groundmill` : 'groundmill'
  }, [name])

  const total = samples.value?.total ?? 0
  const turn = (by: number) => {
    const page = view.page + by
    if (page < 0 || page * pageSize >= total) return false
    setView({ page })
    return true
  }
  const nextLook = () => {
    const next = nextTheme[theme]
    setTheme(next)
    setThemeState(next)
  }
  const step = (by: number) => {
    if (!layer || view.tab === 'funnel') return
    const threshold = Math.round(100 * (thresholdOf(view, layer) + by)) / 100
    if (threshold >= 0 && threshold <= 1) setView({ threshold }, { replace: true })
  }
  const goTo = (id: string | null | undefined) => id && setView({ open: id }, { replace: true })
  useKeys({
    isOpen: view.open !== null && hasSamples,
    turn,
    onBack: () => {
      if (helps) setHelps(false)
      else if (filters) setFilters(false)
      else if (view.open !== null) setView({ open: null })
    },
    onNext: () => goTo(detail.value?.after),
    onBefore: () => goTo(detail.value?.before),
    keys: {
      '/': () => search.current?.focus(),
      '?': () => setHelps(true),
      '[': () => step(-0.01),
      ']': () => step(0.01),
      w: () => setWeak(!weak),
      f: () => setFilters(!filters),
      t: nextLook,
      1: () => setView({ tab: 'samples', open: null }),
      2: () => setView({ tab: 'compare', open: null }),
      3: () => setView({ tab: 'funnel', open: null }),
    },
  })

  if (dataset.error) {
    return (
      <main class="alone">
        <h1>groundmill</h1>
        <p class="error">{dataset.error}</p>
      </main>
    )
  }
  if (!dataset.value || !layer) return <main class="alone" aria-busy="true" />
  const shared = { dataset: dataset.value, view, layer, against, setView }
  return (
    <>
      <Header
        {...{ dataset: dataset.value, view, setView, search, theme, filters }}
        narrowed={isNarrowed(view) || view.threshold !== null}
        onTheme={nextLook}
        onHelp={() => setHelps(true)}
        onFilters={() => setFilters(!filters)}
      />
      <div class={`body${hasSamples ? '' : ' wide'}`}>
        {hasSamples && (
          <aside class={filters ? 'shown' : ''} aria-label="Filters">
            <Sidebar {...shared} counts={counts.value} />
            {counts.error && <p class="error">{counts.error}</p>}
          </aside>
        )}
        <main>
          {view.tab === 'funnel' ? (
            <Funnel {...shared} />
          ) : view.open !== null ? (
            <Detail {...shared} answer={detail} weak={weak} onWeak={setWeak} />
          ) : view.tab === 'compare' ? (
            <Compare {...shared} counts={counts.value} samples={samples} />
          ) : (
            <Samples {...shared} counts={counts.value} samples={samples} />
          )}
        </main>
      </div>
      {helps && <Help onClose={() => setHelps(false)} />}
    </>
  )
}

/** The layers that the server takes for a view too. */
function layersOf(view: View, dataset: DatasetAnswer | undefined) {
  const layers: readonly LayerAnswer[] = dataset?.layers ?? []
  const named = (name: string | null) => layers.find((one) => one.name === name)
  const layer = named(view.grounding) ?? layers.at(-1)
  const against =
    view.tab === 'compare' ? (named(view.against) ?? layers.filter((one) => one !== layer).at(-1)) : undefined
  return { layer, against }
}

/** Pictures in the dataset's own order are found without the index. */
const needsIndex = (view: View) => view.tab === 'compare' || isNarrowed(view)

/** What the counts depend on. */
const withoutPage = (view: View) => writeView({ ...view, page: 0, open: null, stage: null, reason: null })

/** What the pictures depend on: the page itself leaves out boxes under the threshold, where no filter needs it. */
const samplesQuery = (view: View) =>
  writeView({
    ...view,
    open: null,
    stage: null,
    reason: null,
    threshold: needsIndex(view) ? view.threshold : null,
  })
