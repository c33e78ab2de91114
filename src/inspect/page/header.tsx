import type { Ref } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { DatasetAnswer } from '../view/answers.js'
import { count } from '../view/format.js'
import type { View } from '../view/view.js'
import type { Theme } from './hooks/theme.js'
import type { SetView } from './hooks/use-view.js'

interface HeaderProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly setView: SetView
  readonly search: Ref<HTMLInputElement>
  readonly theme: Theme
  readonly filters: boolean
  /** Whether anything is filtered, for who has the filters hidden. */
  readonly narrowed: boolean
  readonly onTheme: () => void
  readonly onHelp: () => void
  readonly onFilters: () => void
}

const tabs: readonly (readonly [View['tab'], string])[] = [
  ['samples', 'Samples'],
  ['compare', 'Compare'],
  ['funnel', 'Funnel'],
  ['review', 'Review'],
]

/** A search waits for so long a pause in the typing. */
const pauseMs = 200

export function Header(props: HeaderProps) {
  const { dataset, view, setView, search, theme, filters, narrowed, onTheme, onHelp, onFilters } = props
  const [typed, setTyped] = useState(view.search)
  useEffect(() => setTyped(view.search), [view.search])
  useEffect(() => {
    if (typed === view.search) return
    const timer = setTimeout(() => setView({ search: typed, open: null }, { replace: true }), pauseMs)
    return () => clearTimeout(timer)
  }, [typed, view.search, setView])
  return (
    <header>
      <h1>
        {dataset.name} <span class="fine">{count(dataset.pictures)} pictures</span>
      </h1>
      <nav class="tabs" aria-label="Views">
        {tabs
          .filter(([tab]) => tab !== 'review' || dataset.review)
          .map(([tab, title]) => (
            <button
              key={tab}
              type="button"
              aria-current={view.tab === tab ? 'page' : undefined}
              onClick={() => setView({ tab, open: null })}
            >
              {title}
            </button>
          ))}
      </nav>
      <input
        ref={search}
        type="search"
        placeholder="Search phrase, head, key, address"
        aria-label="Search"
        aria-keyshortcuts="/"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <div class="tools">
        {view.tab !== 'funnel' && view.tab !== 'review' && (
          <button type="button" class="filters" aria-expanded={filters} onClick={onFilters}>
            Filters{narrowed ? ' ●' : ''}
          </button>
        )}
        <button type="button" onClick={onTheme} title={`Look: ${theme}`} aria-label={`Look: ${theme}`}>
          {theme === 'auto' ? '◐' : theme === 'light' ? '☀' : '☾'}
        </button>
        <button type="button" onClick={onHelp} aria-label="Help" aria-keyshortcuts="?">
          ?
        </button>
      </div>
    </header>
  )
}
