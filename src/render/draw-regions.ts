import sharp from 'sharp'
import { areaOf, iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { resizedPicture } from '../pictures/resized-picture.js'
import type { Caption, Region } from '../rows/rows.js'
import { escapeXml } from './escape-xml.js'
import { columnWidth, fontFamily, loadLabelFont } from './label-font.js'
import { phraseColours } from './phrase-colours.js'
import { placeLabels } from './place-labels.js'
import { fitColumns, textColumns } from './text-columns.js'
import { wrapCaption } from './wrap-caption.js'

export interface Drawing {
  /** The stored picture, in any format that sharp reads. */
  readonly bytes: Uint8Array
  /** Pixels of the stored picture, which the regions' boxes are in. */
  readonly width: number
  readonly height: number
  readonly captions: readonly Caption[]
  readonly regions: readonly Region[]
  /** Shown above the captions. */
  readonly title: string
}

/** Small pictures are enlarged to this, and no drawing is narrower, so that words can be read. */
const leastSide = 384
const fontSize = 13
const charWidth = fontSize * columnWidth
const lineHeight = 20
const labelHeight = 17
const margin = 10

/**
 * A PNG of the picture with its boxes, one colour a phrase, and below it the captions with the phrases in
 * their colours. Scores are shown for what a teacher found. A caption of category names is shown only where
 * one of its names has a box.
 *
 * @param side width of the largest drawing, and height of its picture, in pixels
 */
export async function drawRegions(drawing: Drawing, side = 640): Promise<Buffer> {
  await loadLabelFont()
  const longest = Math.max(drawing.width, drawing.height)
  const scale = Math.min(side / longest, Math.max(1, leastSide / longest))
  const width = Math.max(1, Math.round(drawing.width * scale))
  const height = Math.max(1, Math.round(drawing.height * scale))
  const canvas = Math.max(width, Math.min(side, leastSide))
  const { captions, regions } = drawing
  const texts = regions.map(({ caption, start, end }) =>
    [...captions[caption]!.text].slice(start, end).join(''),
  )
  const colourOf = phraseColours(texts)
  const panel = panelSvg(drawing, texts, colourOf, canvas)
  const left = Math.floor((canvas - width) / 2)
  const move = (x: number, y: number) => [x * scale + left, y * scale] as const
  const overlay = `${svgHead(canvas, height)}${boxesSvg(regions, texts, colourOf, move, canvas, height)}</svg>`
  const picture = await storedPicture(drawing, width, height)
  return sharp({
    create: { width: canvas, height: height + panel.height, channels: 3, background: '#e8e8e8' },
  })
    .composite([
      { input: picture, left, top: 0 },
      { input: Buffer.from(overlay), left: 0, top: 0 },
      { input: Buffer.from(panel.svg), left: 0, top: height },
    ])
    .removeAlpha()
    .png()
    .toBuffer()
}

/** The picture in the size in which it is drawn, as a PNG. */
async function storedPicture({ bytes, title }: Drawing, width: number, height: number): Promise<Buffer> {
  try {
    return Buffer.from(await resizedPicture(bytes, { width, height, fit: { fit: 'fill' }, format: 'png' }))
  } catch (error) {
    throw new Error(`the picture ${title} cannot be drawn: ${(error as Error).message}`, { cause: error })
  }
}

const svgHead = (width: number, height: number) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${fontFamily}" font-size="${fontSize}">`

function boxesSvg(
  regions: readonly Region[],
  texts: readonly string[],
  colourOf: (text: string) => string,
  move: (x: number, y: number) => readonly [number, number],
  width: number,
  height: number,
): string {
  const marks = regions.map(({ xyxy, origin, score }, index) => {
    const phrase = texts[index] ?? ''
    const label = origin === 'gold' ? phrase : `${phrase} ${score.toFixed(2)}`
    const text = fitColumns(label, Math.floor((width - 8) / charWidth))
    const box = [...move(xyxy[0], xyxy[1]), ...move(xyxy[2], xyxy[3])] as const
    const labelWidth = Math.min(width, textColumns(text) * charWidth + 8)
    return { text, colour: colourOf(phrase), box, width: labelWidth, height: labelHeight }
  })
  const rectangle = ([x1, y1, x2, y2]: Xyxy, style: string) =>
    `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" ${style}/>`
  // The large first, so that a small box is never hidden.
  const ordered = [...marks].sort((a, b) => areaOf(b.box) - areaOf(a.box))
  const boxes = ordered.map(({ box, colour }, at) => {
    // Two phrases that name one thing show both colours, in turns.
    const below = ordered.slice(0, at).some((other) => other.colour !== colour && iou(other.box, box) > 0.9)
    const halo = below ? '' : rectangle(box, 'stroke="#fff" stroke-width="4" stroke-opacity="0.7"')
    return `${halo}${rectangle(box, `stroke="${colour}" stroke-width="2"${below ? ' stroke-dasharray="9"' : ''}`)}`
  })
  const labels = placeLabels(marks, width, height).map(({ index, x, y }) => {
    const { text, colour, width: labelWidth } = marks[index]!
    return `<rect x="${x}" y="${y}" width="${labelWidth}" height="${labelHeight}" fill="${colour}"/><text x="${x + 4}" y="${y + 13}" fill="#fff" xml:space="preserve">${escapeXml(text)}</text>`
  })
  return boxes.join('') + labels.join('')
}

/** Title and captions, black on white. */
function panelSvg(
  { captions, regions, title }: Drawing,
  texts: readonly string[],
  colourOf: (text: string) => string,
  width: number,
): { readonly svg: string; readonly height: number } {
  const columns = Math.floor((width - 2 * margin) / charWidth)
  const lines = captions.flatMap(({ text, kind }, index) => {
    const spans = regions.flatMap(({ caption, start, end }, region) =>
      caption === index ? [{ start, end, colour: colourOf(texts[region]!) }] : [],
    )
    return kind === 'categories' && spans.length === 0 ? [] : wrapCaption(text, spans, columns)
  })
  const rows = lines.map((line) =>
    line
      .map(({ text, colour }) =>
        colour
          ? `<tspan fill="${colour}" font-weight="bold">${escapeXml(text)}</tspan>`
          : `<tspan>${escapeXml(text)}</tspan>`,
      )
      .join(''),
  )
  rows.unshift(`<tspan fill="#666">${escapeXml(fitColumns(title, columns))}</tspan>`)
  const height = lineHeight * rows.length + margin
  const body = rows.map(
    (row, index) => `<text x="${margin}" y="${lineHeight * (index + 1)}" xml:space="preserve">${row}</text>`,
  )
  return {
    svg: `${svgHead(width, height)}<rect width="${width}" height="${height}" fill="#fff"/>${body.join('')}</svg>`,
    height,
  }
}
