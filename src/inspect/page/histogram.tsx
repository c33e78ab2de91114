import { binLabel, type Measure, type MeasureName, measures } from '../bins.js'
import { count } from './format.js'

interface HistogramProps {
  readonly name: MeasureName
  readonly counts: readonly number[] | undefined
  readonly chosen: readonly number[]
  readonly onChoose: (bins: readonly number[]) => void
  /** Bins under it are shown pale. */
  readonly threshold?: number
}

/** Bars that can be chosen: with a click one alone, with Shift or Ctrl more of them. */
export function Histogram({ name, counts, chosen, onChoose, threshold }: HistogramProps) {
  const { title, of, edges }: Measure = measures[name]
  const bins = counts ?? new Array<number>(edges.length + 1).fill(0)
  const highest = Math.max(1, ...bins)
  const choose = (bin: number, more: boolean) => {
    if (chosen.includes(bin)) onChoose(chosen.filter((one) => one !== bin))
    else onChoose(more ? [...chosen, bin].sort((a, b) => a - b) : [bin])
  }
  return (
    <fieldset class={`histogram${counts ? '' : ' waiting'}`} data-measure={name}>
      <legend>{title}</legend>
      <div class="bars">
        {bins.map((value, bin) => {
          const label = binLabel(name, bin)
          const isOn = chosen.includes(bin)
          const isUnder = threshold !== undefined && bin < edges.length && edges[bin] <= threshold
          return (
            <button
              key={bin}
              type="button"
              class={`bar${isOn ? ' on' : ''}${chosen.length > 0 && !isOn ? ' off' : ''}${isUnder ? ' under' : ''}`}
              aria-pressed={isOn}
              aria-label={`${title} ${label}: ${count(value)} ${of}`}
              title={`${label}: ${count(value)} ${of}`}
              data-bin={bin}
              onClick={(event) => choose(bin, event.shiftKey || event.ctrlKey || event.metaKey)}
            >
              <span style={{ height: value === 0 ? '0' : `${Math.max(3, (100 * value) / highest)}%` }} />
            </button>
          )
        })}
      </div>
      <div class="axis" aria-hidden="true">
        <span>{binLabel(name, 0)}</span>
        <span>{binLabel(name, edges.length)}</span>
      </div>
    </fieldset>
  )
}
