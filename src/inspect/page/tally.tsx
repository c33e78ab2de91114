import { useState } from 'preact/hooks'
import type { TallyAnswer } from '../view/answers.js'
import { count } from '../view/format.js'

interface TallyProps {
  readonly title: string
  /** What stands in the place of the empty word. */
  readonly empty: string
  readonly tally: TallyAnswer | undefined
  readonly chosen: readonly string[]
  readonly onChoose: (words: readonly string[]) => void
}

const few = 8

/** The most frequent words as bars that can be chosen. */
export function Tally({ title, empty, tally, chosen, onChoose }: TallyProps) {
  const [isLong, setLong] = useState(false)
  if (!tally || tally.different === 0) return null
  const highest = Math.max(1, ...tally.top.map(([, value]) => value))
  const rows = tally.top.filter(([word], at) => isLong || at < few || chosen.includes(word))
  const toggle = (word: string) =>
    onChoose(chosen.includes(word) ? chosen.filter((one) => one !== word) : [...chosen, word])
  return (
    <fieldset class="tally">
      <legend>{title}</legend>
      <ul>
        {rows.map(([word, value]) => (
          <li key={word}>
            <button
              type="button"
              aria-pressed={chosen.includes(word)}
              class={`tally-row${chosen.includes(word) ? ' on' : ''}`}
              onClick={() => toggle(word)}
            >
              <span class="level" style={{ width: `${(100 * value) / highest}%` }} />
              <span class="word">{word || empty}</span>
              <span class="number">{count(value)}</span>
            </button>
          </li>
        ))}
      </ul>
      <p class="fine">
        {count(tally.different)} different, {count(tally.once)} seen once
        {tally.top.length > few && (
          <button type="button" class="link" onClick={() => setLong(!isLong)}>
            {isLong ? 'fewer' : 'more'}
          </button>
        )}
      </p>
    </fieldset>
  )
}
