import { count } from '../view/format.js'
import { pageSize } from '../view/view.js'

interface PagerProps {
  readonly page: number
  readonly total: number
  readonly onPage: (page: number) => void
}

/** Goes from page to page, or to any by its number. */
export function Pager({ page, total, onPage }: PagerProps) {
  const pages = Math.max(1, Math.ceil(total / pageSize))
  const go = (to: number) => onPage(Math.max(0, Math.min(pages - 1, to)))
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" disabled={page === 0} onClick={() => go(page - 1)} aria-label="Page before">
        ‹
      </button>
      <label>
        <span class="hidden">Page</span>
        <input
          type="number"
          min="1"
          max={pages}
          value={page + 1}
          onChange={(event) => {
            const wanted = Number(event.currentTarget.value)
            if (Number.isInteger(wanted)) go(wanted - 1)
          }}
        />
        <span>of {count(pages)}</span>
      </label>
      <button type="button" disabled={page >= pages - 1} onClick={() => go(page + 1)} aria-label="Next page">
        ›
      </button>
    </nav>
  )
}
