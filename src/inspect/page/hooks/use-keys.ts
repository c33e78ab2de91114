import { useEffect, useRef } from 'preact/hooks'

interface Keys {
  /** Whether no key means anything. */
  readonly isOff?: boolean
  /** Whether a picture is open: then the next and the one before are opened. */
  readonly isOpen: boolean
  /** Turns pages; false where there is none. */
  readonly turn: (by: number) => boolean
  readonly onBack: () => void
  /** Ticks the picture that has the focus. */
  readonly onTick: (id: string) => void
  readonly onNext: () => void
  readonly onBefore: () => void
  readonly keys: Readonly<Record<string, () => void>>
}

const forward: ReadonlySet<string> = new Set(['j', 'ArrowRight', 'ArrowDown'])
const backward: ReadonlySet<string> = new Set(['k', 'ArrowLeft', 'ArrowUp'])

/** The page's keys. What is typed into a field belongs to the field, all but Escape. */
export function useKeys(given: Keys): void {
  const latest = useRef(given)
  latest.current = given
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const keys = latest.current
      const target = event.target as HTMLElement
      if (keys.isOff) return
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === 'Escape') {
        if (isField(target)) target.blur()
        else keys.onBack()
        return
      }
      if (isField(target) || target.closest('dialog')) return
      if (forward.has(event.key) || backward.has(event.key)) {
        const way = forward.has(event.key) ? 1 : -1
        if (keys.isOpen) {
          if (way > 0) keys.onNext()
          else keys.onBefore()
        } else moveFocus(event.key, way, keys.turn)
        event.preventDefault()
      } else if (event.key === 'x') {
        const id = target.closest<HTMLElement>('[data-id]')?.dataset.id
        if (id) keys.onTick(id)
      } else if (event.key === 'n' || event.key === 'p') keys.turn(event.key === 'n' ? 1 : -1)
      else if (event.key in keys.keys) {
        keys.keys[event.key]?.()
        event.preventDefault()
      }
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

/** Of a box that is ticked only the space bar is its own. */
export const isField = (element: HTMLElement) =>
  element.matches('input:not([type=checkbox]):not([type=radio]), select, textarea')

/** To the next picture of the grid, a row on with up and down, and from the last one to the next page. */
function moveFocus(key: string, way: number, turn: (by: number) => boolean): void {
  const cards = [...document.querySelectorAll<HTMLElement>('main .open')]
  if (cards.length === 0) return
  const at = cards.indexOf(document.activeElement as HTMLElement)
  const isVertical = key === 'ArrowDown' || key === 'ArrowUp'
  const step = isVertical ? way * columnsOf(cards) : way
  const to = at === -1 ? (way > 0 ? 0 : cards.length - 1) : at + step
  const card = cards[to]
  if (card) {
    card.focus({ preventScroll: true })
    card.closest('li')?.scrollIntoView({ block: 'nearest' })
  } else if (turn(way)) scrollTo({ top: 0 })
}

/** How many pictures stand in the first row. */
function columnsOf(cards: readonly HTMLElement[]): number {
  const top = cards[0]?.getBoundingClientRect().top ?? 0
  const next = cards.findIndex((card) => card.getBoundingClientRect().top > top + 4)
  return next === -1 ? cards.length : next
}
