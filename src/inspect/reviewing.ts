import { z } from 'zod'
import { random } from '../base/random.js'
import { firstIssue, inWords } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import { clipBox, type Xyxy } from '../boxes/xyxy.js'
import { reviewsOf } from '../review/effective-reviews.js'
import { reviewActions } from '../review/review-entry.js'
import { type NewReviewEntry, openReviewLog, type ReviewLog } from '../review/review-log.js'
import { ReviewReader } from '../review/review-reader.js'
import { entryId, isReviewer, longestWords } from '../review/review-schema.js'
import type { Doubts } from './doubt.js'
import { type ImageShard, type Inspected, type Layer, placeOf, rowOf } from './index/layer.js'
import type { PictureKeys } from './picture-keys.js'
import type { RowGroups, StoredRow } from './row-groups.js'
import type { SampleReader } from './sample-reader.js'
import type { VerdictReader } from './verdict-reader.js'
import type { ReviewSettings } from './view/answers.js'
import { chooseLayers } from './view/choose-layers.js'
import type {
  AskedLabel,
  QueueAnswer,
  QueueOrder,
  RefusedEntry,
  ReviewAnswer,
  ReviewedPicture,
  SentEntry,
} from './view/review-answers.js'
import { thresholdOf } from './view/threshold.js'
import type { View } from './view/view.js'
import type { ViewReader } from './view-reader.js'

/** A label that a sample asks about, and its picture. */
export interface QueuedLabel extends AskedLabel {
  readonly key: string
}

/** The review that the page writes. */
export interface ReviewOptions {
  readonly name: string
  readonly reviewer: string
  /** Labels that were drawn to be judged, in their order. */
  readonly sample?: readonly QueuedLabel[]
}

/** Pictures of a queue that the page is told at once. */
const mostQueued = 2000
/** How long the page waits for the order of a dataset that is being looked through. */
const waitMs = 1500
/** People that one server writes for. */
const mostReviewers = 100
const mostEntries = 200
const mostNotices = 20
/** In the place of a picture that the dataset has no more. */
const gone = -1

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable()
const whole = z.number().int().min(0).max(1e9)
const questionSchema = z.strictObject({
  reviewer: z.string().refine(isReviewer, 'expected a name of one line'),
  entries: z
    .array(
      z.strictObject({
        id: entryId,
        picture: z.string().max(200),
        layer: z.string().max(200),
        action: z.enum(reviewActions),
        phrase: whole.nullable(),
        xyxy: box,
        redrawn: box,
        words: z.strictObject({ start: whole, end: whole }).nullable(),
        undoes: entryId.nullable(),
      }),
    )
    .min(1)
    .max(mostEntries),
})

interface Sources {
  readonly views: ViewReader
  readonly samples: SampleReader
  readonly groups: RowGroups
  readonly keys: PictureKeys
  readonly doubts: Doubts
  readonly verdicts: VerdictReader
}

/** The page's side of a review: queues, pictures with what was said of them, and the log, which it alone writes. */
export class Reviewing {
  readonly #reader: ReviewReader
  readonly #logs = new Map<string, Promise<ReviewLog>>()
  readonly #notices: string[] = []
  /** Where the pictures of the sample are, and what is asked about them. */
  #sample: Promise<ReadonlyMap<number, readonly AskedLabel[]>> | undefined
  /** Places of pictures of which something was said, by their keys. */
  readonly #places = new Map<string, number>()

