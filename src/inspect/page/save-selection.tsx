import { useState } from 'preact/hooks'
import type { SelectionQuestion } from '../view/answers.js'
import { counted } from '../view/format.js'
import { type View, writeView } from '../view/view.js'
import { AnswerError, ask } from './hooks/ask.js'
import type { Ticks } from './hooks/use-ticks.js'

interface SaveSelectionProps {
  readonly view: View
  readonly matched: number
  readonly ticks: Ticks
  readonly onSaved: () => void
}

/** Stores the pictures that are ticked, or all that match, as a selection of the dataset. */
export function SaveSelection({ view, matched, ticks, onSaved }: SaveSelectionProps) {
  const [isOpen, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [said, setSaid] = useState('')
  const [isTaken, setTaken] = useState(false)
  const { ids } = ticks
  const pictures = ids.size > 0 ? ids.size : matched
  const what = ids.size > 0 ? `${counted(pictures, 'ticked picture', 'ticked pictures')}` : ''
  const save = async (replace: boolean) => {
    const asked: SelectionQuestion = { ...(ids.size > 0 && { ids: [...ids] }), replace }
    const query = writeView({ ...view, page: 0, open: null })
    try {
      await ask(`/api/selections/${encodeURIComponent(name)}?${query}`, asked)
      setSaid(`“${name}” is stored: ${counted(pictures, 'picture', 'pictures')}.`)
      setTaken(false)
      setOpen(false)
      ticks.clear()
      onSaved()
    } catch (error) {
      setSaid((error as Error).message)
      setTaken(error instanceof AnswerError && error.status === 409)
    }
  }
  return (
    <div class="saving">
      {isOpen ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            save(false)
          }}
        >
          <label>
            Name{' '}
            <input
              type="text"
              value={name}
              required
              maxLength={128}
              pattern="[a-z0-9][a-z0-9\\-]*"
              title="lower-case letters, digits and hyphens"
              placeholder="wrong-dogs"
              autofocus
              onInput={(event) => {
                setName(event.currentTarget.value)
                setTaken(false)
              }}
            />
          </label>
          <button type="submit">
            Store {what || `all ${counted(pictures, 'picture', 'pictures')} that match`}
          </button>
          {isTaken && (
            <button type="button" onClick={() => save(true)}>
              Replace it
            </button>
          )}
          <button type="button" onClick={() => setOpen(false)}>
            Cancel
          </button>
        </form>
      ) : (
        <>
          <button
            type="button"
            class="link"
            disabled={pictures === 0}
            onClick={() => {
              setSaid('')
              setOpen(true)
            }}
          >
            Save {what || 'these'} as a selection
          </button>
          {ids.size > 0 && (
            <button type="button" class="link" onClick={ticks.clear}>
              Untick all
            </button>
          )}
        </>
      )}
      <p class="fine" role="status">
        {said}
      </p>
    </div>
  )
}
