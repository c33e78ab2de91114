import type { ReviewEntry } from '../../../review/review-entry.js'
import type { Sample } from '../../view/answers.js'
import { Caption } from '../picture/caption.js'
import { type Step, saidOf } from './steps.js'

/** The words that are chosen for a box. */
export interface WordsEdit {
  readonly caption: number
  /** Code points, half open. */
  readonly start: number
  readonly end: number
  /** Whether a word was clicked, and the next one ends the choice. */
  readonly isOpen: boolean
  /** What the arrow keys move. */
  readonly edge: 'start' | 'end'
}

/** Runs of letters without white space, as spans of code points. */
export function wordsOf(text: string): { readonly start: number; readonly end: number }[] {
  const words: { start: number; end: number }[] = []
  let open: { start: number; end: number } | undefined
  ;[...text].forEach((point, at) => {
    if (/\s/u.test(point)) open = undefined
    else if (open) open.end = at + 1
    else {
      open = { start: at, end: at + 1 }
      words.push(open)
    }
  })
  return words
}

/** A choice with one of its edges moved by a word. */
export function movedEdge(edit: WordsEdit, text: string, by: -1 | 1): WordsEdit {
  const words = wordsOf(text)
  const isStart = edit.edge === 'start'
  const edges = words.map(({ start, end }) => (isStart ? start : end))
  const now = isStart ? edit.start : edit.end
  const next = by === 1 ? edges.find((edge) => edge > now) : edges.filter((edge) => edge < now).at(-1)
  if (next === undefined || (isStart ? next >= edit.end : next <= edit.start)) return edit
  return { ...edit, [edit.edge]: next }
}

interface ChooseWordsProps {
  readonly text: string
  readonly edit: WordsEdit
  readonly onEdit: (edit: WordsEdit) => void
}

/** A caption whose words can be clicked: the first and the last of those that name the box. */
export function ChooseWords({ text, edit, onEdit }: ChooseWordsProps) {
  const points = [...text]
  let last = 0
  const pieces = wordsOf(text).map(({ start, end }) => {
    const before = points.slice(last, start).join('')
    last = end
    const isChosen = start < edit.end && end > edit.start
    const pick = () =>
      onEdit(
        edit.isOpen
          ? { ...edit, start: Math.min(edit.start, start), end: Math.max(edit.end, end), isOpen: false }
          : { ...edit, start, end, isOpen: true },
      )
    return (
      <span key={start}>
        {before}
        <button type="button" class={`word${isChosen ? ' chosen' : ''}`} data-start={start} onClick={pick}>
          {points.slice(start, end).join('')}
        </button>
      </span>
    )
  })
  return (
    <p class="caption choosing" dir="auto">
      {pieces}
    </p>
  )
}

interface ReviewWordsProps {
  readonly sample: Sample
  readonly colours: readonly (string | null)[]
  readonly steps: readonly Step[]
  readonly step: number
  readonly held: readonly ReviewEntry[]
  readonly words: WordsEdit | null
  readonly onWords: (words: WordsEdit) => void
  readonly onSelect: (step: number) => void
}

const signs: Readonly<Record<string, string>> = {
  ...{ accept: '✓', reject: '✗', redraw: '✎', add: '+', relabel: '✓ other words' },
  ...{ complete: 'all found', incomplete: 'not all found', unseen: 'cannot be seen' },
}

/** The captions, and each phrase with what was said of its boxes. */
export function ReviewWords(props: ReviewWordsProps) {
  const { sample, colours, steps, step, held, words, onWords, onSelect } = props
  const phrase = steps[step]?.phrase ?? null
  const pick = (wanted: number) => {
    const at = steps.findIndex((one) => one.phrase === wanted)
    if (at !== -1) onSelect(at)
  }
  return (
    <div class="words">
      {sample.captions.map(({ text }, at) =>
        words?.caption === at ? (
          <ChooseWords key={at} text={text} edit={words} onEdit={onWords} />
        ) : (
          <Caption
            key={at}
            text={text}
            caption={at}
            phrases={sample.phrases}
            colours={colours}
            hot={phrase}
            onHot={() => {}}
            onPick={pick}
          />
        ),
      )}
      <ul class="phrases" aria-label="Phrases">
        {sample.phrases.map(({ text }, at) => {
          const own = steps.map((one, place) => ({ one, place })).filter(({ one }) => one.phrase === at)
          if (own.length === 0) return null
          return (
            <li key={at} class={phrase === at ? 'hot' : ''}>
              <button
                type="button"
                class="name"
                style={{ '--colour': colours[at] ?? 'gray' }}
                onClick={() => pick(at)}
              >
                {text}
              </button>
              <span class="scores">
                {own.map(({ one, place }) => {
                  const said = saidOf(sample, held, one)
                  return (
                    <button
                      key={place}
                      type="button"
                      class={`chip${place === step ? ' on' : ''}`}
                      aria-label={`${one.xyxy ? 'box' : 'phrase'}: ${said?.action ?? 'nothing said'}`}
                      onClick={() => onSelect(place)}
                    >
                      {said ? (signs[said.action] ?? said.action) : one.xyxy ? '□' : 'all?'}
                    </button>
                  )
                })}
              </span>
            </li>
          )
        })}
      </ul>
    </div>
  )
}
