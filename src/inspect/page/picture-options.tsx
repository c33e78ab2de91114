import { disagreementOf, nearThreshold, type Order as OrderName, orderOf, type View } from '../view/view.js'
import type { SetView } from './hooks/use-view.js'

interface OptionsProps {
  readonly view: View
  readonly setView: SetView
}

const disagreements = {
  grounding: 'most changed first',
  truth: 'most wrong and missed first',
  threshold: 'closest calls first',
} as const

const why = {
  grounding: 'by the regions of one side alone, then by those that moved',
  truth: 'by how many regions are wrong or missed',
  threshold: `by how many proposals a threshold ${nearThreshold} lower keeps and one ${nearThreshold} higher does not`,
} as const

/** What the pictures are put in order by. */
export function Order({ view, setView }: OptionsProps) {
  const order = orderOf(view)
  const titles: Readonly<Record<OrderName, string>> = {
    dataset: 'as in the dataset',
    best: 'best region first',
    worst: 'worst region first',
    disagreement: disagreements[disagreementOf(view)],
  }
  const choose = (wanted: string) => {
    const sort = Object.keys(titles).find((name) => name === wanted) as OrderName
    setView({ sort: sort === orderOf({ ...view, sort: null }) ? null : sort })
  }
  return (
    <label class="check" title={order === 'disagreement' ? why[disagreementOf(view)] : undefined}>
      <span>Order</span>
      <select value={order} onChange={(event) => choose(event.currentTarget.value)}>
        {Object.entries(titles).map(([name, title]) => (
          <option key={name} value={name} selected={name === order}>
            {title}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Whether boxes carry their phrases and scores: by default those of an open picture do. */
export const hasLabels = ({ labels, open }: Pick<View, 'labels' | 'open'>): boolean => labels ?? open !== null

/** What is shown after the labels have been switched on or off. */
export function withLabelsSwitched(view: View): Partial<View> {
  const labels = !hasLabels(view)
  return { labels: labels === hasLabels({ ...view, labels: null }) ? null : labels }
}

/** Switches the labels on and off. */
export function LabelsToggle({ view, setView }: OptionsProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={hasLabels(view)}
        aria-keyshortcuts="l"
        onChange={() => setView(withLabelsSwitched(view), { replace: true })}
      />
      words
    </label>
  )
}
