import { z } from 'zod'
import { clipBox, type Xyxy } from '../../boxes/xyxy.js'
import type { ReviewedPhrase } from '../review-entry.js'

/** A picture as it was exported to be reviewed: what comes back is held against it. */
export interface ExportedPicture {
  readonly key: string
  readonly width: number
  readonly height: number
  readonly captions: readonly string[]
  /** What boxes can be of, each once. */
  readonly phrases: readonly ReviewedPhrase[]
  readonly boxes: readonly ExportedBox[]
}

export interface ExportedBox {
  /** Index into the picture's phrases. */
  readonly phrase: number
  /** As the dataset has it, to the bit. */
  readonly xyxy: Xyxy
  readonly score: number
}

/** A picture whose captions and boxes have numbers, counted from 1 over all pictures of the export. */
export interface NumberedPicture extends ExportedPicture {
  readonly firstCaption: number
  readonly firstBox: number
}

const whole = z.number().int().min(0)
const phrase = z.object({ caption: whole, start: whole, end: whole, text: z.string() })

export const exportedPictureSchema: z.ZodType<ExportedPicture> = z.object({
  key: z.string(),
  width: whole,
  height: whole,
  captions: z.array(z.string()),
  phrases: z.array(phrase),
  boxes: z.array(
    z.object({
      phrase: whole,
      xyxy: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      score: z.number(),
    }),
  ),
})

/** Numbers the captions and boxes of pictures in their order. */
export function numbered(pictures: readonly ExportedPicture[]): NumberedPicture[] {
  let [firstCaption, firstBox] = [1, 1]
  return pictures.map((picture) => {
    const own = { ...picture, firstCaption, firstBox }
    firstCaption += picture.captions.length
    firstBox += picture.boxes.length
    return own
  })
}

/**
 * What a phrase is called in tools in which a box has one name: its words on a line, and its place among the phrases
 * of the picture, for the same words may come twice.
 */
export const labelOf = ({ phrases }: ExportedPicture, index: number): string =>
  oneLine(`${phrases[index]?.text ?? ''} #${index + 1}`)

/** A text on one line, without what XML cannot hold. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()

/** The phrase of a label; undefined where there is none, or where several have its words. */
export function phraseOfLabel(picture: ExportedPicture, label: string): number | undefined {
  const wanted = oneLine(label)
  const [, place] = / #(\d{1,9})$/.exec(` ${wanted}`) ?? []
  const index = Number(place) - 1
  if (place !== undefined && picture.phrases[index] && labelOf(picture, index) === wanted) return index
  const same = picture.phrases.flatMap(({ text }, at) => (oneLine(text) === wanted ? [at] : []))
  return same.length === 1 ? same[0] : undefined
}

/** The part of a box that lies in its picture, which is what tools show; the whole box where none of it does. */
export const shownBox = (picture: ExportedPicture, xyxy: Xyxy): Xyxy => clipBox(xyxy, picture) ?? xyxy

/** What a box is called in tools that keep a text: of which export it is, and its number there. */
export const boxName = (exchange: string, { firstBox }: NumberedPicture, index: number): string =>
  `${exchange}-${firstBox + index}`

/** The export and the number of a box by its name; undefined where it has none of ours. */
export function numberOfName(
  name: unknown,
): { readonly exchange: string; readonly number: number } | undefined {
  const [, exchange, number] = (typeof name === 'string' && /^([0-9a-f]{8})-(\d{1,15})$/.exec(name)) || []
  return exchange === undefined ? undefined : { exchange, number: Number(number) }
}

/** The index of a box by its number; undefined where it is of another picture. */
export function boxOfNumber({ firstBox, boxes }: NumberedPicture, number: number): number | undefined {
  const index = number - firstBox
  return boxes[index] ? index : undefined
}
