import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { ReviewEntry } from '../../../review/review-entry.js'
import type { DatasetAnswer, LayerAnswer, ReviewSettings } from '../../view/answers.js'
import { count, counted } from '../../view/format.js'
import {
  type QueueOrder,
  queueOrders,
  type ReviewAnswer,
  type ReviewedPicture,
} from '../../view/review-answers.js'
import { thresholdOf } from '../../view/threshold.js'
import { isNarrowed, type View, writeView } from '../../view/view.js'
import { ask } from '../hooks/ask.js'
import { isField } from '../hooks/use-keys.js'
import type { SetView } from '../hooks/use-view.js'
import { coloursOf } from '../picture/colours.js'
import { type BoxEdit, middleBox, nextPart, nudged } from './box-edit.js'
import { Outbox } from './outbox.js'
import { ReviewPicture } from './review-picture.js'
import { ReviewSession } from './review-session.js'
import { movedEdge, ReviewWords, type WordsEdit } from './review-words.js'
import { saidOf } from './steps.js'

interface ReviewProps {
  readonly dataset: DatasetAnswer
  readonly review: ReviewSettings
  readonly view: View
  readonly layer: LayerAnswer
  readonly setView: SetView
  readonly helps: boolean
  readonly onHelp: () => void
  readonly onTheme: () => void
}

const titles: Readonly<Record<QueueOrder, string>> = {
  doubt: 'most doubtful first',
  random: 'drawn at random',
  matches: 'what the filters match',
  sample: 'the sample to judge',
}

