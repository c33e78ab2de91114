import type {
  CountsAnswer,
  DatasetAnswer,
  LayerAnswer,
  Sample,
  SampleBox,
  SamplesAnswer,
} from '../answers.js'
import { binOf, type MeasureName, measures } from '../bins.js'
import type { View } from '../view.js'
import type { Asked } from './ask.js'
import { Card } from './card.js'
import { counted } from './format.js'
import { thresholdOf } from './live.js'
import { Pager } from './pager.js'
import type { SetView } from './use-view.js'

interface SamplesProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly layer: LayerAnswer
  readonly counts: CountsAnswer | undefined
  readonly samples: Asked<SamplesAnswer>
  readonly setView: SetView
}

/** The grid of pictures. */
export function Samples({ dataset, view, layer, counts, samples, setView }: SamplesProps) {
  const { value, error } = samples
  const threshold = thresholdOf(view, layer)
  return (
    <>
      <div class="toolbar">
        <p role="status" data-testid="matched" data-pictures={value?.total}>
          {value
            ? `${counted(value.total, 'picture', 'pictures')}${counts ? `, ${counted(counts.matched.boxes, 'box', 'boxes')}` : ''}${value.isWhole ? '' : ' so far'}`
            : ' '}
        </p>
        <Pager page={view.page} total={value?.total ?? 0} onPage={(page) => setView({ page })} />
      </div>
      {error && <p class="error">{error}</p>}
      {value?.total === 0 && value.isWhole && <p class="nothing">No picture has all of this.</p>}
      <ul class="grid" aria-label="Pictures">
        {value?.samples.map((sample) => (
          <Card
            key={sample.id}
            sample={sample}
            threshold={threshold}
            address={`/thumb/${dataset.pictureKey}/${sample.id}`}
            isMeant={meant(view, sample)}
            onOpen={(id) => setView({ open: id })}
          />
        ))}
      </ul>
    </>
  )
}

/** Whether a box is one of those that the view filters for; undefined where it filters for no boxes. */
export function meant(
  view: View,
  { phrases, width, height }: Sample,
): ((box: SampleBox) => boolean) | undefined {
  const { score, area, aspect } = view.bins
  const terms = view.search.toLowerCase().trim()
  if (!score && !area && !aspect && view.heads.length === 0 && terms === '') return undefined
  const isIn = (name: MeasureName, bins: readonly number[] | undefined, value: number) =>
    !bins || bins.includes(binOf(measures[name].edges, value))
  const named = phrases.map(({ text, head }) => terms === '' || isNamed(terms, text, head))
  const searchesPhrases = named.some(Boolean)
  return ({ phrase, xyxy: [x1, y1, x2, y2], score: own }) =>
    isIn('score', score, own) &&
    isIn('area', area, ((x2 - x1) * (y2 - y1)) / (width * height)) &&
    isIn('aspect', aspect, (x2 - x1) / (y2 - y1)) &&
    (view.heads.length === 0 || view.heads.includes(phrases[phrase].head)) &&
    (!searchesPhrases || named[phrase])
}

/** Whether a search names a phrase: each of its terms stands in it, or is its head. */
function isNamed(search: string, text: string, head: string): boolean {
  const terms = [...search.matchAll(/(?:phrase:|head:)?(?:"([^"]*)"?|(\S+))/g)].map(
    ([, quoted, word]) => quoted ?? word,
  )
  return terms.every((term) => text.toLowerCase().includes(term) || head === term)
}
