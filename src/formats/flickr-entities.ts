import type { Xyxy } from '../boxes/xyxy.js'

/** A sentence of Flickr30k Entities without its marks. */
export interface EntitySentence {
  readonly text: string
  readonly phrases: readonly EntityPhrase[]
}

export interface EntityPhrase {
  readonly text: string
  /** Of the chain of phrases that name the same things; 0 names nothing that could have a box. */
  readonly id: string
  /** people, clothing, bodyparts, animals, vehicles, instruments, scene, other; a phrase may have several. */
  readonly types: readonly string[]
  /** Code points of the sentence's text, half open. */
  readonly start: number
  readonly end: number
}

/** The sentences of a file of `Sentences/`, one a line: `[/EN#283585/people Two young guys] are …`. */
export const parseEntitySentences = (text: string): EntitySentence[] =>
  text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map(parseEntitySentence)

export function parseEntitySentence(line: string): EntitySentence {
  const phrases: EntityPhrase[] = []
  let text = ''
  let length = 0
  let at = 0
  const add = (part: string) => {
    text += part
    length += [...part].length
  }
  for (const match of line.matchAll(/\[\/EN#(\w+)((?:\/[\w-]+)*) ([^\]]*)\]/g)) {
    add(line.slice(at, match.index))
    const [whole, id = '', types = '', words = ''] = match
    const start = length
    add(words)
    phrases.push({ text: words, id, types: types.split('/').slice(1), start, end: length })
    at = match.index + whole.length
  }
  add(line.slice(at))
  return { text, phrases }
}

/** What a file of `Annotations/` says of a picture. */
export interface EntityBoxes {
  readonly width: number
  readonly height: number
  /** By chain, in pixels from 0; a chain that is the scene or has no box is not there. */
  readonly boxes: ReadonlyMap<string, readonly Xyxy[]>
}

/**
 * Reads a picture's annotation: `<object>` with one or more `<name>` and a `<bndbox>`, or `<scene>` or
 * `<nobndbox>` 1.
 *
 * @throws Error that says what is missing
 */
export function parseEntityBoxes(xml: string): EntityBoxes {
  const number = (text: string, tag: string) => {
    const value = new RegExp(`<${tag}>\\s*(-?[\\d.]+)\\s*</${tag}>`).exec(text)?.[1]
    if (value === undefined) throw new Error(`there is no <${tag}>`)
    return Number(value)
  }
  const boxes = new Map<string, Xyxy[]>()
  for (const [, object = ''] of xml.matchAll(/<object>([\s\S]*?)<\/object>/g)) {
    const bounds = /<bndbox>([\s\S]*?)<\/bndbox>/.exec(object)?.[1]
    if (bounds === undefined) continue
    const side = (tag: string) => number(bounds, tag)
    const xyxy: Xyxy = [side('xmin'), side('ymin'), side('xmax'), side('ymax')]
    for (const [, id = ''] of object.matchAll(/<name>\s*(\w+)\s*<\/name>/g)) {
      boxes.set(id, [...(boxes.get(id) ?? []), xyxy])
    }
  }
  const size = /<size>([\s\S]*?)<\/size>/.exec(xml)?.[1] ?? ''
  return { width: number(size, 'width'), height: number(size, 'height'), boxes }
}
