import { join } from 'node:path'
import { readText } from '../base/files/read-file.js'
import { UserError } from '../base/user-error.js'
import { zip } from '../base/zip.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { type EntityPhrase, parseEntityBoxes, parseEntitySentences } from '../formats/flickr-entities.js'
import { type PhrasePrediction, phraseRecall } from './phrase-recall.js'

export interface FlickrSentence {
  /** Name of the picture, without `.jpg`. */
  readonly image: string
  /** Place among the picture's sentences, from 0. */
  readonly sentence: number
  readonly text: string
  /** Phrases that have boxes, in the order of the sentence. */
  readonly phrases: readonly (EntityPhrase & { readonly targets: readonly Xyxy[] })[]
}

/**
 * Reads Flickr30k Entities: `Sentences/` and `Annotations/` of the pictures that `<split>.txt` lists.
 * Sentences without a phrase that has boxes do not count, and are left out.
 *
 * @throws UserError where a file is missing or damaged
 */
export async function readFlickr30k(folder: string, split: string): Promise<FlickrSentence[]> {
  const ids = await readFlickrPictures(folder, split)
  const sentences: FlickrSentence[] = []
  for (const image of ids) {
    const boxes = await boxesOf(join(folder, 'Annotations', `${image}.xml`))
    const own = parseEntitySentences(await readText(join(folder, 'Sentences', `${image}.txt`)))
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

/** Names of the pictures of a split, without `.jpg`. */
export const readFlickrPictures = async (folder: string, split: string): Promise<string[]> =>
  (await readText(join(folder, `${split}.txt`)))
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)

async function boxesOf(path: string) {
  const xml = await readText(path)
  try {
    return parseEntityBoxes(xml).boxes
  } catch (error) {
    throw new UserError(`${path} is damaged: ${(error as Error).message}.`)
  }
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
 * Recall@k of Flickr30k Entities, as MDETR's and GLIP's evaluators compute it. Any-box: one of the first k
 * boxes overlaps one of the phrase's boxes with an IoU of at least 0.5. Merged-boxes: the phrase's boxes are
 * replaced by the one that encloses them.
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
    for (const [{ targets, types }, predicted] of zip(sentence.phrases, own.boxes)) {
      const phrase = { predicted, targets: protocol === 'any' ? targets : [enclosing(targets)] }
      for (const group of ['all', ...types]) {
        const members = groups.get(group)
        if (members) members.push(phrase)
        else groups.set(group, [phrase])
      }
    }
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
  const side = (at: 0 | 1 | 2 | 3) => boxes.map((box) => box[at])
  return [Math.min(...side(0)), Math.min(...side(1)), Math.max(...side(2)), Math.max(...side(3))]
}
