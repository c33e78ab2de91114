import type { Xyxy } from '../boxes/xyxy.js'
import { attributeValues } from '../words/attribute-values.js'

/** A thing of a picture. */
export interface TruthObject {
  /** In pixels of the stored picture. */
  readonly xyxy: Xyxy
  /** What it is called, where the truth says so. */
  readonly category?: string
  /** Its colour and size; null where it is of none that has a name; undefined where nobody told. */
  readonly attributes?: { readonly colour?: string | null; readonly size?: string | null }
}

/** What is true of a picture. */
export interface PictureTruth {
  readonly objects: readonly TruthObject[]
  /** By span in the caption (`spanKey`) the objects that the words name. */
  readonly mentions: ReadonlyMap<string, readonly number[]>
  /** Areas where more of a category is than is boxed, such as crowds. */
  readonly ignored?: readonly { readonly category: string; readonly xyxy: Xyxy }[]
  /** By span those of the areas in which a box is neither right nor wrong. */
  readonly unsure?: ReadonlyMap<string, readonly Xyxy[]>
}

export const spanKey = (caption: number, start: number, end: number): string => `${caption}/${start}/${end}`

/** An attribute of an object by the name that phrases' values have: "grey" for "Gray". */
export function attributeName(kind: 'colour' | 'size', value: unknown): string | null | undefined {
  if (value === null) return null
  if (typeof value !== 'string') return undefined
  const named = attributeValues(value).find((entry) => entry.kind === kind)
  return named?.value ?? value.toLowerCase()
}

/** Collects a picture's objects, each box once, and who names them. */
export function collectTruth() {
  const objects: TruthObject[] = []
  const places = new Map<string, number>()
  const mentions = new Map<string, number[]>()
  return {
    /** The place of an object; a box that is there already gains what was not known of it. */
    object(found: TruthObject): number {
      const box = found.xyxy.join()
      const place = places.get(box)
      const before = place === undefined ? undefined : objects[place]
      if (place === undefined || !before) {
        places.set(box, objects.length)
        return objects.push(found) - 1
      }
      objects[place] = { ...found, ...before }
      return place
    },
    mention(span: string, object: number): void {
      const named = mentions.get(span)
      if (!named) mentions.set(span, [object])
      else if (!named.includes(object)) named.push(object)
    },
    truth: (): PictureTruth => ({ objects, mentions }),
  }
}
