import { memo } from 'preact/compat'
import { useMemo, useState } from 'preact/hooks'
import type { Sample, SampleBox } from '../answers.js'
import { Caption } from './caption.js'
import { coloursOf, liveColours } from './live.js'
import { Picture } from './picture.js'

interface CardProps {
  readonly sample: Sample
  readonly threshold: number
  readonly address: string
  readonly isMeant?: (box: SampleBox) => boolean
  readonly onOpen: (id: string) => void
}

/** A picture of the grid with its boxes, and the caption that names them. */
function CardOf({ sample, threshold, address, isMeant, onOpen }: CardProps) {
  const [hot, setHot] = useState<number | null>(null)
  const colours = useMemo(() => coloursOf(sample), [sample])
  const live = liveColours(sample, colours, threshold)
  const open = () => onOpen(sample.id)
  return (
    <li class="card" data-id={sample.id}>
      <button type="button" class="open" aria-label={`Open ${sample.key}`} onClick={open}>
        <Picture
          {...{ sample, grounded: sample, colours, threshold, address, hot, isMeant }}
          onHot={setHot}
        />
      </button>
      <div class="words">
        {captionsToShow(sample, live).map((at) => (
          <Caption
            key={at}
            text={sample.captions[at].text}
            caption={at}
            phrases={sample.phrases}
            colours={live}
            hot={hot}
            onHot={setHot}
            onPick={open}
          />
        ))}
      </div>
    </li>
  )
}

export const Card = memo(CardOf)

/** Captions that name a box; without any the first, unless it is a list of category names. */
export function captionsToShow({ captions, phrases }: Sample, live: readonly (string | null)[]): number[] {
  const named = new Set(phrases.filter((_, at) => live[at] !== null).map(({ caption }) => caption))
  const shown = captions.flatMap((_, at) => (named.has(at) ? [at] : []))
  if (shown.length > 0) return shown
  const first = captions.findIndex(({ kind }) => kind !== 'categories')
  return first === -1 ? [] : [first]
}
