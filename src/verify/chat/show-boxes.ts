import sharp from 'sharp'
import type { Xyxy } from '../../boxes/xyxy.js'
import { scaleBox } from '../../boxes/xyxy.js'
import { decodePicture, type Picture } from '../../pictures/picture.js'
import { columnWidth, fontFamily, loadLabelFont } from '../../render/label-font.js'
import { palette } from '../../render/phrase-colours.js'
import { placeLabels } from '../../render/place-labels.js'

/** What a model is shown: JPEGs, and the boxes in the pixels of the first where they are drawn there. */
export interface ShownBoxes {
  readonly jpegs: readonly Uint8Array[]
  readonly boxes: readonly Xyxy[]
}

const quality = 90
/** Small pictures are enlarged, so that a number can be read. */
const leastSide = 448
/** Share of a box's sides by which what is cut out is longer, half at each end. */
const context = 0.2

/**
 * A stored picture with boxes drawn on it, each in a colour of its own with its number, from 1.
 *
 * @param side pixels of the longer side at most
 */
export async function markedPicture(
  bytes: Uint8Array,
  boxes: readonly Xyxy[],
  side: number,
  key?: string,
): Promise<ShownBoxes> {
  const picture = await decodePicture(bytes, side, key)
  const longest = Math.max(picture.width, picture.height)
  const grown = Math.max(1, Math.min(side, leastSide) / longest)
  const width = Math.round(picture.width * grown)
  const height = Math.round(picture.height * grown)
  const [x, y] = [(width * picture.scale) / picture.width, (height * picture.scale) / picture.height]
  const shown = boxes.map((box) => scaleBox(box, x, y))
  const base = rawOf(picture).resize(width, height, { fit: 'fill' })
  const marks = boxes.length === 0 ? [] : [{ input: await marksSvg(shown, width, height), left: 0, top: 0 }]
  return { jpegs: [await base.composite(marks).jpeg({ quality }).toBuffer()], boxes: shown }
}

/** What is in each box of a stored picture, with a little around it, a JPEG a box. */
export async function croppedBoxes(
  bytes: Uint8Array,
  boxes: readonly Xyxy[],
  side: number,
  key?: string,
): Promise<ShownBoxes> {
  const picture = await decodePicture(bytes, Number.POSITIVE_INFINITY, key)
  const jpegs: Uint8Array[] = []
  for (const [x1, y1, x2, y2] of boxes) {
    const [x, y] = [((x2 - x1) * context) / 2, ((y2 - y1) * context) / 2]
    const left = Math.min(picture.width - 1, Math.max(0, Math.floor(x1 - x)))
    const top = Math.min(picture.height - 1, Math.max(0, Math.floor(y1 - y)))
    const width = Math.max(1, Math.min(picture.width, Math.ceil(x2 + x)) - left)
    const height = Math.max(1, Math.min(picture.height, Math.ceil(y2 + y)) - top)
    const longest = Math.max(width, height)
    const scale = Math.min(side, Math.max(longest, Math.min(leastSide, 4 * longest))) / longest
    const crop = rawOf(picture)
      .extract({ left, top, width, height })
      .resize(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)), {
        fit: 'fill',
      })
    jpegs.push(await crop.jpeg({ quality }).toBuffer())
  }
  return { jpegs, boxes }
}

const rawOf = ({ data, width, height }: Picture) => sharp(data, { raw: { width, height, channels: 3 } })

async function marksSvg(boxes: readonly Xyxy[], width: number, height: number): Promise<Buffer> {
  await loadLabelFont()
  const size = Math.max(14, Math.round(Math.max(width, height) / 45))
  const marks = boxes.map((box, at) => {
    const text = String(at + 1)
    const colour = palette[at % palette.length] as string
    return { text, colour, box, width: text.length * size * columnWidth + 8, height: size + 4 }
  })
  const line = Math.max(2, Math.round(size / 7))
  const rectangles = marks.map(({ box: [x1, y1, x2, y2], colour }) => {
    const place = `x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none"`
    return `<rect ${place} stroke="#fff" stroke-width="${line + 2}" stroke-opacity="0.7"/><rect ${place} stroke="${colour}" stroke-width="${line}"/>`
  })
  const labels = placeLabels(marks, width, height).map(({ index, x, y }) => {
    const { text, colour, width: wide, height: high } = marks[index] as (typeof marks)[number]
    return `<rect x="${x}" y="${y}" width="${wide}" height="${high}" fill="${colour}"/><text x="${x + 4}" y="${y + size - 1}" fill="#fff">${text}</text>`
  })
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${fontFamily}" font-size="${size}" font-weight="bold">${rectangles.join('')}${labels.join('')}</svg>`,
  )
}
