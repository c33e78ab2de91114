import { shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { type CocoList, cocoEntries } from './coco-entries.js'
import {
  type CocoAnnotation,
  type CocoCategory,
  type CocoImage,
  cocoAnnotation,
  cocoCategory,
  cocoImage,
  cocoLicense,
  type Id,
} from './coco-entry.js'
import { type ProblemList, problemList } from './problem-list.js'

/** Annotations of one picture. */
export interface AnnotationGroup {
  readonly own: CocoAnnotation[]
  /** Place of the first of them in the file's list. */
  readonly at: number
}

export interface CategoryUse {
  readonly id: Id
  /** Place of the first annotation. */
  readonly at: number
  readonly count: number
}

/** A file in COCO's form: what of it can be used, and what is wrong with the rest. */
export interface CocoFile {
  readonly path: string
  readonly images: ReadonlyMap<Id, CocoImage>
  /** Ids that several pictures have: they are not among the images. */
  readonly shared: ReadonlySet<Id>
  readonly annotations: ReadonlyMap<Id, AnnotationGroup>
  /** Undefined for an id that several categories have. */
  readonly categories: ReadonlyMap<Id, CocoCategory | undefined>
  /** The ids of categories that annotations have. */
  readonly used: ReadonlyMap<Id, CategoryUse>
  readonly licenses: ReadonlyMap<Id, string>
  readonly problems: ProblemList
}

const lists = ['images', 'annotations', 'categories', 'licenses'] as const satisfies CocoList[]

/**
 * Reads a file in COCO's form. An entry that cannot be used is passed over and told of.
 *
 * @param needed lists that must be there, though they may be empty: where there is none, nobody knows whether
 *   there is nothing
 * @throws UserError where the file is not of that form, or where all entries of a list other than that of
 *   licences are bad
 */
export async function readCocoFile(path: string, needed: readonly CocoList[] = []): Promise<CocoFile> {
  const problems = problemList(path)
  const images = imagesOf(problems)
  const annotations = new Map<Id, AnnotationGroup>()
  const categories = new Map<Id, CocoCategory | undefined>()
  const licenses = new Map<Id, string>()
  const counts = new Map(lists.map((list) => [list, { good: 0, bad: 0, first: '' }]))
  const used = new Map<Id, { id: Id; at: number; count: number }>()
  const take: Readonly<Record<CocoList, (value: unknown, at: number) => string | undefined>> = {
    images(value, at) {
      const image = cocoImage(value)
      return typeof image === 'string' ? image : images.add(image, at)
    },
    annotations(value, at) {
      const annotation = cocoAnnotation(value, (id) => use(used, id, at))
      if (typeof annotation === 'string') return annotation
      const { image, own } = annotation
      const group = annotations.get(image)
      if (group) group.own.push(own)
      else annotations.set(image, { own: [own], at })
      return undefined
    },
    categories(value, at) {
      const category = cocoCategory(value)
      if (typeof category === 'string') return category
      const { id, name } = category
      if (!categories.has(id)) categories.set(id, category)
      else if (categories.get(id)?.name !== name) {
        problems.add('categories', at, 'shared_id', `id ${shownName(id)} is that of several categories`)
        categories.set(id, undefined)
      }
      return undefined
    },
    licenses(value) {
      const license = cocoLicense(value)
      if (typeof license === 'string') return license
      const { id, text } = license
      if (id !== undefined && text !== undefined) licenses.set(id, text)
      return undefined
    },
  }
  for await (const { list, index, value } of cocoEntries(path, lists, needed)) {
    const problem = take[list](value, index)
    const count = counts.get(list)
    if (!count) continue
    if (problem === undefined) count.good++
    else {
      if (count.bad++ === 0) count.first = `${list}.${index}${/^\w+: /.test(problem) ? '.' : ': '}${problem}`
      problems.add(list, index, 'malformed_row', problem, list === 'annotations' ? 1 : 0)
    }
  }
  // A file of another form has as many faults as entries: the first one says enough.
  for (const [list, { good, bad, first }] of counts) {
    const more = bad > 1 ? ` (and ${bad - 1} more)` : ''
    if (good === 0 && bad > 0 && list !== 'licenses')
      throw new UserError(`${path} is not in COCO's form: ${first}${more}`)
  }
  const { sole, shared } = images.found()
  return { path, images: sole, shared, annotations, categories, used, licenses, problems }
}

/** Counts the category of an annotation, and gives its id as it is held: a file has few, millions of times. */
function use(used: Map<Id, { id: Id; at: number; count: number }>, id: Id, at: number): Id {
  const known = used.get(id) ?? { id, at, count: 0 }
  if (known.count++ === 0) used.set(id, known)
  return known.id
}

/** Pictures by their ids, and the ids that are no pictures' own. */
function imagesOf(problems: ProblemList) {
  const sole = new Map<Id, CocoImage>()
  const places = new Map<Id, number>()
  const shared = new Set<Id>()
  return {
    /** A picture that is listed again is none; what is wrong with it. */
    add(image: CocoImage, at: number): string | undefined {
      const { id, file_name } = image
      const known = sole.get(id)
      if (known?.file_name === file_name) return `id ${shownName(id)} comes twice`
      if (!known && !shared.has(id)) {
        sole.set(id, image)
        places.set(id, at)
        return undefined
      }
      const tell = (place: number, name: string) =>
        problems.add('images', place, 'shared_id', sharedId(id, name))
      if (known) tell(places.get(id) ?? 0, known.file_name)
      tell(at, file_name)
      shared.add(id)
      sole.delete(id)
      return undefined
    },
    found: () => ({ sole, shared }),
  }
}

/** What is said of a picture whose id is not its own. */
export const sharedId = (id: Id, ...names: readonly string[]): string =>
  `${names.map((name) => shownName(name, 200)).join(' and ')}: its id ${shownName(id)} is that of several pictures: whose boxes and captions are meant cannot be known`