/** Of this tab: ids of entries begin with it. */
const session = [...crypto.getRandomValues(new Uint8Array(9))]
  .map((byte) => byte.toString(36).padStart(2, '0'))
  .join('')

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/** A person goes through pictures, and says of each box and phrase whether it is right. */
export function Review({ dataset, review, view, layer, setView, helps, onHelp, onTheme }: ReviewProps) {
  const [, redraw] = useState(0)
  const [edit, setEdit] = useState<BoxEdit | null>(null)
  const [words, setWords] = useState<WordsEdit | null>(null)
  const reviewer = view.reviewer ?? review.reviewer
  const order = view.queue ?? (review.hasSample ? 'sample' : isNarrowed(view) ? 'matches' : 'doubt')
  const threshold = thresholdOf(view, layer)
  const query = new URLSearchParams(
    writeView({ ...view, tab: 'samples', page: 0, open: null, grounding: layer.name }),
  )
  query.set('order', order)
  query.set('reviewer', reviewer)
  const asked = query.toString()

  const outbox = useMemo(() => {
    const prefix = `groundmill.review ${JSON.stringify([dataset.url, review.name])} `
    const send = (who: string, entries: object) =>
      ask<ReviewAnswer>('/api/reviews', { reviewer: who, entries })
    return new Outbox(localStorage, prefix, session, send, () => redraw((old) => old + 1))
  }, [dataset.url, review.name])
  useEffect(() => () => outbox.close(), [outbox])
  const work = useMemo(() => {
    const options = { dataset, review, reviewer, query: asked, layer: layer.name, threshold, outbox, session }
    return new ReviewSession({ ...options, onChange: () => redraw((old) => old + 1) })
  }, [outbox, asked])
  useEffect(() => () => work.close(), [work])

  const { picture, steps, current, held, id } = work
  const sample = picture?.sample
  const said = sample && current && saidOf(sample, held, current)
  useEffect(() => {
    setEdit(null)
    setWords(null)
  }, [id, work.step, work])

  const storeEdit = () => {
    if (!edit) return
    const { phrase, original, box } = edit
    setEdit(null)
    const before =
      original && sample ? saidOf(sample, held, { phrase, xyxy: original, box: null }) : undefined
    if (before?.action === 'add') work.remove({ phrase, xyxy: original, box: null })
    if (original && before?.action !== 'add') {
      // Words that were chosen stay chosen.
      work.say({ action: 'redraw', phrase, xyxy: original, redrawn: box, words: before?.words ?? null })
    } else work.say({ action: 'add', phrase, xyxy: box })
  }
  const storeWords = () => {
    if (!words || !current?.xyxy) return
    const { start, end } = words
    const { phrase, xyxy } = current
    setWords(null)
    if (said?.redrawn)
      work.say({ action: 'redraw', phrase, xyxy, redrawn: said.redrawn, words: { start, end } })
    else work.say({ action: 'relabel', phrase, xyxy, words: { start, end } })
  }
  const sayBox = (action: 'accept' | 'reject') => {
    if (!current?.xyxy) return
    if (current.box) work.say({ action, phrase: current.phrase, xyxy: current.xyxy })
    else if (action === 'reject') work.remove(current)
  }
  const sayPhrase = (action: 'complete' | 'incomplete' | 'unseen') => {
    if (current) work.say({ action, phrase: current.phrase })
  }
  const drawAnew = () => {
    if (current?.xyxy) {
      const box = said?.redrawn ?? current.xyxy
      setEdit({ phrase: current.phrase, original: current.xyxy, box, part: 'whole' })
    }
  }
  const drawNew = () => {
    if (current && sample)
      setEdit({ phrase: current.phrase, original: null, box: middleBox(sample), part: 'whole' })
  }
  const chooseWords = () => {
    const phrase = current?.box && sample?.phrases[current.phrase]
    if (!phrase) return
    const { start, end } = said?.words ?? phrase
    setWords({ caption: phrase.caption, start, end, isOpen: false, edge: 'start' })
  }
  const isBox = Boolean(current?.xyxy)
  const actions: readonly (readonly [key: string, title: string, act: () => void, isUsable: boolean])[] = [
    ['a', 'right', () => sayBox('accept'), isBox && current?.box !== null],
    ['r', current?.xyxy && !current.box ? 'take away' : 'wrong', () => sayBox('reject'), isBox],
    ['d', 'draw anew', drawAnew, isBox],
    ['n', 'add a box', drawNew, current !== undefined],
    ['e', 'other words', chooseWords, isBox && current?.box !== null],
    ['c', 'all found', () => sayPhrase('complete'), current !== undefined],
    ['i', 'not all found', () => sayPhrase('incomplete'), current !== undefined],
    ['u', 'cannot be seen', () => sayPhrase('unseen'), current !== undefined],
    ['z', 'take back', () => work.undo(), true],
    ['s', 'skip', () => work.goToStep(1), current !== undefined],
  ]

  const keys: Readonly<Record<string, () => void>> = {
    ...Object.fromEntries(actions.filter(([, , , isUsable]) => isUsable).map(([key, , act]) => [key, act])),
    j: () => work.goToStep(1),
    ArrowRight: () => work.goToStep(1),
    ArrowDown: () => work.goToStep(1),
    k: () => work.goToStep(-1),
    ArrowLeft: () => work.goToStep(-1),
    ArrowUp: () => work.goToStep(-1),
    Enter: () => work.finish(),
    '.': () => work.goTo(work.at + 1),
    ',': () => work.goTo(work.at - 1),
    o: () => work.showOthers(),
    w: () => work.setWeak(!work.weak),
    t: onTheme,
    '?': onHelp,
    Escape: () => setView({ tab: 'samples' }),
  }
  const editKeys = (event: KeyboardEvent): boolean => {
    const way = arrows[event.key]
    if (edit && sample) {
      const by = event.shiftKey ? 10 : 1
      if (way) setEdit({ ...edit, box: nudged(edit.box, edit.part, by * way[0], by * way[1], sample) })
      else if (event.key === 'Tab') setEdit({ ...edit, part: nextPart(edit.part) })
      else if (event.key === 'Enter') storeEdit()
      else if (event.key === 'Escape') setEdit(null)
      return true
    }
    if (!words || !sample) return false
    const text = sample.captions[words.caption]?.text ?? ''
    if (way) setWords(movedEdge(words, text, way[0] + way[1] > 0 ? 1 : -1))
    else if (event.key === 'Tab') setWords({ ...words, edge: words.edge === 'start' ? 'end' : 'start' })
    else if (event.key === 'Enter') storeWords()
    else if (event.key === 'Escape') setWords(null)
    return true
  }
  const latest = useRef({ keys, editKeys, helps })
  latest.current = { keys, editKeys, helps }
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      const now = latest.current
      if (event.ctrlKey || event.metaKey || event.altKey || now.helps || target.closest('dialog')) return
      if (isField(target)) {
        if (event.key === 'Escape') target.blur()
        return
      }
      // Enter and the space bar press the button that has the focus; a click gives none.
      const isButton = target.matches('button, a, summary') && (event.key === 'Enter' || event.key === ' ')
      if (now.editKeys(event)) event.preventDefault()
      else if (!isButton && Object.hasOwn(now.keys, event.key)) {
        // A key that is held down says nothing twice.
        if (!event.repeat || event.key.startsWith('Arrow')) now.keys[event.key]?.()
        event.preventDefault()
      }
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (outbox.waiting > 0 && outbox.problem !== undefined) event.preventDefault()
    }
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [outbox])

  const colours = useMemo(() => (sample ? coloursOf(sample) : []), [sample])
  const { others } = work
  return (
    <article class="detail reviewing" data-id={id} data-waiting={outbox.waiting}>
      <div class="toolbar">
        <label class="check">
          <span>Queue</span>
          <select
            value={order}
            onChange={(event) => {
              const queue = queueOrders.find((one) => one === event.currentTarget.value) ?? null
              setView({ queue })
              event.currentTarget.blur()
            }}
          >
            {queueOrders
              .filter((one) => one !== 'sample' || review.hasSample)
              .map((one) => (
                <option key={one} value={one} selected={one === order}>
                  {titles[one]}
                </option>
              ))}
          </select>
        </label>
        <p role="status" data-testid="progress" data-at={work.at} data-done={work.done}>
          {work.queue.length > 0 &&
            `${count(work.at + 1)} of ${counted(work.total, 'picture', 'pictures')}, ${count(work.done)} done; ${counted(work.verdicts, 'verdict', 'verdicts')} now`}
          {work.isReady && !work.isWhole && ' (still looking through the dataset)'}
        </p>
        <span class="fine reviewer" title={`review ${review.name}`}>
          {review.name}, {reviewer}
        </span>
        <nav class="pager" aria-label="Pictures">
          <button
            type="button"
            disabled={work.at <= 0}
            onClick={() => work.goTo(work.at - 1)}
            aria-label="Picture before"
          >
            ‹
          </button>
          <button
            type="button"
            class="done"
            onClick={() => work.finish()}
            aria-keyshortcuts="Enter"
            disabled={!sample}
          >
            done
          </button>
          <button
            type="button"
            disabled={work.at + 1 >= work.queue.length}
            onClick={() => work.goTo(work.at + 1)}
            aria-label="Next picture"
          >
            ›
          </button>
        </nav>
      </div>
      <Outgoings outbox={outbox} />
      {work.notices.map((notice) => (
        <p key={notice} class="error">
          {notice}
        </p>
      ))}
      {work.error && <p class="error">{work.error}</p>}
      {work.isReady && work.queue.length === 0 && <p class="nothing">There is nothing to review.</p>}
      {work.isReady && work.queue.length > 0 && work.done === work.queue.length && (
        <p class="nothing all-done">Every picture of this queue is done.</p>
      )}
      {sample && id !== undefined && (
        <div class="one">
          <section class="sight" aria-label="Picture and what is asked">
            <div>
              <p class="question" data-testid="question" data-step={work.step} dir="auto">
                <Question {...{ sample, steps, held, edit, words }} step={work.step} />
              </p>
              <ReviewPicture
                {...{ sample, steps, held, edit }}
                address={work.addressOf(id)}
                step={work.step}
                others={others ? drawnByOthers(others, current?.phrase) : []}
                onSelect={(step) => work.select(step)}
                onEdit={setEdit}
              />
              <div class="actions" role="toolbar" aria-label="What you say">
                {edit || words ? (
                  <>
                    <button type="button" onClick={edit ? storeEdit : storeWords}>
                      <kbd>Enter</kbd> store
                    </button>
                    <button type="button" onClick={() => (edit ? setEdit(null) : setWords(null))}>
                      <kbd>Esc</kbd> give up
                    </button>
                    {edit && (
                      <span class="fine">
                        arrows move{' '}
                        {edit.part === 'whole'
                          ? 'the box'
                          : `its ${edit.part === 'start' ? 'upper left' : 'lower right'} corner`}
                        ; Tab: another part
                      </span>
                    )}
                    {words && <span class="fine">arrows move its {words.edge}; Tab: the other end</span>}
                  </>
                ) : (
                  actions.map(([key, title, act, isUsable]) => (
                    <button
                      key={key}
                      type="button"
                      disabled={!isUsable}
                      aria-keyshortcuts={key}
                      // The focus stays where it was, so that keys mean what they meant.
                      onMouseDown={(event) => event.preventDefault()}
                      onClick={act}
                    >
                      <kbd>{key}</kbd> {title}
                    </button>
                  ))
                )}
              </div>
            </div>
            <div>
              <ReviewWords
                {...{ sample, colours, steps, held, words }}
                step={work.step}
                onWords={setWords}
                onSelect={(step) => work.select(step)}
              />
              {others && <Others picture={others} phrase={current?.phrase} />}
            </div>
          </section>
        </div>
      )}
    </article>
  )
}

