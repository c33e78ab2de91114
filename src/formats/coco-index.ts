import { shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { CocoAnnotation, CocoCategory, CocoImage, Id } from './coco-entry.js'
import { type CocoFile, readCocoFile, sharedId } from './coco-file.js'
import { compareIds } from './entry-id.js'
import { soleEnds } from './picture-places.js'
import type { FileProblem } from './problem-list.js'

export { type CocoAnnotation, type CocoImage, type Id, isBoxAlone, isCaptionAlone } from './coco-entry.js'

/** A category by its name, and its place in order of id. */
export interface NamedCategory {
  readonly name: string
  readonly order: number
  /** Names of the listed categories that this one is a kind of. */
  readonly kindOf: readonly string[]
}

/** What COCO's JSON files say, by picture. */
export interface CocoIndex {
  /** In order of id. */
  readonly images: readonly CocoImage[]
  /** What of the files cannot be used, and why. */
  readonly problems: readonly FileProblem[]
  readonly captions: ReadonlyMap<Id, readonly CocoAnnotation[]>
  readonly boxes: ReadonlyMap<Id, readonly CocoAnnotation[]>
  readonly categories: ReadonlyMap<Id, NamedCategory>
  /** Whether the file of boxes lists any, be they named or not. */
  readonly hasCategories: boolean
  readonly licenses: ReadonlyMap<Id, string>
  /** Files that several pictures have, as where each of several annotators has an entry of its own. */
  readonly sharedFiles: ReadonlySet<string>
  /** Whether an end of a name (`nameEnds`) is that of one picture alone. */
  readonly isSoleEnd: (end: string) => boolean
}

/**
 * Reads the captions, the boxes, or both. Entries that cannot be used are told of: those that are malformed,
 * pictures that share an id, and annotations of pictures or categories that there are not.
 *
 * @throws UserError where a file is missing or not in COCO's form, or has annotations of its own pictures none
 */
export async function readCocoIndex(captionsPath?: string, instancesPath?: string): Promise<CocoIndex> {
  // Of two files one may list the pictures.
  const images = captionsPath && instancesPath ? [] : (['images'] as const)
  const captions = captionsPath ? await readCocoFile(captionsPath, images) : undefined
  const instances = instancesPath ? await readCocoFile(instancesPath, [...images, 'annotations']) : undefined
  const files = [captions, instances].filter((file) => file !== undefined)
  const { images: joined, shared } = joinImages(files)
  const groups = files.map((file) => ownAnnotations(file, joined, shared))
  const categories: ReadonlyMap<Id, NamedCategory> = instances ? namedCategories(instances) : new Map()
  if (instances && categories.size > 0) tellUnknownCategories(instances)
  const none = new Map<Id, readonly CocoAnnotation[]>()
  const names = function* () {
    for (const { file_name } of joined.values()) yield file_name
  }
  return {
    images: [...joined.values()].sort((a, b) => compareIds(a.id, b.id)),
    problems: files.flatMap(({ problems }) => problems.found()),
    captions: captions ? (groups[0] ?? none) : none,
    boxes: instances ? (groups.at(-1) ?? none) : none,
    categories,
    hasCategories: (instances?.categories.size ?? 0) > 0,
    licenses: new Map(files.flatMap(({ licenses }) => [...licenses])),
    sharedFiles: repeated(names()),
    isSoleEnd: soleEnds(names()),
  }
}

/** The pictures of all files: what a later one says of a picture goes before what an earlier one says. */
function joinImages(files: readonly CocoFile[]) {
  const images = new Map<Id, CocoImage>()
  const shared = new Set(files.flatMap((file) => [...file.shared]))
  for (const { images: own, problems } of files) {
    for (const [id, image] of own) {
      const known = images.get(id)
      if (known && !isSamePicture(known.file_name, image.file_name)) {
        shared.add(id)
        problems.add('images', undefined, 'shared_id', sharedId(id, known.file_name, image.file_name))
      }
      images.set(id, { ...known, ...image })
    }
  }
  for (const id of shared) images.delete(id)
  return { images, shared }
}

function repeated(names: Iterable<string>): Set<string> {
  const seen = new Set<string>()
  const again = new Set<string>()
  for (const name of names) (seen.has(name) ? again : seen).add(name)
  return again
}

/** Names of one picture in two files may differ: COCO_val2014_000000000042.jpg, val2017/000000000042.jpg. */
function isSamePicture(a: string, b: string): boolean {
  const [left, right] = [a, b].map((name) => name.replace(/^.*\//s, '').replace(/\.[^.]*$/, ''))
  return (left ?? '').endsWith(right ?? '') || (right ?? '').endsWith(left ?? '')
}

/** The annotations of pictures that there are; the others are told of. */
function ownAnnotations(
  { path, annotations, problems }: CocoFile,
  images: ReadonlyMap<Id, unknown>,
  shared: ReadonlySet<Id>,
): Map<Id, readonly CocoAnnotation[]> {
  const kept = new Map<Id, readonly CocoAnnotation[]>()
  for (const [id, { own, at }] of annotations) {
    if (images.has(id)) kept.set(id, own)
    else {
      const [reason, what] = shared.has(id)
        ? ['shared_id', 'that several pictures have']
        : ['unknown_picture', 'that no picture has']
      const rest = own.length > 1 ? ` (and ${own.length - 1} more)` : ''
      problems.add('annotations', at, reason, `image_id ${shownName(id)}, an id ${what}${rest}`, own.length)
    }
  }
  const [first] = annotations
  if (first && kept.size === 0 && shared.size === 0)
    throw new UserError(
      `${path}: no annotation is of a picture that is listed: annotations.${first[1].at}.image_id is ${shownName(first[0])}, and so on.`,
    )
  return kept
}

/** Categories by their names, without those that are no things. */
function namedCategories({ categories, used }: CocoFile): Map<Id, NamedCategory> {
  const listed = [...categories.values()]
    .filter((category) => category !== undefined)
    .sort((a, b) => compareIds(a.id, b.id))
  // MDETR's files give all boxes the one category "object", which names nothing.
  if (listed.length === 1 && listed[0]?.name === 'object') return new Map()
  const kinds = new Map<string, Id[]>()
  for (const { id, supercategory } of listed) {
    if (supercategory === undefined) continue
    const own = kinds.get(supercategory)
    if (own) own.push(id)
    else kinds.set(supercategory, [id])
  }
  /**
   * One without a box of its own cannot be said to be absent where others are kinds of it: Roboflow puts such
   * a root before its categories, named as the project. Nor can labelme's background.
   */
  const isThing = ({ id, name }: CocoCategory) =>
    used.has(id) ||
    (!/^_+(background|ignore)_+$/.test(name) && !kinds.get(name)?.some((other) => other !== id))
  const things = listed.filter(isThing)
  const parents = new Map(things.map(({ name, supercategory }) => [name, supercategory]))
  const above = (name: string) => {
    const names = new Set([name])
    for (let next = parents.get(name); next !== undefined && !names.has(next); next = parents.get(next))
      if (parents.has(next)) names.add(next)
    return [...names].slice(1)
  }
  return new Map(things.map(({ id, name }, order) => [id, { name, order, kindOf: above(name) }]))
}

/** Categories of annotations that the file lacks; the pictures count those as boxes without a name. */
function tellUnknownCategories({ used, categories, problems }: CocoFile): void {
  for (const { id, at, count } of used.values()) {
    if (categories.has(id)) continue
    const rest = count > 1 ? ` (and ${count - 1} more)` : ''
    problems.add(
      'annotations',
      at,
      'unknown_category',
      `category_id ${shownName(id)}, an id that no category has${rest}`,
    )
  }
}
