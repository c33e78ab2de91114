import { readFile } from 'node:fs/promises'
import { whyUnreadable } from '../base/files/why-unreadable.js'
import { UserError } from '../base/user-error.js'
import { type ExportRegion, type ExportRow, type ExportSource, readExportRows } from './export-rows.js'

/** A box with its class, as detectors with a fixed list of classes have it. */
export interface ClassBox {
  /** Place in the list of classes. */
  readonly index: number
  readonly name: string
  readonly region: ExportRegion
}

/** What boxes are called. */
export interface Classes {
  /** What they are: `categories`, `labels`, `heads`, `phrases`, or the text file of the user's. */
  readonly of: string
  /** In the order of their numbers. */
  readonly names: readonly string[]
  /** Whether a picture has a box that has a class. */
  hasBox(row: ExportRow): boolean
  /** The class of a category's name. */
  indexOf(name: string): number | undefined
  /**
   * The boxes of a picture that have a class. A box that several captions name the same is one box. Regions
   * whose name is not in the list are handed to `without`, and those that say a box again to `again`.
   */
  boxes(row: ExportRow, without?: (region: ExportRegion) => void, again?: () => void): ClassBox[]
}

/**
 * The classes of a grounding: the categories of detection data alone, the labels that a detector gave, the head nouns
 * of its phrases (of a category's name the whole name), the phrases themselves, or the names of a text file, a line
 * each, to which heads and phrases are compared; `auto` are the first of categories, labels and heads that there are.
 * Without a list they are ordered by how many regions they have, the most first.
 *
 * Memory grows with the number of different names, as the list that is written does.
 *
 * @param labels for each shard the stage of the proposals that say what a detector called a box (`labelStages`)
 * @throws UserError where the file cannot be read or names a class twice
 */
export async function findClasses(
  source: ExportSource,
  shards: readonly string[],
  choice: string,
  labels: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<Classes> {
  const choices = choice === 'auto' ? automatic : namings.has(choice) ? [choice] : []
  if (choices.length === 0) return classesOf(choice, await readNames(choice), phraseOrHead, clean)
  const tried = choices.map((of) => ({
    of,
    namesOf: namings.get(of) as Naming,
    counts: new Map<string, number>(),
  }))
  for (const shard of shards) {
    for await (const row of readExportRows(source, shard, { labels: labels.get(shard) })) {
      signal?.throwIfAborted()
      if (row.dropped !== null) continue
      for (const region of row.regions)
        for (const { namesOf, counts } of tried) {
          const [name] = namesOf(region, row)
          if (name) counts.set(name, (counts.get(name) ?? 0) + 1)
        }
    }
  }
  const { of, namesOf, counts } =
    tried.find(({ counts }) => counts.size > 0) ?? (tried.at(-1) as (typeof tried)[number])
  const ordered = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
  return classesOf(
    of,
    ordered.map(([name]) => name),
    namesOf,
  )
}

/** Fixed lists before words of captions, which have thousands of heads. */
const automatic: readonly string[] = ['categories', 'labels', 'heads']

type Naming = (region: ExportRegion, row: ExportRow) => readonly string[]

const clean = (name: string) =>
  isClean.test(name) ? name : name.toLowerCase().replaceAll(/\s+/g, ' ').trim()

/** As most names are, which are taken as they are. */
const isClean = /^[!-@[-~]+(?: [!-@[-~]+)*$/

const namings: ReadonlyMap<string, Naming> = new Map<string, Naming>([
  ['heads', ({ head }) => [clean(head)]],
  ['phrases', ({ text }) => [clean(text)]],
  ['labels', ({ label }) => (label ? [label] : [])],
  [
    'categories',
    ({ caption, text }, { captions }) => (captions[caption]?.kind === 'categories' ? [text] : []),
  ],
])

/** What is looked for in a list of the user's: the whole phrase, else its head. */
const phraseOrHead: Naming = ({ head, text }) => [clean(text), clean(head)]

function classesOf(
  of: string,
  names: readonly string[],
  namesOf: Naming,
  keyOf = (name: string) => name,
): Classes {
  const classes = new Map(names.map((name, index) => [keyOf(name), { index, name }]))
  const classOf = (region: ExportRegion, row: ExportRow) => {
    for (const name of namesOf(region, row)) {
      const found = classes.get(name)
      if (found) return found
    }
    return undefined
  }
  return {
    of,
    names,
    hasBox: (row) => row.regions.some((region) => classOf(region, row) !== undefined),
    indexOf: (name) => (classes.get(name) ?? classes.get(clean(name)))?.index,
    boxes(row, without, again) {
      const boxes = new Map<string, ClassBox>()
      for (const region of row.regions) {
        const found = classOf(region, row)
        if (!found) {
          without?.(region)
          continue
        }
        const { index, name } = found
        const id = `${index} ${region.xyxy}`
        const known = boxes.get(id)
        if (known) again?.()
        // Of two scores of one box the better one.
        if (!known || region.score > known.region.score) boxes.set(id, { index, name, region })
      }
      return [...boxes.values()]
    },
  }
}

/**
 * Looks whether the classes that are asked for can be found.
 *
 * @param hasClasses whether the format has any
 * @throws UserError where it has none, and as `findClasses` does of a file
 */
export async function checkClasses(choice: string, hasClasses: boolean): Promise<void> {
  if (choice === 'auto') return
  if (!hasClasses)
    throw new UserError('--classes is for yolo, odvg and coco: the other formats have no classes.')
  if (!namings.has(choice)) await readNames(choice)
}

async function readNames(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(
      `--classes ${path}: auto, categories, labels, heads, phrases or a text file of names was expected: ${whyUnreadable(error)}`,
    )
  })
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const seen = new Set<string>()
  const twice = names.find((name) => seen.size === seen.add(clean(name)).size)
  if (twice !== undefined) throw new UserError(`--classes ${path}: "${twice}" comes twice.`)
  if (names.length === 0) throw new UserError(`--classes ${path}: it names no class.`)
  return names
}