interface QuestionProps {
  readonly sample: NonNullable<ReviewSession['picture']>['sample']
  readonly steps: ReviewSession['steps']
  readonly step: number
  readonly held: ReviewSession['held']
  readonly edit: BoxEdit | null
  readonly words: WordsEdit | null
}

/** What is asked, in a line. */
function Question({ sample, steps, step, held, edit, words }: QuestionProps) {
  const current = steps[step]
  if (!current) return <>No phrase of this picture is asked about.</>
  // A stranger's words may be written from right to left; the question is not.
  const name = (
    <b>
      <bdi>{sample.phrases[current.phrase]?.text}</bdi>
    </b>
  )
  if (words) return <>Which words name the box?</>
  if (edit) return edit.original ? <>Draw the box of {name}</> : <>Draw another box of {name}</>
  const said = saidOf(sample, held, current)
  const before = said && <span class="fine"> ({said.action})</span>
  const boxes = steps.filter(({ phrase, xyxy }) => phrase === current.phrase && xyxy)
  if (!current.xyxy)
    return (
      <>
        {boxes.length === 0 ? 'Nothing was found for ' : `${counted(boxes.length, 'box', 'boxes')} of `}
        {name}: is that all? {before}
      </>
    )
  return (
    <>
      Is this {name}?{' '}
      {boxes.length > 1 && <span class="fine">{`${boxes.indexOf(current) + 1} of ${boxes.length}`}</span>}
      {before}
    </>
  )
}

