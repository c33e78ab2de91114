import type { Sample } from '../../view/answers.js'
import { Caption } from './caption.js'

interface CaptionsProps {
  readonly sample: Pick<Sample, 'captions' | 'phrases'>
  /** Colour of each phrase; null where it has no box. */
  readonly colours: readonly (string | null)[]
  readonly hot: number | null
  readonly onHot: (phrase: number | null) => void
  readonly onPick: (phrase: number) => void
}

/** The captions below a picture of a grid. */
export function Captions({ sample, colours, hot, onHot, onPick }: CaptionsProps) {
  return (
    <div class="words">
      {captionsToShow(sample, colours).map((at) => (
        <Caption
          key={at}
          text={sample.captions[at]?.text ?? ''}
          caption={at}
          phrases={sample.phrases}
          {...{ colours, hot, onHot, onPick }}
        />
      ))}
    </div>
  )
}

/** Captions that name a box; without any the first, unless it is a list of category names. */
function captionsToShow(
  { captions, phrases }: Pick<Sample, 'captions' | 'phrases'>,
  live: readonly (string | null)[],
): number[] {
  const named = new Set(phrases.filter((_, at) => live[at] !== null).map(({ caption }) => caption))
  const shown = captions.flatMap((_, at) => (named.has(at) ? [at] : []))
  if (shown.length > 0) return shown
  const first = captions.findIndex(({ kind }) => kind !== 'categories')
  return first === -1 ? [] : [first]
}
