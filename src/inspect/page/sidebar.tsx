import type { CountsAnswer, DatasetAnswer, LayerAnswer } from '../view/answers.js'
import { count } from '../view/format.js'
import { type ShownName, shownNames } from '../view/shown-measures.js'
import { isNarrowed, type View, withoutFilters } from '../view/view.js'
import { Histogram } from './histogram.js'
import type { SetView } from './hooks/use-view.js'
import { Tally } from './tally.js'
import { Threshold, withBins } from './threshold.js'

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
      {view.tab === 'samples' && hasBoxes && <TruthChoice {...{ dataset, view, layer, setView }} />}
      {counts && !counts.index.isWhole && <Progress {...counts.index} />}
      {hasBoxes && <Threshold {...{ view, layer, against, counts, setView }} />}
      {hasBoxes && <BoxedChoice {...{ view, counts, setView }} />}
      {isNarrowed(view) && (
        <button type="button" class="clear" onClick={() => setView(withoutFilters)}>
          Clear all filters
        </button>
      )}
      <SelectionChoice {...{ dataset, view, setView }} />
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

/** What the boxes are held against. */
function TruthChoice({ dataset, view, layer, setView }: Omit<SidebarProps, 'against' | 'counts'>) {
  const others = dataset.layers.filter(
    ({ name, kind }) => kind !== 'phrases' && kind !== 'pictures' && name !== layer.name,
  )
  if (others.length === 0) return null
  const truth = others.find(({ name }) => name === view.truth)
  return (
    <div class="layers">
      <label class="choice">
        <span>Truth</span>
        <select
          value={truth?.name ?? ''}
          onChange={(event) => setView({ truth: event.currentTarget.value || null, verdicts: [] })}
        >
          <option value="" selected={!truth}>
            none
          </option>
          {others.map(({ name, kind }) => (
            <option key={name} value={name} selected={name === truth?.name}>
              {kind === 'filter' ? name : `${name} (${kind})`}
            </option>
          ))}
        </select>
      </label>
      {truth && (
        <p class="fine">
          {truth.isByCategory
            ? 'A region is right where it overlaps one of a category that its phrase can mean, by half or more.'
            : 'A region is right where it overlaps one of the same words, else of the same head noun, by half or more.'}
        </p>
      )}
    </div>
  )
}

/** Pictures with a box, or without one. */
function BoxedChoice({ view, counts, setView }: Pick<SidebarProps, 'view' | 'counts' | 'setView'>) {
  const boxed = counts?.boxed
  const choices = [
    [null, 'all', boxed && boxed.with + boxed.without],
    ['with', 'with', boxed?.with],
    ['without', 'without', boxed?.without],
  ] as const
  return (
    <fieldset class="boxed">
      <legend>Pictures with a region, or without</legend>
      <div>
        {choices.map(([boxes, title, pictures]) => (
          <button
            key={title}
            type="button"
            aria-pressed={view.boxes === boxes}
            onClick={() => setView({ boxes })}
          >
            {title} <b class="number">{pictures === undefined ? '…' : count(pictures)}</b>
          </button>
        ))}
      </div>
    </fieldset>
  )
}

/** The selections of the dataset; each shows its pictures alone. */
function SelectionChoice({ dataset, view, setView }: Pick<SidebarProps, 'dataset' | 'view' | 'setView'>) {
  if (dataset.selections.length === 0) return null
  return (
    <fieldset class="tally">
      <legend>Selections</legend>
      <ul>
        {dataset.selections.map(({ name, pictures }) => (
          <li key={name}>
            <button
              type="button"
              aria-pressed={view.only === name}
              class={`tally-row${view.only === name ? ' on' : ''}`}
              onClick={() => setView({ only: view.only === name ? null : name })}
            >
              <span class="word">{name}</span>
              <span class="number">{count(pictures)}</span>
            </button>
          </li>
        ))}
      </ul>
    </fieldset>
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
