import { useCallback, useMemo, useRef } from 'preact/hooks'
import { boxMeasures } from '../../statistics/box-measures.js'
import { binOf } from '../../statistics/measures.js'
import type {
  CountsAnswer,
  DatasetAnswer,
  LayerAnswer,
  Sample,
  SampleBox,
  SamplesAnswer,
} from '../view/answers.js'
import { counted } from '../view/format.js'
import { namesPhrase, readSearch } from '../view/read-search.js'
import { shownMeasures } from '../view/shown-measures.js'
import { thresholdOf } from '../view/threshold.js'
import { isJudged, type View } from '../view/view.js'
import type { Answer } from './hooks/ask.js'
import type { Ticks } from './hooks/use-ticks.js'
import type { SetView } from './hooks/use-view.js'
import { Pager } from './pager.js'
import { Card } from './picture/card.js'
import { hasLabels, LabelsToggle, Order } from './picture-options.js'
import { SaveSelection } from './save-selection.js'
import { Verdicts } from './verdicts.js'

interface SamplesProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly layer: LayerAnswer
  readonly counts: CountsAnswer | undefined
  readonly samples: Answer<SamplesAnswer>
  readonly setView: SetView
  readonly ticks: Ticks
  /** Told when a selection was stored. */
  readonly onSaved: () => void
}

/** The grid of pictures. */
export function Samples(props: SamplesProps) {
  const { dataset, view, layer, counts, samples, setView, ticks, onSaved } = props
  const { value, error } = samples
  const threshold = thresholdOf(view, layer)
  const onOpen = useCallback((id: string) => setView({ open: id }), [setView])
  const pictures = useKnown(value?.samples)
  // The same while the threshold moves, so that a card is drawn again only where its boxes change.
  const { tab, bins, heads, search, verdicts, truth } = view
  const meantOf = useCallback(
    (sample: Sample) => meant({ tab, bins, heads, search, verdicts, truth }, sample),
    [tab, bins, heads, search, verdicts, truth],
  )
  return (
    <>
      <div class="toolbar">
        <p role="status" data-testid="matched" data-pictures={value?.total}>
          {value
            ? [
                counted(value.total, 'picture', 'pictures'),
                counts ? `, ${counted(counts.matched.boxes, 'region', 'regions')}` : '',
                value.isWhole ? '' : ' so far',
              ].join('')
            : ' '}
        </p>
        <Order {...{ view, setView }} />
        <LabelsToggle {...{ view, setView }} />
        <Pager page={view.page} total={value?.total ?? 0} onPage={(page) => setView({ page })} />
      </div>
      {isJudged(view) && <Verdicts {...{ view, counts, setView }} />}
      <SaveSelection {...{ view, ticks, onSaved }} matched={value?.total ?? 0} />
      {error && <p class="error">{error}</p>}
      {value?.total === 0 && value.isWhole && <p class="nothing">No picture has all of this.</p>}
      <ul class="grid" aria-label="Pictures">
        {pictures?.map((sample) => (
          <Card
            key={sample.id}
            sample={sample}
            threshold={threshold}
            address={`/thumb/${dataset.pictureKey}/${sample.id}`}
            labels={hasLabels(view)}
            meantOf={meantOf}
            fadesMissed={view.verdicts.length > 0 && !view.verdicts.includes('missed')}
            onOpen={onOpen}
            ticked={ticks.ids.has(sample.id)}
            onTick={ticks.toggle}
          />
        ))}
      </ul>
    </>
  )
}

/** Samples of which those that are as they were in the answer before are the same objects. */
function useKnown(samples: readonly Sample[] | undefined): readonly Sample[] | undefined {
  const known = useRef(new Map<string, { readonly text: string; readonly sample: Sample }>())
  return useMemo(() => {
    const found = samples?.map((sample) => {
      const text = JSON.stringify(sample)
      const before = known.current.get(sample.id)
      return before?.text === text ? before : { text, sample }
    })
    known.current = new Map(found?.map((one) => [one.sample.id, one]))
    return found?.map(({ sample }) => sample)
  }, [samples])
}

/** What of a view filters for boxes. */
type Filters = Pick<View, 'tab' | 'bins' | 'heads' | 'search' | 'verdicts' | 'truth'>

/** Whether a box is one of those that the view filters for; undefined where it filters for no boxes. */
function meant(view: Filters, sample: Sample): ((box: SampleBox) => boolean) | undefined {
  const { phrases, width, height } = sample
  const { bins, heads } = view
  const verdicts = isJudged(view) ? view.verdicts : []
  const terms = readSearch(view.search)
  const chosen = (['score', 'area_share', 'aspect'] as const).filter((name) => bins[name])
  if (chosen.length === 0 && heads.length === 0 && terms.length === 0 && verdicts.length === 0)
    return undefined
  const named = phrases.map((phrase) => namesPhrase(terms, phrase))
  const searchesPhrases = named.some(Boolean)
  return (box) => {
    const measured = boxMeasures({ width, height }, box)
    return (
      chosen.every((name) => bins[name]?.includes(binOf(shownMeasures[name].edges, measured[name]))) &&
      (heads.length === 0 || heads.includes(phrases[box.phrase]?.head ?? '')) &&
      (!searchesPhrases || named[box.phrase] === true) &&
      (verdicts.length === 0 || verdicts.some((verdict) => verdict === verdictOf(sample, box)))
    )
  }
}

const verdictOf = ({ boxes, verdicts }: Sample, box: SampleBox) => verdicts?.[boxes.indexOf(box)]
