import type { Xyxy } from '../../../boxes/xyxy.js'
import { compareEntries, reviewsOf } from '../../../review/effective-reviews.js'
import { isOfBox, type ReviewAction, type ReviewEntry } from '../../../review/review-entry.js'
import type { DatasetAnswer, ReviewSettings } from '../../view/answers.js'
import type { QueueAnswer, QueuedPicture, ReviewedPicture, SentEntry } from '../../view/review-answers.js'
import { ask } from '../hooks/ask.js'
import type { Outbox } from './outbox.js'
import { nextOpen, type Step, saidOf, stepsOf } from './steps.js'

/** Pictures that are fetched before they are wanted. */
const ahead = 4
/** Pictures that are remembered. */
const mostKept = 60
/** While the server looks through the dataset, how often its order is asked for again. */
const everyMs = 2000

interface Said {
  readonly action: ReviewAction
  readonly phrase: number | null
  readonly xyxy?: Xyxy | null
  readonly redrawn?: Xyxy | null
  readonly words?: { readonly start: number; readonly end: number } | null
  readonly undoes?: string | null
}

/** What the session is about. */
export interface SessionOptions {
  readonly dataset: Pick<DatasetAnswer, 'pictureKey'>
  readonly review: ReviewSettings
  readonly reviewer: string
  /** The query that the queue and its pictures are asked for with. */
  readonly query: string
  readonly layer: string
  readonly threshold: number
  readonly outbox: Outbox
  /** Of the tab: begins the ids of its entries. */
  readonly session: string
  readonly onChange: () => void
}

let lastNumber = 0

/** A reviewer at work: the queue, the picture that is asked about, and what was said. */
export class ReviewSession {
  queue: readonly QueuedPicture[] = []
  total = 0
  isWhole = false
  notices: readonly string[] = []
  /** Place in the queue; -1 where there is none. */
  at = -1
  /** Place among the steps of the picture. */
  step = 0
  weak = false
  error: string | undefined
  isReady = false
  /** Pictures whose others' words were asked for. */
  others: ReviewedPicture | undefined
  verdicts = 0

