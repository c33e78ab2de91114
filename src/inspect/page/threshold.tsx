import type { CountsAnswer, LayerAnswer } from '../view/answers.js'
import { count } from '../view/format.js'
import { thresholdOf } from '../view/threshold.js'
import type { View } from '../view/view.js'
import { Histogram } from './histogram.js'
import type { SetView } from './hooks/use-view.js'

interface ThresholdProps {
  readonly view: View
  readonly layer: LayerAnswer
  readonly against: LayerAnswer | undefined
  readonly counts: CountsAnswer | undefined
  readonly setView: SetView
}

/** The slider under the histogram of scores, and what the filter keeps there. */
export function Threshold({ view, layer, against, counts, setView }: ThresholdProps) {
  const threshold = thresholdOf(view, layer)
  const set = (value: number) =>
    setView({ threshold: value === layer.threshold ? null : value, page: 0 }, { replace: true })
  const { kept, index } = counts ?? {}
  return (
    <section class="threshold" aria-label="Threshold">
      <Histogram
        name="score"
        counts={counts?.histograms.score}
        chosen={view.bins.score ?? []}
        behind={counts?.allScores}
        onChoose={(bins) => setView({ bins: withBins(view.bins, 'score', bins) })}
      />
      <input
        type="range"
        min="0"
        max="1"
        step="0.01"
        value={threshold}
        aria-label="Weakest score that is kept"
        onInput={(event) => set(Number(event.currentTarget.value))}
      />
      <p class="kept">
        <output data-testid="threshold">{threshold.toFixed(2)}</output>
        <span data-testid="kept" data-boxes={kept?.boxes} data-pictures={kept?.pictures}>
          {kept ? (
            <>
              keeps <b>{count(kept.boxes)}</b> of {count(kept.proposals)} proposals, in{' '}
              <b>{count(kept.pictures)}</b> pictures
            </>
          ) : (
            'counting'
          )}
          {index && !index.isWhole && ' so far'}
        </span>
      </p>
      {view.threshold !== null && (against || view.threshold !== layer.threshold) && (
        <button type="button" class="link" onClick={() => setView({ threshold: null, page: 0 })}>
          back to {layer.threshold.toFixed(2)}, as it was made
        </button>
      )}
      {against && <p class="fine">Counted after; the slider moves both sides.</p>}
      {layer.note && <p class="fine">{layer.note}</p>}
      {layer.rules && (
        <details class="fine">
          <summary>{layer.rules.length} rules</summary>
          <ol>
            {layer.rules.map(({ rule, ...rest }, at) => (
              <li key={at}>
                {String(rule)}{' '}
                {Object.entries(rule === layer.thresholdRule ? { min: threshold } : rest)
                  .map(
                    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
                  )
                  .join(', ')}
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  )
}

/** The bins of a view with those of one measure changed; a measure without any is left out. */
export function withBins(
  bins: View['bins'],
  name: keyof View['bins'],
  chosen: readonly number[],
): View['bins'] {
  const { [name]: _, ...others } = bins
  return chosen.length > 0 ? { ...others, [name]: chosen } : others
}
