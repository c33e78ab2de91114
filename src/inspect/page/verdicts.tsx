import type { CountsAnswer, Verdict } from '../view/answers.js'
import { count } from '../view/format.js'
import type { View } from '../view/view.js'
import type { SetView } from './hooks/use-view.js'
import { verdictColours } from './picture/colours.js'

interface VerdictsProps {
  readonly view: View
  readonly counts: CountsAnswer | undefined
  readonly setView: SetView
}

const signs: readonly (readonly [Verdict, string])[] = [
  ['right', '✓'],
  ['wrong', '✗'],
  ['missed', '○'],
]

/** How many regions are right, wrong and missed beside the truth; each shows its pictures when it is clicked. */
export function Verdicts({ view, counts, setView }: VerdictsProps) {
  const own = counts?.verdicts
  const toggle = (verdict: Verdict) =>
    setView({
      verdicts: view.verdicts.includes(verdict)
        ? view.verdicts.filter((one) => one !== verdict)
        : [...view.verdicts, verdict],
    })
  const judged = own ? own.right + own.wrong : 0
  const asked = own ? own.found + own.missed : 0
  return (
    <fieldset
      class="verdicts"
      aria-label={`Beside ${view.truth}`}
      data-testid="verdicts"
      data-right={own?.right}
      data-wrong={own?.wrong}
      data-missed={own?.missed}
    >
      {signs.map(([verdict, sign]) => (
        <button
          key={verdict}
          type="button"
          class="chip"
          style={{ '--colour': verdictColours[verdict] }}
          aria-pressed={view.verdicts.includes(verdict)}
          title={own ? `in ${count(own.pictures[verdict])} pictures: show these` : undefined}
          onClick={() => toggle(verdict)}
        >
          <svg class="line" viewBox="0 0 26 10" aria-hidden="true">
            <path class={`box verdict-${verdict}`} d="M1 5H25" />
          </svg>
          {sign} {verdict} <b>{own ? count(own[verdict]) : '…'}</b>
        </button>
      ))}
      {own && (
        <p class="fine">
          {judged > 0 && `${percent(own.right / judged)} of the regions are right`}
          {judged > 0 && asked > 0 && ', '}
          {asked > 0 && `${percent(own.found / asked)} of what is asked for is found`}
          {own.unjudged > 0 && `; ${count(own.unjudged)} are not judged`}
        </p>
      )}
    </fieldset>
  )
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
