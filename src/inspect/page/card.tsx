import { memo } from 'preact/compat'
import { useMemo, useState } from 'preact/hooks'
import type { Sample, SampleBox } from '../answers.js'
import { Captions } from './captions.js'
import { coloursOf, keptColours } from './colours.js'
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
  const live = keptColours(sample, colours, threshold)
  const open = () => onOpen(sample.id)
  return (
    <li class="card" data-id={sample.id}>
      <button type="button" class="open" aria-label={`Open ${sample.key}`} onClick={open}>
        <Picture
          {...{ sample, grounded: sample, colours, threshold, address, hot, isMeant }}
          onHot={setHot}
        />
      </button>
      <Captions {...{ sample, hot }} colours={live} onHot={setHot} onPick={open} />
    </li>
  )
}

export const Card = memo(CardOf)
