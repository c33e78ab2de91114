import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/**
 * What a record says of the making and not of what was made: when, how long it took, by whom; and the hashes
 * of a file that says how long each step took, of a model's card, which names the folder that it began from, and of
 * the record itself.
 */
const ofTheMaking =
  /^((data_)?seconds|at|started|ended|createdAt|time|host|pid|process|session|token|checksum)$|\.(jsonl|md)$/

export interface Difference {
  /** Files of the undisturbed run that are not there, or are there with other bytes. */
  readonly lost: readonly string[]
  /** Files that the undisturbed run has not, but for what is aside. */
  readonly doubled: readonly string[]
  /** What is half done and was left behind. */
  readonly aside: readonly string[]
}

/**
 * A hash of every file below a folder, by its name: of its bytes, but of a record of JSON and of a card
 * without what is of the making. Logs and what `.groundmill` holds of processes say nothing of the data, and are left out.
 *
 * @param places other folders that the same run lay in: its records may name them
 */
export async function contentOf(
  folder: string,
  places: readonly string[] = [],
): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path)
    if (isOfProcesses(name)) continue
    const review = reviewOf(name)
    if (review !== undefined) {
      for (const [entry, hash] of await entriesOf(path, review, content)) content.set(entry, hash)
      continue
    }
    content.set(
      name,
      /\.(jsonl?|md)$/.test(name) ? await hashOfRecord(path, [folder, ...places]) : await hashOfBytes(path),
    )
  }
  return content
}

const isOfProcesses = (name: string) => /(^|\/)\.groundmill\//.test(name) || /\.log$/.test(name)

/** The folder of a review, of a segment of its log. */
const reviewOf = (name: string) => /^(.*reviews\/[^/]+)\/[^/]+\.jsonl$/.exec(name)?.[1]

/**
 * The entries of a segment, each under a name of its own: what is said, and how often it was said before. Whose session
 * wrote it, which is drawn, and when, is of the making.
 */
async function entriesOf(
  path: string,
  review: string,
  known: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const entries = new Map<string, string>()
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    if (line === '') continue
    const { id: _, at: __, ...said } = JSON.parse(line)
    const hash = createHash('sha256').update(JSON.stringify(said)).digest('hex')
    let times = 1
    const nameOf = () => `${review}#${hash.slice(0, 16)}#${times}`
    while (known.has(nameOf()) || entries.has(nameOf())) times++
    entries.set(nameOf(), hash)
  }
  return entries
}

async function hashOfBytes(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

async function hashOfRecord(path: string, places: readonly string[]): Promise<string> {
  const text = await readFile(path, 'utf8')
  const parts = path.endsWith('.jsonl') ? text.split('\n') : [text]
  const bare = parts.map(withoutTheMaking).join('\n')
  // The run that is disturbed lies elsewhere than the one that is not.
  const placeless = places.reduce((left, place) => left.replaceAll(place, ''), bare)
  return createHash('sha256').update(placeless).digest('hex')
}

function withoutTheMaking(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text, (key, value) => (ofTheMaking.test(key) ? null : value)))
  } catch {
    // Cut short: then it differs from a whole one by its bytes.
    return text
  }
}

/** What is there beside what an undisturbed run has left. */
export function differenceOf(
  calm: ReadonlyMap<string, string>,
  shaken: ReadonlyMap<string, string>,
): Difference {
  const isAside = (name: string) => /\.aside(\b|$)|\.lock$|\.partial$/.test(name)
  const more = [...shaken.keys()].filter((name) => !calm.has(name))
  return {
    lost: [...calm].filter(([name, hash]) => shaken.get(name) !== hash).map(([name]) => name),
    doubled: more.filter((name) => !isAside(name)),
    aside: more.filter(isAside),
  }
}
