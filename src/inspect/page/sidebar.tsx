import type { CountsAnswer, DatasetAnswer, LayerAnswer } from '../answers.js'
import { type ShownName, shownNames } from '../shown-measures.js'
import { isNarrowed, type View } from '../view.js'
import { count } from './format.js'
import { Histogram } from './histogram.js'
import { Tally } from './tally.js'
import { Threshold, withBins } from './threshold.js'
import type { SetView } from './use-view.js'

interface SidebarProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly layer: LayerAnswer
  readonly against: LayerAnswer | undefined
  readonly counts: CountsAnswer | undefined
  readonly setView: SetView
}

/** Histograms that are empty where there are no boxes. */
const needsBoxes: ReadonlySet<ShownName> = new Set(['score', 'area_share', 'aspect', 'regions_an_image'])

/** What is shown, and everything that narrows it. */
export function Sidebar({ dataset, view, layer, against, counts, setView }: SidebarProps) {
  const hasBoxes = layer.kind !== 'phrases' && layer.kind !== 'pictures'
  return (
    <>
      <div class="layers">
        {against && (
          <LayerChoice
            label="Before"
            layers={dataset.layers}
            chosen={against.name}
            onChoose={(name) => setView({ against: name })}
          />
        )}
        <LayerChoice
          label={against ? 'After' : 'Grounding'}
          layers={dataset.layers}
          chosen={layer.name}
          onChoose={(name) => setView({ grounding: name, threshold: null })}
        />
      </div>
      {counts && !counts.index.isWhole && <Progress {...counts.index} />}
      {hasBoxes && <Threshold {...{ view, layer, against, counts, setView }} />}
      {isNarrowed(view) && (
        <button
          type="button"
          class="clear"
          onClick={() => setView({ search: '', bins: {}, heads: [], hosts: [] })}
        >
          Clear all filters
        </button>
      )}
      <Tally
        title="Head nouns"
        empty="(none)"
        tally={counts?.heads}
        chosen={view.heads}
        onChoose={(heads) => setView({ heads })}
      />
      {shownNames
        .filter((name) => name !== 'score' && (hasBoxes || !needsBoxes.has(name)))
        .map((name) => (
          <Histogram
            key={name}
            name={name}
            counts={counts?.histograms[name]}
            chosen={view.bins[name] ?? []}
            onChoose={(bins) => setView({ bins: withBins(view.bins, name, bins) })}
          />
        ))}
      <Tally
        title="Hosts"
        empty="no address"
        tally={counts?.hosts}
        chosen={view.hosts}
        onChoose={(hosts) => setView({ hosts })}
      />
    </>
  )
}

function LayerChoice({
  label,
  layers,
  chosen,
  onChoose,
}: {
  readonly label: string
  readonly layers: readonly LayerAnswer[]
  readonly chosen: string
  readonly onChoose: (name: string) => void
}) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        {layers.map(({ name, kind }) => (
          <option key={name} value={name} selected={name === chosen}>
            {kind === 'filter' ? name : `${name} (${kind})`}
          </option>
        ))}
      </select>
    </label>
  )
}

function Progress({ rows, total, isBusy, errors }: CountsAnswer['index']) {
  return (
    <div class="indexing" role="status">
      <progress value={rows} max={total} aria-label="Pictures that are counted" />
      <p class="fine">
        {isBusy
          ? `Looking through the dataset: ${count(rows)} of ${count(total)} pictures counted`
          : `The first ${count(rows)} of ${count(total)} pictures are counted and found: more do not fit into memory.`}
      </p>
      {errors.map((error) => (
        <p key={error} class="error">
          {error}
        </p>
      ))}
    </div>
  )
}
