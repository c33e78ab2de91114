import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Xyxy } from '../src/boxes/xyxy.js'
import { decodePicture, type Picture } from '../src/pictures/picture.js'
import { joinNames, type NamePrompt } from '../src/words/name-prompt.js'
import type { CocoFile } from '../src/world/coco-file.js'

/** A thing of a held-out scene, as the world drew it, named in the caption or not. */
export interface Thing {
  /** Place of its picture among those read. */
  readonly picture: number
  /** Pixels of the picture. */
  readonly xyxy: Xyxy
  readonly name: string
  readonly colour: string
  /** null between small and big. */
  readonly size: string | null
}

/** What is asked of a thing: which of some values it has. */
export interface ProbeTask {
  readonly name: 'colour' | 'size' | 'name'
  readonly values: readonly string[]
  /** Place of the thing's value among them, -1 where it has none. */
  readonly labelOf: (thing: Thing) => number
  /** Prompts that hold a phrase for each value, in their order, and do not tell which is true. */
  readonly promptsOf: (thing: Thing) => readonly NamePrompt[]
}

/** Reads held-out sets of a toy world, every object with what the world knows of it. */
export async function readThings(
  world: string,
  sets: readonly string[],
): Promise<{ readonly pictures: readonly Picture[]; readonly things: readonly Thing[] }> {
  const pictures: Picture[] = []
  const things: Thing[] = []
  for (const set of sets) {
    const folder = join(world, set)
    const coco = JSON.parse(await readFile(join(folder, 'annotations.json'), 'utf8')) as CocoFile
    const names = new Map(coco.categories.map(({ id, name }) => [id, name]))
    const places = new Map(coco.images.map(({ id }, at) => [id, pictures.length + at]))
    for (const { file_name: name } of coco.images)
      pictures.push(
        await decodePicture(await readFile(join(folder, 'images', name)), Number.MAX_SAFE_INTEGER),
      )
    for (const { image_id, category_id, bbox, attributes } of coco.annotations) {
      const [x, y, width, height] = bbox
      things.push({
        picture: places.get(image_id) as number,
        xyxy: [x, y, x + width, y + height],
        name: names.get(category_id) as string,
        ...attributes,
      })
    }
  }
  return { pictures, things }
}

/** Phrases of a prompt at most: 12 names, or all colours of one name, fit into the toy's 48 tokens. */
const phrasesOfPrompt = 12

/** Colour, size (of what is small or big) and name of things, among the values that there are. */
export function probeTasks(things: readonly Thing[]): ProbeTask[] {
  const colours = distinct(things.map(({ colour }) => colour))
  const sizes = distinct(things.flatMap(({ size }) => (size === null ? [] : [size])))
  const names = distinct(things.map(({ name }) => name))
  const ofAll = promptsOf(names)
  return [
    {
      name: 'colour',
      values: colours,
      labelOf: ({ colour }) => colours.indexOf(colour),
      promptsOf: ({ name }) => promptsOf(colours.map((colour) => `${colour} ${name}`)),
    },
    {
      name: 'size',
      values: sizes,
      labelOf: ({ size }) => (size === null ? -1 : sizes.indexOf(size)),
      promptsOf: ({ name }) => promptsOf(sizes.map((size) => `${size} ${name}`)),
    },
    {
      name: 'name',
      values: names,
      labelOf: ({ name }) => names.indexOf(name),
      promptsOf: () => ofAll,
    },
  ]
}

const distinct = (values: readonly string[]) => [...new Set(values)].sort()

const promptsOf = (phrases: readonly string[]): NamePrompt[] =>
  Array.from({ length: Math.ceil(phrases.length / phrasesOfPrompt) }, (_, at) =>
    joinNames(phrases.slice(at * phrasesOfPrompt, (at + 1) * phrasesOfPrompt)),
  )
