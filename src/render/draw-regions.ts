import sharp from 'sharp'
import type { Caption, Region } from '../shards/rows.js'

/** Colours that stay apart from each other on light and dark pictures (Okabe and Ito 2008, darkened for text). */
const palette = ['#d55e00', '#0072b2', '#009e73', '#cc3d8f', '#b8860b', '#5b3fd6', '#1d9bb8', '#8c2d04']

export interface Drawing {
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
  readonly captions: readonly Caption[]
  readonly regions: readonly Region[]
  /** Shown above the captions. */
  readonly title: string
}

const lineHeight = 19
const charWidth = 7.3

/** A PNG of the picture with its boxes, one colour a phrase, and below it the captions with the phrases in their colours. */
export async function drawRegions(drawing: Drawing, maxWidth = 640): Promise<Buffer> {
  const { bytes, regions, captions, title } = drawing
  // Small pictures are enlarged so that labels can be read.
  const scale = Math.min(maxWidth / drawing.width, Math.max(1, 384 / drawing.width))
  const width = Math.round(drawing.width * scale)
  const height = Math.round(drawing.height * scale)
  const colours = new Map(
    [...new Set(regions.map(({ phrase }) => phrase))].map((phrase, index) => [
      phrase,
      palette[index % palette.length],
    ]),
  )
  const shown = captions
    .map((caption, index) => ({ caption, index }))
    .filter(
      ({ index, caption }) =>
        caption.kind !== 'categories' || regions.some((region) => region.caption === index),
    )
  const lines = shown.flatMap(({ caption, index }) =>
    captionLines(
      caption.text,
      regions.filter((region) => region.caption === index),
      colours,
      Math.floor((width - 16) / charWidth),
    ),
  )
  const panel = lineHeight * (lines.length + 1) + 12
  const boxes = regions.map((region) =>
    boxSvg(region, scale, colours.get(region.phrase) as string, captions, width, height),
  )
  const text = lines.map(
    (line, index) =>
      `<text x="8" y="${height + 8 + lineHeight * (index + 2)}" xml:space="preserve">${line}</text>`,
  )
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + panel}" font-family="DejaVu Sans Mono, monospace" font-size="12"><rect y="${height}" width="${width}" height="${panel}" fill="#fff"/>${boxes.join('')}<text x="8" y="${height + 6 + lineHeight}" fill="#666">${escapeXml(title)}</text>${text.join('')}</svg>`
  const picture = await sharp(bytes).resize(width, height, { fit: 'fill' }).removeAlpha().toBuffer()
  return sharp({ create: { width, height: height + panel, channels: 3, background: '#fff' } })
    .composite([
      { input: picture, left: 0, top: 0 },
      { input: Buffer.from(svg), left: 0, top: 0 },
    ])
    .png()
    .toBuffer()
}

function boxSvg(
  region: Region,
  scale: number,
  colour: string,
  captions: readonly Caption[],
  width: number,
  height: number,
): string {
  const [x1, y1, x2, y2] = region.xyxy.map((value) => value * scale)
  const phrase = [...captions[region.caption].text].slice(region.start, region.end).join('')
  const label = region.origin === 'gold' ? phrase : `${phrase} ${region.score.toFixed(2)}`
  const labelWidth = Math.min(width, label.length * charWidth + 6)
  const left = Math.max(0, Math.min(x1, width - labelWidth))
  const top = Math.min(height - 15, y1 >= 15 ? y1 - 15 : y2 + 15 <= height ? y2 : y1)
  return `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="#fff" stroke-width="4" opacity="0.6"/><rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="${colour}" stroke-width="2"/><rect x="${left}" y="${top}" width="${labelWidth}" height="15" fill="${colour}" opacity="0.9"/><text x="${left + 3}" y="${top + 11}" fill="#fff">${escapeXml(label)}</text>`
}

/** The caption cut into lines of at most `columns` characters, words whole, phrases as coloured spans. */
function captionLines(
  text: string,
  regions: readonly Region[],
  colours: ReadonlyMap<number, string>,
  columns: number,
): string[] {
  const points = [...text]
  const colourAt = (at: number) => {
    const region = regions.find(({ start, end }) => at >= start && at < end)
    return region && colours.get(region.phrase)
  }
  const lines: string[] = []
  let start = 0
  while (start < points.length) {
    let end = Math.min(points.length, start + columns)
    if (end < points.length) {
      const space = points.lastIndexOf(' ', end)
      if (space > start) end = space
    }
    let line = ''
    for (let at = start; at < end; ) {
      const colour = colourAt(at)
      let stop = at + 1
      while (stop < end && colourAt(stop) === colour) stop++
      const part = escapeXml(points.slice(at, stop).join(''))
      line += colour ? `<tspan fill="${colour}" font-weight="bold">${part}</tspan>` : part
      at = stop
    }
    lines.push(line)
    start = points[end] === ' ' ? end + 1 : end
  }
  return lines
}

/** Text as XML; characters that XML cannot hold are left out. */
function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are just what XML forbids
  const allowed = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
  return allowed
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
