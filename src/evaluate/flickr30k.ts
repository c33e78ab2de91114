import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Xyxy } from '../shards/rows.js'
import { UserError } from '../user-error.js'
import { type PhrasePrediction, phraseRecall } from './phrase-recall.js'

/** A phrase of a sentence of Flickr30k Entities. */
export interface FlickrPhrase {
  readonly text: string
  /** Of the thing that it names, within its picture. */
  readonly id: string
  /** people, clothing, bodyparts, animals, vehicles, instruments, scene, other; a phrase may have several. */
  readonly types: readonly string[]
  /** In the sentence without its marks, in code points. */
  readonly span: readonly [number, number]
}

export interface FlickrSentence {
  /** Name of the picture, without `.jpg`. */
  readonly image: string
  /** Place among the picture's sentences, from 0. */
  readonly sentence: number
  readonly text: string
  /** Phrases that have boxes, in the order of the sentence. */
  readonly phrases: readonly (FlickrPhrase & { readonly targets: readonly Xyxy[] })[]
}

/** Sentences of a file of `Sentences/`, one a line: words with phrases as `[/EN#id/type words]`. */
export function parseFlickrSentences(
  text: string,
): { readonly text: string; readonly phrases: readonly FlickrPhrase[] }[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const words: string[] = []
      const phrases: FlickrPhrase[] = []
      let length = 0
      let open: { start: number; id: string; types: string[]; from: number } | undefined
      const add = (word: string) => {
        if (word === '') return
        length += [...word].length + (words.length > 0 ? 1 : 0)
        words.push(word)
      }
      for (const token of line.split(/\s+/u).filter(Boolean)) {
        if (!open && token.startsWith('[')) {
          const [, id, ...types] = token.split('/')
          open = {
            start: length + (words.length > 0 ? 1 : 0),
            id: id.replace(/^EN#/, ''),
            types,
            from: words.length,
          }
          continue
        }
        if (!open || !token.endsWith(']')) {
          add(token)
          continue
        }
        add(token.slice(0, -1))
        const { start, id, types, from } = open
        phrases.push({ text: words.slice(from).join(' '), id, types, span: [start, length] })
        open = undefined
      }
      return { text: words.join(' '), phrases }
    })
}

/** Boxes by phrase id of a file of `Annotations/`; ids of scenes and of things that are not seen have none. */
export function parseFlickrBoxes(xml: string): Map<string, Xyxy[]> {
  const boxes = new Map<string, Xyxy[]>()
  for (const [, object] of xml.matchAll(/<object>(.*?)<\/object>/gs)) {
    const sides = ['xmin', 'ymin', 'xmax', 'ymax'].map((side) =>
      Number(new RegExp(`<${side}>\\s*([\\d.]+)\\s*</${side}>`).exec(object)?.[1] ?? Number.NaN),
    )
    if (!sides.every(Number.isFinite)) continue
    for (const [, id] of object.matchAll(/<name>\s*(.*?)\s*<\/name>/gs))
      boxes.set(id, [...(boxes.get(id) ?? []), sides as unknown as Xyxy])
  }
  return boxes
}

/**
 * Reads Flickr30k Entities: `Sentences/` and `Annotations/` of the pictures that `<split>.txt` lists. Sentences without a
 * phrase that has boxes do not count, and are left out.
 *
 * @throws UserError where a file is missing
 */
export async function readFlickr30k(folder: string, split: string): Promise<FlickrSentence[]> {
  const ids = (await read(join(folder, `${split}.txt`)))
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
  const sentences: FlickrSentence[] = []
  for (const image of ids) {
    const boxes = parseFlickrBoxes(await read(join(folder, 'Annotations', `${image}.xml`)))
    const own = parseFlickrSentences(await read(join(folder, 'Sentences', `${image}.txt`)))
    own.forEach(({ text, phrases }, sentence) => {
      const grounded = phrases.flatMap((phrase) => {
        const targets = boxes.get(phrase.id)
        return targets ? [{ ...phrase, targets }] : []
      })
      if (grounded.length > 0) sentences.push({ image, sentence, text, phrases: grounded })
    })
  }
  return sentences
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
}

/** Boxes for the phrases of a sentence, each best first. */
export interface SentencePrediction {
  readonly image: string
  readonly sentence: number
  readonly boxes: readonly (readonly Xyxy[])[]
}

/** Recall at 1, 5 and 10 and over all boxes, by type of phrase and for `all`. */
export type FlickrRecall = Readonly<Record<string, readonly [number, number, number, number]>>

/**
 * Recall@k of Flickr30k Entities, as MDETR's and GLIP's evaluators compute it. Any-box: one of the first k boxes overlaps
 * one of the phrase's boxes with an IoU of at least 0.5. Merged-boxes: the phrase's boxes are replaced by the one that
 * encloses them.
 *
 * @throws UserError where a sentence has no prediction, or one of another number of phrases
 */
export function flickrRecall(
  sentences: readonly FlickrSentence[],
  predictions: readonly SentencePrediction[],
  protocol: 'any' | 'merged',
): FlickrRecall {
  const key = ({ image, sentence }: { readonly image: string; readonly sentence: number }) =>
    `${image}/${sentence}`
  const predicted = new Map<string, SentencePrediction>()
  // Of several predictions of one sentence the first counts.
  for (const prediction of predictions)
    if (!predicted.has(key(prediction))) predicted.set(key(prediction), prediction)
  const groups = new Map<string, PhrasePrediction[]>([['all', []]])
  for (const sentence of sentences) {
    const own = predicted.get(key(sentence))
    const where = `sentence ${sentence.sentence} of picture ${sentence.image}`
    if (!own) throw new UserError(`There is no prediction for ${where}.`)
    if (own.boxes.length !== sentence.phrases.length)
      throw new UserError(
        `The prediction for ${where} is of ${own.boxes.length} phrases; ${sentence.phrases.length} have boxes.`,
      )
    sentence.phrases.forEach(({ targets, types }, index) => {
      const phrase = {
        predicted: own.boxes[index],
        targets: protocol === 'any' ? targets : [enclosing(targets)],
      }
      for (const group of ['all', ...types]) {
        const members = groups.get(group)
        if (members) members.push(phrase)
        else groups.set(group, [phrase])
      }
    })
  }
  return Object.fromEntries(
    [...groups].map(([group, phrases]) => {
      const recall = phraseRecall(phrases, [1, 5, 10, Number.POSITIVE_INFINITY])
      return [group, recall as unknown as FlickrRecall[string]]
    }),
  )
}

/** The smallest box around some boxes. */
function enclosing(boxes: readonly Xyxy[]): Xyxy {
  const side = (at: number) => boxes.map((box) => box[at])
  return [Math.min(...side(0)), Math.min(...side(1)), Math.max(...side(2)), Math.max(...side(3))]
}