  constructor(
    private readonly dataset: Inspected,
    private readonly options: ReviewOptions,
    private readonly read: Sources,
  ) {
    this.#reader = new ReviewReader(dataset.storage, options.name, (text) => {
      if (this.#notices.length < mostNotices && !this.#notices.includes(text)) this.#notices.push(text)
    })
  }

  get settings(): ReviewSettings {
    const { name, reviewer, sample } = this.options
    return { name, reviewer, hasSample: sample !== undefined }
  }

  /** The pictures to review, in an order, and how far the reviewer has come. */
  async queue(
    view: View,
    {
      reviewer,
      order,
      seed,
    }: { readonly reviewer: string; readonly order: QueueOrder; readonly seed: number },
  ): Promise<QueueAnswer | undefined> {
    const { layer } = chooseLayers(view, this.dataset.layers)
    if (!layer) return undefined
    const { places, isWhole } = await this.#ordered(view, layer, order, seed)
    await this.#reader.refresh()
    const { done, begun } = this.#reader.done(reviewer)
    const [donePlaces, begunPlaces] = [await this.#placesOf(done), await this.#placesOf(begun)]
    return {
      pictures: places.slice(0, mostQueued).map((place) => ({
        id: this.#idOf(place),
        done: donePlaces.has(place),
        begun: begunPlaces.has(place),
      })),
      total: places.length,
      isWhole,
      notices: this.#notices,
    }
  }

  /** A picture with what the reviewer has said of it, and, where that is asked for, what others have. */
  async picture(
    view: View,
    {
      reviewer,
      withOthers,
      order,
    }: { readonly reviewer: string; readonly withOthers: boolean; readonly order: QueueOrder },
  ): Promise<ReviewedPicture | undefined> {
    const { layer } = chooseLayers(view, this.dataset.layers)
    const place = rowOf(this.dataset.shards, view.open)
    if (!layer || place === undefined) return undefined
    const [sample] = await this.read.samples.read([place], layer)
    if (!sample) return undefined
    await this.#reader.refresh()
    const all = this.#reader.of(sample.key)
    const { shard, row } = placeOf(this.dataset.shards, place)
    const opinions = withOthers ? await this.read.verdicts.read(layer, shard.name, row, row + 1) : []
    return {
      sample,
      mine: all.filter((entry) => entry.reviewer === reviewer),
      others: withOthers ? reviewsOf(all.filter((entry) => entry.reviewer !== reviewer)) : null,
      machines: withOthers ? (opinions[0]?.verdicts ?? []).filter(({ person }) => !person) : null,
      asked: (order === 'sample' && (await this.#sampled()).get(place)) || null,
    }
  }

  /**
   * Writes what a reviewer says. What cannot be written, whoever sends it again, is refused, each entry by itself.
   *
   * @param question as it came
   * @throws UserError where it is none, or the log cannot be written
   */
  async write(question: unknown): Promise<ReviewAnswer> {
    const parsed = questionSchema.safeParse(question, inWords)
    if (!parsed.success) throw new UserError(`This is no part of a review: ${firstIssue(parsed.error)}.`)
    const { reviewer, entries } = parsed.data
    await this.#reader.refresh()
    const refused: RefusedEntry[] = []
    const checked: NewReviewEntry[] = []
    const sent = new Map<string, NewReviewEntry>()
    for (const one of entries) {
      const entry = await this.#checked(one, reviewer, sent)
      if (typeof entry === 'string') refused.push({ id: one.id, error: entry })
      else {
        checked.push(entry)
        sent.set(one.id, entry)
      }
    }
    if (checked.length === 0) return { written: [], refused }
    const log = await this.#log(reviewer)
    const written = await log.append(checked).catch((error) => {
      if (error instanceof UserError) throw error
      throw new UserError(`The review cannot be stored beside the dataset: ${(error as Error).message}`)
    })
    this.#reader.add(written)
    return { written, refused }
  }

  /** An entry for the log, or why there is none. */
  async #checked(
    { id, picture, layer: layerName, action, phrase, xyxy, redrawn, words, undoes }: SentEntry,
    reviewer: string,
    sent: ReadonlyMap<string, NewReviewEntry>,
  ): Promise<NewReviewEntry | string> {
    const place = rowOf(this.dataset.shards, picture)
    const layer = this.dataset.layers.find(({ name }) => name === layerName)
    if (place === undefined || !layer) return 'There is no such picture, or no such stage, in the dataset.'
    const { shard, row: at } = placeOf(this.dataset.shards, place)
    const row = await this.read.groups.row(layer, shard, at)
    if (!row) return 'There is no such picture in the dataset.'
    const nothing = { phrase: null, xyxy: null, redrawn: null, words: null, undoes: null }
    const entry = { id, key: row.key, action, stage: layer.name, ...nothing }
    if (action === 'done') return this.#known(entry, place)
    if (action === 'undo') {
      const target = undoes === null ? undefined : (this.#reader.entry(undoes) ?? sent.get(undoes))
      if (!target || ('reviewer' in target && target.reviewer !== reviewer))
        return 'This reviewer has said no such thing that could be taken back.'
      return { ...entry, key: target.key, undoes }
    }
    const named = phrase === null ? undefined : row.phrases[phrase]
    if (!named) return 'The picture has no such phrase.'
    const said = { ...entry, phrase: reviewedPhrase(named) }
    if (action === 'complete' || action === 'incomplete' || action === 'unseen')
      return this.#known(said, place)
    if (!isInside(xyxy, row)) return 'The box does not lie in the picture.'
    const ofBox = { ...said, xyxy }
    if (action === 'accept' || action === 'reject' || action === 'add') return this.#known(ofBox, place)
    if (words !== null && !areWordsOf(words, row, named.caption)) return 'These are no words of the caption.'
    if (action === 'relabel')
      return words === null ? 'A label needs words of the caption.' : this.#known({ ...ofBox, words }, place)
    if (!isInside(redrawn, row)) return 'The box does not lie in the picture.'
    return this.#known({ ...ofBox, redrawn, words }, place)
  }

  #known(entry: NewReviewEntry, place: number): NewReviewEntry {
    this.#places.set(entry.key, place)
    return entry
  }

  #log(reviewer: string): Promise<ReviewLog> {
    const known = this.#logs.get(reviewer)
    if (known) return known
    if (this.#logs.size >= mostReviewers)
      throw new UserError(`This server writes for ${mostReviewers} reviewers: start another one for more.`)
    const { storage } = this.dataset
    const opened = openReviewLog(storage, this.options.name, reviewer, () => {})
    this.#logs.set(reviewer, opened)
    // What cannot be opened is tried again.
    opened.catch(() => this.#logs.delete(reviewer))
    return opened
  }

  async #ordered(
    view: View,
    layer: Layer,
    order: QueueOrder,
    seed: number,
  ): Promise<{ readonly places: readonly number[]; readonly isWhole: boolean }> {
    const { pictures } = this.dataset
    if (order === 'sample') return { places: [...(await this.#sampled()).keys()], isWhole: true }
    if (order === 'matches')
      return { places: [...(await this.read.views.matches({ ...view, tab: 'samples' }))], isWhole: true }
    if (order === 'doubt') return this.read.doubts.order(layer, thresholdOf(view, layer), waitMs)
    return { places: drawn(pictures, seed), isWhole: true }
  }

  #idOf(place: number): string {
    const { shard, row } = placeOf(this.dataset.shards, place)
    return `${shard.name}:${row}`
  }

  #sampled(): Promise<ReadonlyMap<number, readonly AskedLabel[]>> {
    this.#sample ??= this.#readSample()
    return this.#sample
  }

  async #readSample(): Promise<ReadonlyMap<number, readonly AskedLabel[]>> {
    const { sample = [] } = this.options
    await this.#placesOf(new Set(sample.map(({ key }) => key)))
    const asked = new Map<number, AskedLabel[]>()
    for (const { key, caption, start, end, xyxy } of sample) {
      const place = this.#places.get(key) ?? gone
      if (place === gone) continue
      const own = asked.get(place)
      const label = { caption, start, end, xyxy }
      if (own) own.push(label)
      else asked.set(place, [label])
    }
    return asked
  }

  /** Where pictures are. Each shard's keys are read until all are found, those first whose names begin the keys. */
  async #placesOf(keys: ReadonlySet<string>): Promise<ReadonlySet<number>> {
    const wanted = new Set([...keys].filter((key) => !this.#places.has(key)))
    const look = async (shard: ImageShard) => {
      const rows = await this.read.keys.rows(shard).catch(() => new Map<string, number>())
      for (const key of wanted) {
        const row = rows.get(key)
        if (row === undefined) continue
        this.#places.set(key, shard.start + row)
        wanted.delete(key)
      }
    }
    const { shards } = this.dataset
    for (const shard of shards) if ([...wanted].some((key) => key.startsWith(shard.name))) await look(shard)
    for (const shard of shards) {
      if (wanted.size === 0) break
      await look(shard)
    }
    // Pictures that are gone are not looked for again.
    for (const key of wanted) this.#places.set(key, gone)
    return new Set([...keys].map((key) => this.#places.get(key) ?? gone))
  }
}

/** So many places as a queue has, drawn from all without one coming twice. */
function drawn(pictures: number, seed: number): readonly number[] {
  const stream = random('review', seed)
  if (pictures <= mostQueued) return stream.shuffle(Array.from({ length: pictures }, (_, place) => place))
  const places = new Set<number>()
  while (places.size < mostQueued) places.add(stream.integer(pictures))
  return [...places]
}

const reviewedPhrase = ({ caption, start, end, text }: StoredRow['phrases'][number]) => ({
  ...{ caption, start, end },
  text: [...text].slice(0, longestWords / 2).join(''),
})

function isInside(xyxy: Xyxy | null, { width, height }: StoredRow): xyxy is Xyxy {
  if (xyxy === null) return false
  return clipBox(xyxy, { width, height })?.every((side, at) => side === xyxy[at]) ?? false
}

const areWordsOf = (
  { start, end }: { readonly start: number; readonly end: number },
  { captions }: StoredRow,
  caption: number,
): boolean => start < end && end <= [...(captions[caption]?.text ?? '')].length

/** @throws UserError where nobody can be called so */
export function checkReviewer(name: string): string {
  if (isReviewer(name)) return name
  throw new UserError('A reviewer has a name of one line, up to 128 letters.')
}