  readonly #pictures = new Map<string, Promise<ReviewedPicture | undefined>>()
  readonly #loaded = new Map<string, ReviewedPicture>()
  readonly #said = new Map<string, ReviewEntry[]>()
  /** What can be taken back, the last of all at the end. */
  readonly #stack: { readonly picture: string; readonly entry: ReviewEntry }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(private readonly options: SessionOptions) {
    this.#askQueue()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  get id(): string | undefined {
    return this.queue[this.at]?.id
  }

  /** The picture that is asked about, once it is there. */
  get picture(): ReviewedPicture | undefined {
    return this.id === undefined ? undefined : this.#loaded.get(this.id)
  }

  /** What holds of the picture. */
  get held(): readonly ReviewEntry[] {
    return this.id === undefined ? [] : this.#heldOf(this.id)
  }

  get steps(): readonly Step[] {
    const { picture } = this
    if (!picture) return []
    const { asked, sample } = picture
    return stepsOf(sample, this.held, { threshold: this.options.threshold, weak: this.weak, asked })
  }

  get current(): Step | undefined {
    return this.steps[this.step]
  }

  get done(): number {
    return this.queue.filter(({ id, done }) => this.#isDone(id, done)).length
  }

  isDoneAt(at: number): boolean {
    const one = this.queue[at]
    return one !== undefined && this.#isDone(one.id, one.done)
  }

  /** Says something, and goes on to what nothing was said of yet. */
  say(said: Said): void {
    const { id, picture, steps, step } = this
    if (id === undefined || !picture) return
    const asked = steps[step]
    this.#add(id, picture, said)
    if (said.action !== 'undo') this.verdicts++
    // The step may have moved: a box that was added comes before it.
    const now = this.steps
    const from = asked
      ? now.findIndex((one) => one.phrase === asked.phrase && one.xyxy?.join() === asked.xyxy?.join())
      : 0
    const next = nextOpen(picture.sample, this.held, now, Math.max(0, from))
    if (next === -1) this.finish()
    else {
      this.step = next
      this.#change()
    }
  }

  /** Marks the picture as done, and opens the next one that is not. */
  finish(): void {
    const { id, picture } = this
    if (id === undefined || !picture) return
    if (!this.#heldOf(id).some(({ action }) => action === 'done'))
      this.#add(id, picture, { action: 'done', phrase: null })
    const next = this.#nextNotDone(this.at + 1)
    this.goTo(next === -1 ? this.at : next)
  }

  goTo(at: number): void {
    if (at < 0 || at >= this.queue.length) return
    this.at = at
    this.others = undefined
    this.#open()
  }

  goToStep(by: number): void {
    const { length } = this.steps
    if (length === 0) return
    this.step = Math.max(0, Math.min(length - 1, this.step + by))
    this.#change()
  }

  select(step: number): void {
    this.step = step
    this.#change()
  }

  setWeak(weak: boolean): void {
    this.weak = weak
    this.step = Math.min(this.step, Math.max(0, this.steps.length - 1))
    this.#change()
  }

  /** Takes back what was said last: here, or in the picture before, which is opened again. */
  undo(): void {
    let last = this.#pop()
    // That a picture is done was said by going on from it.
    while (last?.entry.action === 'done') {
      this.#takeBack(last)
      last = this.#pop()
    }
    if (!last) {
      this.#change()
      return
    }
    this.#takeBack(last)
    this.verdicts = Math.max(0, this.verdicts - 1)
    const at = this.queue.findIndex(({ id }) => id === last.picture)
    if (at !== -1 && at !== this.at) {
      this.at = at
      this.others = undefined
    }
    const { phrase, xyxy, action } = last.entry
    const { sample } = this.picture ?? {}
    const found = this.steps.findIndex((step) => {
      const own = sample?.phrases[step.phrase]
      const isOne =
        own &&
        phrase &&
        own.caption === phrase.caption &&
        own.start === phrase.start &&
        own.end === phrase.end
      return (
        isOne &&
        (isOfBox(action) && action !== 'add' ? step.xyxy?.join() === xyxy?.join() : step.xyxy === null)
      )
    })
    if (found !== -1) this.step = found
    this.#change()
  }

  /** Takes back that a box was added. */
  remove(step: Step): void {
    const { id, picture, held } = this
    const entry = picture && saidOf(picture.sample, held, step)
    if (id === undefined || entry?.action !== 'add') return
    this.#takeBack({ picture: id, entry })
    this.step = Math.min(this.step, Math.max(0, this.steps.length - 1))
    this.#change()
  }

  /** Shows what others and machines have said of the picture. */
  async showOthers(): Promise<void> {
    const { id } = this
    if (id === undefined) return
    if (this.others) this.others = undefined
    else {
      const shown = await this.#ask(id, true).catch(() => undefined)
      if (this.id === id) this.others = shown
    }
    this.#change()
  }

  #heldOf(id: string): readonly ReviewEntry[] {
    return reviewsOf([...(this.#loaded.get(id)?.mine ?? []), ...(this.#said.get(id) ?? [])])
  }

  #isDone(id: string, wasDone: boolean): boolean {
    if (!this.#loaded.has(id) && !this.#said.has(id)) return wasDone
    return this.#heldOf(id).some(({ action }) => action === 'done')
  }

  #nextNotDone(from: number): number {
    for (let ahead = 0; ahead < this.queue.length; ahead++) {
      const at = (from + ahead) % this.queue.length
      if (!this.isDoneAt(at)) return at
    }
    return -1
  }

  #add(id: string, { sample }: ReviewedPicture, said: Said): void {
    const { reviewer, layer, session, outbox } = this.options
    const { action, phrase, xyxy = null, redrawn = null, words = null, undoes = null } = said
    const sent: SentEntry = {
      ...{ id: `${session}.${++lastNumber}`, picture: id, layer, action, phrase },
      ...{ xyxy: xyxy && [...xyxy], redrawn: redrawn && [...redrawn], words, undoes },
    }
    const own = this.#said.get(id) ?? []
    const before = [...(this.#loaded.get(id)?.mine ?? []), ...own].sort(compareEntries).at(-1)
    const named = phrase === null ? undefined : sample.phrases[phrase]
    const entry: ReviewEntry = {
      id: sent.id,
      // As the server has it, what is said now comes after what was said before.
      at: new Date(Math.max(Date.now(), before ? Date.parse(before.at) + 1 : 0)).toISOString(),
      ...{ reviewer, key: sample.key, action, xyxy, redrawn, words, stage: layer, undoes },
      phrase: named ? { caption: named.caption, start: named.start, end: named.end, text: named.text } : null,
    }
    this.#said.set(id, [...own, entry])
    if (action !== 'undo') this.#stack.push({ picture: id, entry })
    outbox.push({ reviewer, entry: sent })
  }

  #pop() {
    const last = this.#stack.pop()
    if (last) return last
    // After a reload what was said of this picture can still be taken back.
    const { id, held } = this
    const entry = held.at(-1)
    return id !== undefined && entry ? { picture: id, entry } : undefined
  }

  #takeBack({ picture: id, entry }: { readonly picture: string; readonly entry: ReviewEntry }): void {
    const picture = this.#loaded.get(id) ?? this.picture
    if (picture) this.#add(id, picture, { action: 'undo', phrase: null, undoes: entry.id })
  }

  async #askQueue(): Promise<void> {
    try {
      const { pictures, total, isWhole, notices } = await ask<QueueAnswer>(
        `/api/review/queue?${this.options.query}`,
      )
      if (this.#isClosed) return
      // What was opened stays where it is, and the order behind it may change.
      const before = this.queue.slice(0, this.at + 1)
      const known = new Set(before.map(({ id }) => id))
      this.queue = [...before, ...pictures.filter(({ id }) => !known.has(id))]
      Object.assign(this, { total, isWhole, notices, error: undefined })
      const isFirst = !this.isReady
      this.isReady = true
      if (this.at === -1 && this.queue.length > 0) {
        const next = this.#nextNotDone(0)
        this.goTo(next === -1 ? 0 : next)
      } else if (isFirst || !isWhole) this.#change()
      if (!isWhole) this.#again()
    } catch (error) {
      if (this.#isClosed) return
      this.error = (error as Error).message
      this.#change()
      this.#again()
    }
  }

  #again(): void {
    this.#timer = setTimeout(() => this.#askQueue(), everyMs)
  }

  /** Shows the picture at its first step without a word, and fetches those that follow. */
  #open(): void {
    const { id } = this
    if (id === undefined) return
    const show = () => {
      const { picture } = this
      if (picture) this.step = Math.max(0, nextOpen(picture.sample, this.held, this.steps, 0))
      this.#change()
    }
    if (this.#loaded.has(id)) show()
    else {
      this.#change()
      this.#load(id).then(() => this.id === id && show())
    }
    let [at, fetched] = [this.at, 0]
    while (fetched < ahead && at + 1 < this.queue.length) {
      at++
      if (this.isDoneAt(at)) continue
      fetched++
      this.#load((this.queue[at] as QueuedPicture).id)
    }
  }

  #load(id: string): Promise<ReviewedPicture | undefined> {
    const known = this.#pictures.get(id)
    if (known) return known
    const loading = this.#ask(id, false).then(
      (picture) => {
        this.#loaded.set(id, picture)
        new Image().src = this.addressOf(id)
        this.error = undefined
        return picture
      },
      (error: Error) => {
        this.#pictures.delete(id)
        if (this.id === id) {
          this.error = error.message
          this.#change()
          setTimeout(() => this.id === id && !this.#isClosed && this.#open(), everyMs)
        }
        return undefined
      },
    )
    this.#pictures.set(id, loading)
    for (const old of this.#pictures.keys()) {
      if (this.#pictures.size <= mostKept) break
      if (old === this.id || old === id) continue
      this.#pictures.delete(old)
      this.#loaded.delete(old)
    }
    return loading
  }

  addressOf(id: string): string {
    return `/picture/${this.options.dataset.pictureKey}/${id}`
  }

  #ask(id: string, withOthers: boolean): Promise<ReviewedPicture> {
    const others = withOthers ? '&others=1' : ''
    return ask(`/api/review/picture?${this.options.query}&open=${encodeURIComponent(id)}${others}`)
  }

  #change(): void {
    if (!this.#isClosed) this.options.onChange()
  }
}
