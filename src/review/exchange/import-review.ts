import { counted } from '../../base/counted.js'
import { hashJson } from '../../base/hash.js'
import { nameList, shownName } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import type { Storage } from '../../storage/storage.js'
import { reviewsOf } from '../effective-reviews.js'
import { readReviews } from '../read-reviews.js'
import { isOfBox, type ReviewEntry } from '../review-entry.js'
import { reviewFolder } from '../review-files.js'
import { type NewReviewEntry, openReviewLog } from '../review-log.js'
import { isReviewer } from '../review-schema.js'
import type { FindExchange } from './exchange-format.js'
import { type ExchangeFormatName, exchangeFormats } from './exchange-formats.js'
import { type ExchangeRecord, listExchanges, readExchange } from './exchange-record.js'
import { type ReturnedEntry, returnedVerdicts } from './returned-verdicts.js'

export interface ReviewImportOptions {
  readonly format: ExchangeFormatName
  readonly file: string
  /** The review that the verdicts go to. */
  readonly name: string
  /** Who has reviewed, in the place of whom the file names. */
  readonly reviewer?: string | undefined
  /** Which export it is of, where the file has lost that. */
  readonly exchange?: string | undefined
  /** When it was reviewed, in ISO 8601, where the file does not say. */
  readonly at: string
  readonly signal?: AbortSignal
  readonly onProgress?: (pictures: number) => void
  /** Told of lines of the log that are passed over. */
  readonly onNotice?: (text: string) => void
}

export interface ReviewImportReport {
  readonly review: string
  readonly file: string
  /** The exports that it is of. */
  readonly exchanges: readonly string[]
  readonly reviewers: readonly string[]
  /** Pictures with what a reviewer has said of them, each reviewer's. */
  readonly pictures: number
  /** Pictures of those exports. */
  readonly exported: number
  /** Tasks that nobody has finished, or that were cancelled. */
  readonly passed: Readonly<Record<'unfinished' | 'cancelled', number>>
  /** What is said of boxes and phrases, by action. */
  readonly said: Readonly<Record<string, number>>
  /** Entries that were written. */
  readonly written: number
  /** What was in the review already, or is older than what the reviewer has said there since. */
  readonly known: number
  /** Of a turned box the upright one around it was taken. */
  readonly turned: number
  readonly rejected: Readonly<Record<string, number>>
  /** The first of what was rejected, with its place. */
  readonly problems: readonly { readonly place: string; readonly reason: string; readonly detail: string }[]
}

const mostProblems = 20
const mostReviewers = 1000

/**
 * Reads what a labelling tool gives back of an export, and writes what was said into a review. What a reviewer has said
 * already is not written again, so that an import may be repeated, also one that was stopped; boxes that the reviewer
 * had added by an earlier import, and phrases that had all of theirs, are taken back where that is said no more.
 *
 * @throws UserError where the file is of another form, or of no known export
 */
export async function importReview(
  storage: Storage,
  options: ReviewImportOptions,
): Promise<ReviewImportReport> {
  const { file, name, signal } = options
  const format = exchangeFormats[options.format]
  reviewFolder(name)
  if (options.reviewer === undefined && !format.saysWho)
    throw new UserError(`A file of ${options.format} does not say who has reviewed: give --reviewer WHO.`)
  if (options.reviewer !== undefined) checkReviewer(options.reviewer)
  const { find, found } = exchangesOf(storage, options.exchange)
  const rejected: Record<string, number> = {}
  const problems: { place: string; reason: string; detail: string }[] = []
  const reject = (place: string, reason: string, detail: string) => {
    rejected[reason] = (rejected[reason] ?? 0) + 1
    if (problems.length < mostProblems) problems.push({ place, reason, detail: detail.slice(0, 400) })
  }
  const passed = { unfinished: 0, cancelled: 0 }
  const answers = new Map<string, Map<string, Answer>>()
  let pictures = 0
  for await (const one of format.read(file, find)) {
    signal?.throwIfAborted()
    if ('passed' in one) passed[one.passed]++
    else if ('problem' in one) reject(one.problem.place, one.problem.reason, one.problem.detail)
    else {
      const { place, returned, exchange } = one
      const { key } = returned.picture
      const reviewer = options.reviewer ?? returned.reviewer
      if (reviewer === null || !isReviewer(reviewer)) {
        reject(place, 'no_reviewer', `${key}: it does not say who has reviewed: give --reviewer WHO`)
        continue
      }
      const own = answers.get(reviewer) ?? new Map<string, Answer>()
      answers.set(reviewer, own)
      if (answers.size > mostReviewers)
        throw new UserError(`${file} names over ${mostReviewers} reviewers: give --reviewer WHO.`)
      const at = returned.at ?? options.at
      const before = own.get(key)
      if (before)
        reject(
          place,
          'answered_twice',
          `${key}: ${shownName(reviewer)} has answered twice; the later answer counts`,
        )
      if (before && before.at > at) continue
      const verdicts = returnedVerdicts(returned)
      for (const { reason, detail } of verdicts.problems) reject(place, reason, detail)
      own.set(key, { at, exchange, entries: verdicts.entries, turned: verdicts.turned })
      options.onProgress?.(++pictures)
    }
  }
  if (answers.size === 0 && problems[0])
    throw new UserError(
      `${file}: nothing of it could be taken: ${problems[0].place}: ${problems[0].detail} (${reasonsText(rejected)}).`,
    )
  const entries = await readReviews(storage, name, options.onNotice)
  const sums = { said: {} as Record<string, number>, written: 0, known: 0, turned: 0, pictures: 0 }
  for (const [reviewer, own] of answers) {
    signal?.throwIfAborted()
    const fresh = freshEntries(entries, reviewer, own, found)
    // What is passed over was told of above.
    const log = await openReviewLog(storage, name, reviewer, () => {})
    await log.append(fresh)
    sums.written += fresh.length
    for (const answer of own.values()) {
      sums.pictures++
      sums.turned += answer.turned
      for (const { action } of answer.entries) sums.said[action] = (sums.said[action] ?? 0) + 1
    }
  }
  const said = Object.values(sums.said).reduce((sum, count) => sum + count, 0)
  return {
    ...{ review: name, file, exchanges: [...found.keys()].sort(), reviewers: [...answers.keys()].sort() },
    ...sums,
    exported: [...found.values()].reduce((sum, record) => sum + record.pictures.size, 0),
    ...{ passed, rejected, problems },
    known: Math.max(0, said - sums.written),
  }
}

