import { counted } from '../base/counted.js'
import { decodeText } from '../base/decode-text.js'
import { jsonProblem } from '../base/parse-json.js'
import { firstIssue, inWords } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import type { Storage, StoredFile } from '../storage/storage.js'
import { compareEntries } from './effective-reviews.js'
import type { ReviewEntry } from './review-entry.js'
import { reviewFolder, reviewOfPath } from './review-files.js'
import { reviewSchema } from './review-schema.js'

/** A review has a few hundred bytes a verdict: this is over a million of them. */
const mostBytes = 512e6
/** Lines of a segment that are told of, each by itself, since they are no entries. */
const mostBad = 10

/**
 * All entries of a review in the order of their times, each once; none where there is no such review.
 *
 * @param notice is told of lines that are passed over since they are no entries; without it they throw
 * @throws UserError where a line is no entry, or there are more than fit into memory
 */
export async function readReviews(
  storage: Storage,
  name: string,
  notice?: (text: string) => void,
): Promise<readonly ReviewEntry[]> {
  const entries = new Map<string, ReviewEntry>()
  for (const { name: path } of await segmentsOf(storage, name)) {
    const bytes = await storage.read(path)
    const where = storage.path(path)
    const onBad = (problem: string) => {
      if (!notice)
        throw new UserError(`${where}: ${problem}. Mend or remove that; the other lines hold without it.`)
      notice(`${where}: ${problem}; passed over`)
    }
    for (const entry of entriesOf(bytes ?? new Uint8Array(), onBad))
      if (!entries.has(entry.id)) entries.set(entry.id, entry)
  }
  return [...entries.values()].sort(compareEntries)
}

/**
 * The files of a review, sorted by their names.
 *
 * @throws UserError where they are more than fit into memory
 */
export async function segmentsOf(storage: Storage, name: string): Promise<readonly StoredFile[]> {
  const files: StoredFile[] = []
  let bytes = 0
  for await (const file of storage.listFiles(reviewFolder(name))) {
    if (reviewOfPath(file.name) !== name) continue
    files.push(file)
    bytes += file.size
    if (bytes > mostBytes)
      throw new UserError(
        `${storage.path(reviewFolder(name))} has more than ${mostBytes / 1e6} MB: go on under another name.`,
      )
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The entries of a segment; what is none is passed over, and told of: the first lines, and how many more there are. */
export function entriesOf(bytes: Uint8Array, onBad: (problem: string) => void): readonly ReviewEntry[] {
  const text = decodeText(bytes)
  if (text === undefined) onBad('it is not UTF-8')
  const entries: ReviewEntry[] = []
  let bad = 0
  for (const [at, line] of (text ?? '').split('\n').entries()) {
    if (line.trim() === '') continue
    const read = readEntry(line)
    if (typeof read !== 'string') entries.push(read)
    else if (++bad <= mostBad) onBad(`line ${at + 1} is no entry of a review (${read})`)
  }
  if (bad > mostBad) onBad(`${counted(bad - mostBad, 'more line')} of it are no entries of a review`)
  return entries
}

/** An entry, or what is wrong with it. */
function readEntry(line: string): ReviewEntry | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return `no JSON: ${jsonProblem(line, error)}`
  }
  const parsed = reviewSchema.safeParse(value, inWords)
  return parsed.success ? parsed.data : firstIssue(parsed.error)
}
