import { count } from '../view/format.js'
import { binLabel, type ShownMeasure, type ShownName, shownMeasures } from '../view/shown-measures.js'

interface HistogramProps {
  readonly name: ShownName
  readonly counts: readonly number[] | undefined
  readonly chosen: readonly number[]
  readonly onChoose: (bins: readonly number[]) => void
  /** The counts of a larger whole, which are drawn pale behind the others. */
  readonly behind?: readonly number[]
}

/** Bars that can be chosen: with a click one alone, with Shift or Ctrl more of them. */
export function Histogram({ name, counts, chosen, onChoose, behind }: HistogramProps) {
  const { title, of, edges }: ShownMeasure = shownMeasures[name]
  const bins = counts ?? new Array<number>(edges.length + 1).fill(0)
  const highest = Math.max(1, ...(behind ?? bins))
  const heightOf = (value: number) => (value === 0 ? '0' : `${Math.max(3, (100 * value) / highest)}%`)
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
          const whole = behind?.[bin] ?? value
          const amount = `${count(value)} ${whole === value ? '' : `of ${count(whole)} `}${of}`
          return (
            <button
              key={bin}
              type="button"
              class={`bar${isOn ? ' on' : ''}${chosen.length > 0 && !isOn ? ' off' : ''}`}
              aria-pressed={isOn}
              aria-label={`${title} ${label}: ${amount}`}
              title={`${label}: ${amount}`}
              data-bin={bin}
              onClick={(event) => choose(bin, event.shiftKey || event.ctrlKey || event.metaKey)}
            >
              {whole > value && <span class="behind" style={{ height: heightOf(whole) }} />}
              <span style={{ height: heightOf(value) }} />
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
