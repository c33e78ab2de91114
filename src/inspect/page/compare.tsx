import { useMemo, useState } from 'preact/hooks'
import type {
  CountsAnswer,
  DatasetAnswer,
  Grounded,
  LayerAnswer,
  Sample,
  SamplesAnswer,
} from '../view/answers.js'
import { count, counted } from '../view/format.js'
import { thresholdOf } from '../view/threshold.js'
import type { View } from '../view/view.js'
import type { Answer } from './hooks/ask.js'
import type { SetView } from './hooks/use-view.js'
import { Pager } from './pager.js'
import { Captions } from './picture/captions.js'
import { coloursOf, keptColours } from './picture/colours.js'
import { Picture } from './picture/picture.js'
import { hasLabels, LabelsToggle, Order } from './picture-options.js'

interface CompareProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly layer: LayerAnswer
  readonly against: LayerAnswer | undefined
  readonly counts: CountsAnswer | undefined
  readonly samples: Answer<SamplesAnswer>
  readonly setView: SetView
}

/** Two groundings side by side, the pictures that changed most first. */
export function Compare({ dataset, view, layer, against, counts, samples, setView }: CompareProps) {
  const { value, error } = samples
  const changes = counts?.changes
  const labels = hasLabels(view)
  if (!against) return <p class="nothing">This dataset has one grounding only: nothing to compare it with.</p>
  return (
    <>
      <div class="toolbar">
        <p
          role="status"
          data-testid="changes"
          data-kept={changes?.kept}
          data-moved={changes?.moved}
          data-lost={changes?.lost}
          data-added={changes?.added}
          data-pictures={changes?.pictures}
        >
          {changes
            ? [
                `${counted(changes.pictures, 'picture differs', 'pictures differ')}: `,
                `${count(changes.lost)} regions gone, ${count(changes.added)} new, `,
                `${count(changes.moved)} moved, ${count(changes.kept)} the same`,
              ].join('')
            : ' '}
          {value && !value.isWhole && ' so far'}
        </p>
        <Order {...{ view, setView }} />
        <label class="check">
          <input
            type="checkbox"
            checked={view.same}
            onChange={(event) => setView({ same: event.currentTarget.checked })}
          />
          also what is the same
        </label>
        <LabelsToggle {...{ view, setView }} />
        <Pager page={view.page} total={value?.total ?? 0} onPage={(page) => setView({ page })} />
      </div>
      <p class="legend">
        <span class="key change-alone">on this side alone</span>
        <span class="key change-moved">moved</span>
        <span class="key change-same">the same on both</span>
      </p>
      {error && <p class="error">{error}</p>}
      {value?.total === 0 && value.isWhole && <p class="nothing">Nothing differs.</p>}
      <ul class="pairs" aria-label="Pictures">
        {value?.samples.map((sample) => (
          <li key={sample.id} class="pair" data-id={sample.id}>
            <Side
              {...{ sample, dataset, labels, setView }}
              name={against.name}
              grounded={sample.against ?? { phrases: [], boxes: [] }}
              threshold={thresholdOf(view, against)}
            />
            <Side
              {...{ sample, dataset, labels, setView }}
              name={layer.name}
              grounded={sample}
              threshold={thresholdOf(view, layer)}
            />
          </li>
        ))}
      </ul>
    </>
  )
}

interface SideProps {
  readonly dataset: DatasetAnswer
  readonly name: string
  readonly sample: Sample
  readonly grounded: Grounded
  readonly threshold: number
  readonly labels: boolean
  readonly setView: SetView
}

function Side({ dataset, name, sample, grounded, threshold, labels, setView }: SideProps) {
  const [hot, setHot] = useState<number | null>(null)
  const colours = useMemo(() => coloursOf(grounded), [grounded])
  const live = keptColours(grounded, colours, threshold)
  const alone = grounded.changes?.filter((change) => change === 'alone').length ?? 0
  const regions = grounded.changes?.filter(Boolean).length ?? 0
  const open = () => setView({ open: sample.id })
  return (
    <section class="side" aria-label={name}>
      <h3>
        {name}{' '}
        <span class="fine">
          {counted(regions, 'region', 'regions')}, {count(alone)} here alone
        </span>
      </h3>
      <button type="button" class="open" aria-label={`Open ${sample.key}`} onClick={open}>
        <Picture
          {...{ sample, grounded, colours, threshold, hot, labels }}
          address={`/thumb/${dataset.pictureKey}/${sample.id}`}
          onHot={setHot}
        />
      </button>
      <Captions sample={{ ...sample, ...grounded }} hot={hot} colours={live} onHot={setHot} onPick={open} />
    </section>
  )
}
