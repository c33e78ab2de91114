import { useCallback, useEffect, useState } from 'preact/hooks'
import { readView, type View, writeView } from '../../view/view.js'

export type SetView = (change: Partial<View>, options?: { readonly replace?: boolean }) => void

/** What filters: a change of it begins again on the first page. */
const narrowing: readonly (keyof View)[] = [
  'grounding',
  'against',
  'search',
  'bins',
  'heads',
  'hosts',
  'boxes',
  'only',
  'truth',
  'verdicts',
  'sort',
  'same',
  'tab',
]

/** The view, which is the address: going back in the browser goes back in it. */
export function useView(): readonly [View, SetView] {
  const [view, setState] = useState(() => readView(location.search))

  useEffect(() => {
    const read = () => setState(readView(location.search))
    addEventListener('popstate', read)
    return () => removeEventListener('popstate', read)
  }, [])

  const setView = useCallback<SetView>((change, options) => {
    setState((old) => {
      const isNarrowing = narrowing.some((name) => name in change && change[name] !== old[name])
      const next = { ...old, ...(isNarrowing ? { page: 0 } : {}), ...change }
      const query = writeView(next)
      const address = query === '' ? location.pathname : `?${query}`
      if (address !== `${location.search || location.pathname}`) {
        if (options?.replace) history.replaceState(null, '', address)
        else history.pushState(null, '', address)
      }
      return next
    })
  }, [])

  return [view, setView]
}