/** What a reviewer says of a picture. */
interface Answer {
  readonly at: string
  readonly exchange: string
  readonly entries: readonly ReturnedEntry[]
  readonly turned: number
}

function checkReviewer(reviewer: string) {
  if (!isReviewer(reviewer))
    throw new UserError(
      `--reviewer ${shownName(reviewer)}: a reviewer has a name of one line, up to 128 letters.`,
    )
}

/** Finds exports by their ids; those that were found are kept. */
function exchangesOf(storage: Storage, given: string | undefined) {
  const found = new Map<string, ExchangeRecord>()
  let sole: string | undefined
  const find: FindExchange = async (told) => {
    sole ??= given ?? told ?? (await onlyOne(storage))
    const id = given ?? told ?? sole
    const known = found.get(id)
    if (known) return known
    const record = await readExchange(storage, id)
    if (!record)
      throw new UserError(`${storage.url} knows no export ${shownName(id)}; ${await knownText(storage)}.`)
    found.set(id, record)
    return record
  }
  return { find, found }
}

async function onlyOne(storage: Storage): Promise<string> {
  const ids = await listExchanges(storage)
  const [only] = ids
  if (only !== undefined && ids.length === 1) return only
  throw new UserError(
    `The file does not say of which export it is, and ${await knownText(storage)}: name it with --export ID.`,
  )
}

async function knownText(storage: Storage): Promise<string> {
  const ids = await listExchanges(storage)
  return ids.length > 0
    ? `the dataset has ${counted(ids.length, 'export')}: ${nameList(ids)}`
    : 'nothing of this dataset was exported for review'
}

const reasonsText = (rejected: Readonly<Record<string, number>>): string =>
  Object.entries(rejected)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')

/** The session of an entry that an import wrote: `x` and the export, then a hash of what it says. */
const sessionStart = (exchange: string) => `x${exchange}-`

/** What of the answers of a reviewer is not in the review yet. */
function freshEntries(
  entries: readonly ReviewEntry[],
  reviewer: string,
  answers: ReadonlyMap<string, Answer>,
  exchanges: ReadonlyMap<string, ExchangeRecord>,
): readonly NewReviewEntry[] {
  const ids = new Set(entries.map(({ id }) => id))
  const holding = new Map<string, ReviewEntry[]>()
  for (const entry of reviewsOf(entries.filter((entry) => entry.reviewer === reviewer))) {
    const own = holding.get(entry.key) ?? []
    holding.set(entry.key, own)
    own.push(entry)
  }
  const fresh: NewReviewEntry[] = []
  for (const [key, { at, exchange, entries: said }] of answers) {
    const stage = exchanges.get(exchange)?.grounding ?? null
    const before = new Map((holding.get(key) ?? []).map((entry) => [thingOf(entry), entry]))
    const add = (entry: Omit<NewReviewEntry, 'id' | 'at'>) => {
      // Of its content, so that it is one entry however often it is imported.
      const hash = hashJson([reviewer, at, entry]).slice(0, 24)
      const id = `${sessionStart(exchange)}${hash}.1`
      if (!ids.has(id)) fresh.push({ ...entry, id, at })
    }
    const things = new Set<string>()
    for (const entry of said) {
      const thing = thingOf(entry)
      things.add(thing)
      const held = before.get(thing)
      if (held && (held.at > at || isSame(held, entry))) continue
      add({ ...entry, stage, undoes: null })
    }
    for (const [thing, held] of before) {
      const isGone =
        (held.action === 'add' || held.action === 'complete') &&
        held.id.startsWith(sessionStart(exchange)) &&
        !things.has(thing)
      if (isGone && held.at <= at)
        add({ ...{ key, action: 'undo', undoes: held.id, stage: null }, ...nothing })
    }
  }
  return fresh
}

const nothing = { phrase: null, xyxy: null, redrawn: null, words: null }

type Said = Pick<ReturnedEntry, 'key' | 'action' | 'phrase' | 'xyxy' | 'redrawn' | 'words'>

/** What an entry is about: a box of a phrase, a phrase, or the picture. */
const thingOf = ({ action, phrase, xyxy }: Said): string =>
  JSON.stringify([phrase && [phrase.caption, phrase.start, phrase.end], isOfBox(action) ? xyxy : null])

/** Whether two entries about one thing say the same. */
const isSame = (a: Said, b: Said): boolean =>
  a.action === b.action &&
  JSON.stringify([a.redrawn, a.words && [a.words.start, a.words.end]]) ===
    JSON.stringify([b.redrawn, b.words && [b.words.start, b.words.end]])
