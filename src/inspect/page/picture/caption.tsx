import type { SamplePhrase } from '../../view/answers.js'

interface CaptionProps {
  readonly text: string
  /** Its own place among the captions. */
  readonly caption: number
  readonly phrases: readonly SamplePhrase[]
  /** Colour of each phrase; null where it has no box. */
  readonly colours: readonly (string | null)[]
  readonly hot: number | null
  readonly onHot: (phrase: number | null) => void
  readonly onPick?: (phrase: number) => void
}

interface Piece {
  readonly text: string
  readonly phrase: number | null
}

/** Cuts a caption at the ends of its phrases; where phrases lie in each other, the shortest has the words. */
export function piecesOf(text: string, caption: number, phrases: readonly SamplePhrase[]): Piece[] {
  // Spans are code points, and a string's own places are not.
  const points = [...text]
  const owner = new Array<number | null>(points.length).fill(null)
  const own = phrases
    .map((phrase, index) => ({ ...phrase, index }))
    .filter((phrase) => phrase.caption === caption)
    .sort((a, b) => b.end - b.start - (a.end - a.start))
  for (const { start, end, index } of own) owner.fill(index, start, Math.min(end, points.length))
  const pieces: { text: string; phrase: number | null }[] = []
  points.forEach((point, at) => {
    const last = pieces[pieces.length - 1]
    const phrase = owner[at] ?? null
    if (last && last.phrase === phrase) last.text += point
    else pieces.push({ text: point, phrase })
  })
  return pieces
}

/** A caption with its phrases marked: in their colour where they have a box. */
export function Caption({ text, caption, phrases, colours, hot, onHot, onPick }: CaptionProps) {
  return (
    <p class="caption" dir="auto">
      {piecesOf(text, caption, phrases).map((piece, at) => {
        const { phrase } = piece
        if (phrase === null) return <span key={at}>{piece.text}</span>
        const colour = colours[phrase]
        if (colour === null) {
          return (
            <span key={at} class="unboxed" title={`${phrases[phrase]?.head}: no box`}>
              {piece.text}
            </span>
          )
        }
        return (
          <button
            key={at}
            type="button"
            class={`phrase${hot === phrase ? ' hot' : ''}`}
            style={{ '--colour': colour }}
            data-phrase={phrase}
            onMouseEnter={() => onHot(phrase)}
            onMouseLeave={() => onHot(null)}
            onFocus={() => onHot(phrase)}
            onBlur={() => onHot(null)}
            onClick={(event) => {
              event.stopPropagation()
              onPick?.(phrase)
            }}
          >
            {piece.text}
          </button>
        )
      })}
    </p>
  )
}
