import { useEffect, useRef, useState } from 'preact/hooks'
import type { DatasetAnswer, LayerAnswer } from '../view/answers.js'
import { chooseLayers } from '../view/choose-layers.js'
import { thresholdOf } from '../view/threshold.js'
import { isNarrowed, pageSize, type View } from '../view/view.js'
import { Compare } from './compare.js'
import { Detail } from './detail.js'
import { Funnel } from './funnel.js'
import { Header } from './header.js'
import { Help } from './help.js'
import { savedTheme, setTheme, type Theme } from './hooks/theme.js'
import { type Answers, useAnswers } from './hooks/use-answers.js'
import { useKeys } from './hooks/use-keys.js'
import { type Ticks, useTicks } from './hooks/use-ticks.js'
import { type SetView, useView } from './hooks/use-view.js'
import { withLabelsSwitched } from './picture-options.js'
import { Review } from './review/review.js'
import { ReviewHelp } from './review/review-help.js'
import { Samples } from './samples.js'
import { Sidebar } from './sidebar.js'

const nextTheme: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' }

export function App() {
  const [view, setView] = useView()
  const [theme, setThemeState] = useState(savedTheme)
  const [helps, setHelps] = useState(false)
  const [filters, setFilters] = useState(false)
  const [weak, setWeak] = useState(false)
  const ticks = useTicks()
  const search = useRef<HTMLInputElement>(null)
  const answers = useAnswers(view)
  const { dataset, counts } = answers
  const { layer, against } = chooseLayers<LayerAnswer>(view, dataset.value?.layers ?? [])
  const hasSamples = view.tab !== 'funnel' && view.tab !== 'review'

  const name = dataset.value?.name
  useEffect(() => {
    document.title = name ? `${name} · groundmill` : 'groundmill'
  }, [name])

  const nextLook = () => {
    const next = nextTheme[theme]
    setTheme(next)
    setThemeState(next)
  }
  useKeys({
    // A review has keys of its own.
    isOff: view.tab === 'review' && !helps,
    ...pictureKeys(view, setView, answers),
    onBack: () => {
      if (helps) setHelps(false)
      else if (filters) setFilters(false)
      else if (view.open !== null) setView({ open: null })
    },
    onTick: ticks.toggle,
    keys: {
      '/': () => search.current?.focus(),
      '?': () => setHelps(true),
      '[': () => moveThreshold(view, setView, layer, -0.01),
      ']': () => moveThreshold(view, setView, layer, 0.01),
      w: () => setWeak(!weak),
      l: () => setView(withLabelsSwitched(view), { replace: true }),
      f: () => setFilters(!filters),
      t: nextLook,
      1: () => setView({ tab: 'samples', open: null }),
      2: () => setView({ tab: 'compare', open: null }),
      3: () => setView({ tab: 'funnel', open: null }),
      ...(dataset.value?.review && { 4: () => setView({ tab: 'review', open: null }) }),
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
          {view.tab === 'review' && dataset.value.review ? (
            <Review
              {...shared}
              review={dataset.value.review}
              helps={helps}
              onHelp={() => setHelps(true)}
              onTheme={nextLook}
            />
          ) : (
            <Content {...shared} {...{ answers, weak, ticks }} onWeak={setWeak} />
          )}
        </main>
      </div>
      {helps &&
        (view.tab === 'review' ? (
          <ReviewHelp onClose={() => setHelps(false)} />
        ) : (
          <Help onClose={() => setHelps(false)} />
        ))}
    </>
  )
}

interface ContentProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly layer: LayerAnswer
  readonly against: LayerAnswer | undefined
  readonly setView: SetView
  readonly answers: Answers
  readonly weak: boolean
  readonly onWeak: (weak: boolean) => void
  readonly ticks: Ticks
}

/** The funnel, the open picture, or the grid of pictures. */
function Content({ answers, weak, onWeak, ticks, ...shared }: ContentProps) {
  const { tab, open } = shared.view
  if (tab === 'funnel' && open === null) return <Funnel {...shared} />
  if (open !== null) return <Detail {...shared} answer={answers.detail} weak={weak} onWeak={onWeak} />
  const grid = { ...shared, counts: answers.counts.value, samples: answers.samples }
  return tab === 'compare' ? (
    <Compare {...grid} />
  ) : (
    <Samples {...grid} ticks={ticks} onSaved={answers.refresh} />
  )
}

/** What the keys do that go from picture to picture and from page to page. */
function pictureKeys(view: View, setView: SetView, { samples, detail }: Answers) {
  const total = samples.value?.total ?? 0
  const goTo = (id: string | null | undefined) => id && setView({ open: id }, { replace: true })
  return {
    isOpen: view.open !== null,
    turn: (by: number) => {
      const page = view.page + by
      if (page < 0 || page * pageSize >= total) return false
      setView({ page })
      return true
    },
    onNext: () => goTo(detail.value?.after),
    onBefore: () => goTo(detail.value?.before),
  }
}

function moveThreshold(view: View, setView: SetView, layer: LayerAnswer | undefined, by: number): void {
  if (!layer || view.tab === 'funnel') return
  const threshold = Math.round(100 * (thresholdOf(view, layer) + by)) / 100
  if (threshold >= 0 && threshold <= 1) setView({ threshold }, { replace: true })
}
