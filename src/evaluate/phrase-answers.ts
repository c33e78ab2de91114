/** What a model has answered about phrases: files of boxes for sentences, and for expressions. */
import { UserError } from '../base/user-error.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { cornersOf, numberOf } from '../formats/box-numbers.js'
import { entryId } from '../formats/entry-id.js'
import { readJsonList } from '../formats/read-json-list.js'
import { refuseForeign } from './benchmark-ids.js'
import type { SentencePrediction } from './flickr30k.js'

/**
 * Reads the answers to Flickr30k Entities, as MDETR writes them: a list of image_id, sentence_id and boxes, a
 * list of boxes (x1 y1 x2 y2) a phrase.
 *
 * @param pictures those of the split
 * @throws UserError where an entry is none, or is of a picture that the split does not have
 */
export async function readSentenceAnswers(
  path: string,
  pictures: readonly string[],
): Promise<SentencePrediction[]> {
  const names = new Map(pictures.map((name) => [entryId(name), name]))
  const foreign: string[] = []
  const answers: SentencePrediction[] = []
  for await (const { value, place } of entriesOf(path, ['image_id', 'sentence_id', 'boxes'])) {
    const image = entryId(value.image_id)
    const sentence = numberOf(value.sentence_id)
    if (image === undefined) throw new UserError(`${place}.image_id: expected the name of a picture.`)
    if (sentence === undefined || !Number.isSafeInteger(sentence) || sentence < 0)
      throw new UserError(`${place}.sentence_id: expected the place of a sentence, from 0.`)
    const boxes = Array.isArray(value.boxes) ? value.boxes.map(boxesIn) : [undefined]
    const bad = boxes.indexOf(undefined)
    if (bad !== -1)
      throw new UserError(
        `${place}.boxes: expected for each phrase a list of boxes x1 y1 x2 y2${Array.isArray(value.boxes) ? `; that of phrase ${bad} is none` : ''}.`,
      )
    const name = names.get(image)
    if (name === undefined) foreign.push(image)
    else answers.push({ image: name, sentence, boxes: boxes as Xyxy[][] })
  }
  refuseForeign(path, 'pictures', foreign, 'the split')
  return answers
}

/** The boxes of a phrase; undefined where one of them is none. */
function boxesIn(value: unknown): Xyxy[] | undefined {
  if (!Array.isArray(value)) return undefined
  const boxes = value.map(cornersOf)
  return boxes.includes(undefined) ? undefined : (boxes as Xyxy[])
}

/**
 * Reads the answers to referring expressions: a list of sent_id and bbox (x1 y1 x2 y2).
 *
 * @param ids those of the split's expressions
 * @param notice told of expressions without an answer, which are wrong
 * @throws UserError where an entry is none, where an expression has two answers, or is not of the split
 */
export async function readExpressionAnswers(
  path: string,
  ids: readonly string[],
  notice: (text: string) => void,
): Promise<Map<string, Xyxy>> {
  const known = new Set(ids)
  const answers = new Map<string, Xyxy>()
  for await (const { value, place } of entriesOf(path, ['sent_id', 'bbox'])) {
    const id = entryId(value.sent_id)
    const bbox = cornersOf(value.bbox)
    if (id === undefined) throw new UserError(`${place}.sent_id: expected an id, a number or a text.`)
    if (!bbox) throw new UserError(`${place}.bbox: expected x1 y1 x2 y2.`)
    if (answers.has(id)) throw new UserError(`${place}.sent_id: expression ${id} has several answers.`)
    answers.set(id, bbox)
  }
  refuseForeign(
    path,
    'expressions',
    [...answers.keys()].filter((id) => !known.has(id)),
    'the split',
  )
  if (answers.size < known.size)
    notice(
      `${path}: ${known.size - answers.size} of ${known.size} expressions have no answer: they are wrong.`,
    )
  return answers
}

/** The objects of a list in a JSON file, each of which must have the keys. */
async function* entriesOf(path: string, keys: readonly string[]) {
  const expected = `a list of objects with ${keys.join(', ')}`
  let index = 0
  for await (const entries of readJsonList(path, expected)) {
    for (const entry of entries) {
      const place = `${path}: [${index++}]`
      const value = (entry ?? {}) as Readonly<Record<string, unknown>>
      if (keys.some((key) => value[key] === undefined)) throw new UserError(`${place}: expected ${expected}.`)
      yield { value, place }
    }
  }
}
