import { shownName } from '../../base/name-list.js'
import { numberOf } from '../../formats/box-numbers.js'
import { cocoBox } from '../../formats/coco-box.js'
import { cocoEntries } from '../../formats/coco-entries.js'
import { entryId } from '../../formats/entry-id.js'
import { tokenSpans } from '../../formats/token-spans.js'
import { type FindExchange, mostBoxes } from './exchange-format.js'
import type { ExchangeRecord } from './exchange-record.js'
import { boxOfNumber, type NumberedPicture, shownBox } from './exported-picture.js'
import { keyOfFile } from './key-of-file.js'
import type { Returned, ReturnedBox, ReturnedWords } from './returned-picture.js'
import { isUntouched } from './returned-verdicts.js'

type Json = Readonly<Record<string, unknown>>

/** A caption of a picture, as an entry of `images` is one. */
interface Sentence {
  readonly picture: NumberedPicture
  readonly caption: number
}

/** A box with the number that the file gives it. */
type CocoBox = ReturnedBox & { readonly number: number | undefined }

/** What came back of a picture. */
interface Collected {
  readonly captions: Set<number>
  readonly boxes: CocoBox[]
  isTooMuch: boolean
}

/**
 * A file in COCO's form that was exported for review. A picture's caption that is in the file counts as reviewed. The
 * boxes of all pictures are in memory: the lists may come in any order.
 */
export async function* readCoco(path: string, find: FindExchange): AsyncGenerator<Returned> {
  const sentences = new Map<string, Sentence>()
  const collected = new Map<NumberedPicture, Collected>()
  let record: ExchangeRecord | undefined
  // The file is read twice: which picture a box is of is known when all images are.
  for await (const { index, value } of cocoEntries(path, ['images'], ['images'])) {
    const image = Object(value) as Json
    record ??= await find(typeof image.exchange === 'string' ? image.exchange : undefined)
    const place = `${path} images[${index}]`
    const id = entryId(image.id)
    const found = sentenceOf(image, record)
    if (id === undefined) yield { problem: { place, reason: 'malformed_row', detail: 'the image has no id' } }
    else if (typeof found === 'string') yield { problem: { place, reason: 'unknown_picture', detail: found } }
    else if (sentences.has(id))
      yield { problem: { place, reason: 'malformed_row', detail: `the id ${shownName(id)} comes twice` } }
    else {
      sentences.set(id, found)
      const own = collected.get(found.picture) ?? { captions: new Set(), boxes: [], isTooMuch: false }
      own.captions.add(found.caption)
      collected.set(found.picture, own)
    }
  }
  if (!record) return
  for await (const { index, value } of cocoEntries(path, ['annotations'], ['annotations'])) {
    const place = `${path} annotations[${index}]`
    const annotation = Object(value) as Json
    const image = entryId(annotation.image_id)
    const sentence = image === undefined ? undefined : sentences.get(image)
    const own = sentence && collected.get(sentence.picture)
    if (!sentence || !own) {
      const detail = `its image_id ${shownName(image ?? 'nothing')} is of no image of the export`
      yield { problem: { place, reason: 'unknown_picture', detail } }
    } else if (own.boxes.length >= mostBoxes) own.isTooMuch = true
    else own.boxes.push(boxOf(annotation, sentence))
  }
  const keepsIds = areIdsKept(collected, record)
  for (const [picture, { captions, boxes: found, isTooMuch }] of collected) {
    const boxes = keepsIds ? found : found.map((box): ReturnedBox => ({ ...box, box: null }))
    const place = `${path} ${picture.key}`
    if (isTooMuch)
      yield {
        problem: { place, reason: 'too_many_boxes', detail: `${picture.key}: over ${mostBoxes} boxes` },
      }
    else
      yield {
        ...{ place, exchange: record.id },
        returned: { ...{ picture, reviewer: null, at: null, captions, boxes }, allFound: false },
      }
  }
}

/**
 * Whether boxes have the ids that they had. Many tools count them anew: then some have the id of a box of another picture,
 * or 0, or more of them lie where another box of their picture was than where that of their id was.
 */
function areIdsKept(
  collected: ReadonlyMap<NumberedPicture, Collected>,
  { pictures }: ExchangeRecord,
): boolean {
  const total = [...pictures.values()].reduce((sum, { boxes }) => sum + boxes.length, 0)
  let [kept, others] = [0, 0]
  for (const [picture, { boxes }] of collected)
    for (const { number, box, xyxy, words } of boxes) {
      if (typeof box !== 'number') {
        if (number !== undefined && number >= 0 && number <= total) return false
        continue
      }
      const isAt = (index: number) => {
        const own = picture.boxes[index]
        const phrase = own && picture.phrases[own.phrase]
        if (!phrase || !isUntouched(shownBox(picture, own.xyxy), xyxy)) return false
        if (words === null || typeof words !== 'object') return true
        return ['caption', 'start', 'end'].every((key) => phrase[key as 'end'] === words[key as 'end'])
      }
      if (isAt(box)) kept++
      else if (picture.boxes.some((_, index) => isAt(index))) others++
    }
  return kept >= others
}

/** Which caption of which picture an entry of `images` is; what is wrong where it is none. */
function sentenceOf(image: Json, { id, pictures }: ExchangeRecord): Sentence | string {
  const { original_img_id, file_name, sentence_id, caption } = image
  const key =
    typeof original_img_id === 'string' && pictures.has(original_img_id)
      ? original_img_id
      : typeof file_name === 'string'
        ? keyOfFile(file_name, pictures)
        : undefined
  const picture = key === undefined ? undefined : pictures.get(key)
  if (!picture)
    return `${shownName(String(file_name ?? original_img_id ?? 'nothing'))} is no picture of export ${id}`
  const { captions, firstCaption } = picture
  const places = [
    numberOf(sentence_id),
    captions.indexOf(String(caption)),
    (numberOf(image.id) ?? 0) - firstCaption,
  ]
  const own = places.find((place) => place !== undefined && captions[place] !== undefined)
  return own === undefined
    ? `${picture.key} has no such caption as ${shownName(String(caption))}`
    : { picture, caption: own }
}

function boxOf(annotation: Json, { picture, caption }: Sentence): CocoBox {
  const [x, y, width, height] = cocoBox(annotation) ?? [Number.NaN, Number.NaN, Number.NaN, Number.NaN]
  const number = numberOf(annotation.id)
  const index = number === undefined ? undefined : boxOfNumber(picture, number)
  return {
    // Tools that write COCO count ids anew: one that is none of ours says nothing.
    box: index ?? null,
    number,
    xyxy: [x, y, x + width, y + height],
    isTurned: false,
    words: wordsOf(annotation, caption),
  }
}

function wordsOf({ tokens_positive }: Json, caption: number): ReturnedWords {
  const spans = tokenSpans(tokens_positive)
  if (spans?.length === 0) return null
  const [span] = spans ?? []
  if (!span || spans?.length !== 1) return 'tokens_positive that is not one span'
  const [start, end] = span
  return { caption, start, end }
}
