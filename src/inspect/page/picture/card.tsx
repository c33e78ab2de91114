import type { ComponentChildren } from 'preact'
import { memo } from 'preact/compat'
import { useMemo, useState } from 'preact/hooks'
import type { Sample, SampleBox } from '../../view/answers.js'
import { isKept } from '../../view/threshold.js'
import { Captions } from './captions.js'
import { coloursOf, keptColours } from './colours.js'
import { Picture } from './picture.js'

interface CardProps {
  readonly sample: Sample
  readonly threshold: number
  readonly address: string
  readonly labels: boolean
  /** Whether its boxes are those that a rule has dropped. */
  readonly dropped?: boolean
  /** Gives of a picture whether a box is one that was filtered for; nothing where boxes are not. */
  readonly meantOf?: (sample: Sample) => ((box: SampleBox) => boolean) | undefined
  readonly fadesMissed?: boolean
  readonly onOpen: (id: string) => void
  readonly ticked?: boolean
  /** Without it a picture cannot be ticked. */
  readonly onTick?: (id: string) => void
  readonly children?: ComponentChildren
}

/** A picture of the grid with its boxes, and the caption that names them. */
function CardOf(props: CardProps) {
  const { sample, threshold, address, labels, dropped, meantOf, fadesMissed, onOpen } = props
  const { ticked = false, onTick } = props
  const [hot, setHot] = useState<number | null>(null)
  const colours = useMemo(() => coloursOf(sample), [sample])
  const isMeant = useMemo(() => meantOf?.(sample), [meantOf, sample])
  const verdicts = verdictText(sample)
  const live = keptColours(sample, colours, threshold)
  const open = () => onOpen(sample.id)
  return (
    <li class={`card${ticked ? ' ticked' : ''}`} data-id={sample.id}>
      <div class="frame">
        <button
          type="button"
          class="open"
          aria-label={`Open ${sample.key}${verdicts && `: ${verdicts}`}`}
          onClick={open}
        >
          <Picture
            {...{
              sample,
              grounded: sample,
              colours,
              threshold,
              address,
              hot,
              labels,
              dropped,
              isMeant,
              fadesMissed,
            }}
            onHot={setHot}
          />
        </button>
        {onTick && (
          <label class="tick">
            <input
              type="checkbox"
              checked={ticked}
              aria-label={`Tick ${sample.key}`}
              aria-keyshortcuts="x"
              onChange={() => onTick(sample.id)}
            />
          </label>
        )}
      </div>
      {props.children}
      <Captions {...{ sample, hot }} colours={live} onHot={setHot} onPick={open} />
    </li>
  )
}

/** What became of the boxes, in words; empty where nothing is judged. */
function verdictText({ verdicts, missed }: Sample): string {
  if (!verdicts) return ''
  const countOf = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length
  return `${countOf('right')} right, ${countOf('wrong')} wrong, ${missed?.length ?? 0} missed`
}

/** Whether a card looks the same: a step of the slider changes the boxes of few. */
function looksSame(before: CardProps, after: CardProps): boolean {
  const isKeptAlike = ({ from, to }: SampleBox) =>
    isKept(from, to, before.threshold) === isKept(from, to, after.threshold)
  return (Object.keys(after) as (keyof CardProps)[]).every((name) =>
    name === 'threshold' ? after.sample.boxes.every(isKeptAlike) : before[name] === after[name],
  )
}

export const Card = memo(CardOf, looksSame)