/** What is not on the server's disk yet, and what will never be. */
function Outgoings({ outbox }: { readonly outbox: Outbox }) {
  const { waiting, problem, refused } = outbox
  return (
    <div class="outgoings" role="status" data-testid="outbox" data-waiting={waiting}>
      {problem !== undefined && waiting > 0 && (
        <p class="error">
          {counted(waiting, 'entry is', 'entries are')} not stored yet, and kept in this browser: {problem}{' '}
          <button type="button" class="link" onClick={() => outbox.retry()}>
            Try now
          </button>
        </p>
      )}
      {refused.slice(-3).map(({ id, error }) => (
        <p key={id} class="error">
          Not stored: {error}
        </p>
      ))}
    </div>
  )
}

/** Whether others speak of a phrase of the picture. */
const speaksOf =
  ({ sample }: ReviewedPicture, phrase: number | undefined) =>
  (one: ReviewEntry): boolean => {
    const named = phrase === undefined ? undefined : sample.phrases[phrase]
    return (
      named !== undefined &&
      one.phrase?.caption === named.caption &&
      one.phrase.start === named.start &&
      one.phrase.end === named.end
    )
  }

/** Boxes that others have drawn for a phrase. */
const drawnByOthers = (picture: ReviewedPicture, phrase: number | undefined) =>
  (picture.others ?? [])
    .filter(speaksOf(picture, phrase))
    .filter(({ action }) => action === 'redraw' || action === 'add')

interface OthersProps {
  readonly picture: ReviewedPicture
  readonly phrase: number | undefined
}

/** What others and machines say of a phrase. */
function Others({ picture, phrase }: OthersProps) {
  const lines = [
    ...(picture.others ?? [])
      .filter(speaksOf(picture, phrase))
      .map(({ reviewer, action, xyxy }) => `${reviewer}: ${action}${placeText(xyxy)}`),
    ...(picture.machines ?? [])
      .filter((one) => one.phrase === phrase)
      .map(
        ({ judge, verdict, probability, xyxy }) =>
          `${judge}: ${verdict} ${probability.toFixed(2)}${placeText(xyxy)}`,
      ),
  ]
  return (
    <div class="others">
      <h3>What others say of this phrase</h3>
      {lines.length === 0 ? (
        <p class="fine">nothing</p>
      ) : (
        lines.slice(0, 100).map((line, at) => <p key={at}>{line}</p>)
      )}
    </div>
  )
}

const placeText = (xyxy: readonly number[] | null): string =>
  xyxy ? `, the box at ${xyxy.map((side) => Math.round(side)).join(' ')}` : ''
