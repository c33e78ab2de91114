import sharp from 'sharp'
import { type Drawing, drawRegions } from './draw-regions.js'

const gap = 12

export interface ContactSheetOptions {
  /** Drawings beside each other. */
  readonly columns?: number
  /** Pixels that each drawing may be wide. */
  readonly side?: number
}

/** A PNG of drawings in rows from left to right, each as `drawRegions` makes it. */
export async function contactSheet(
  drawings: readonly Drawing[],
  { columns = 3, side = 420 }: ContactSheetOptions = {},
): Promise<Buffer> {
  const tiles: { readonly input: Buffer; readonly width: number; readonly height: number }[] = []
  for (const drawing of drawings) {
    const input = await drawRegions(drawing, side)
    const { width, height } = await sharp(input).metadata()
    tiles.push({ input, width, height })
  }
  const used = Math.min(columns, Math.max(1, tiles.length))
  const places: { readonly input: Buffer; readonly left: number; readonly top: number }[] = []
  let top = gap
  for (let start = 0; start < tiles.length; start += used) {
    const row = tiles.slice(start, start + used)
    row.forEach(({ input, width }, at) => {
      places.push({ input, left: gap + at * (side + gap) + Math.floor((side - width) / 2), top })
    })
    top += Math.max(...row.map(({ height }) => height)) + gap
  }
  return sharp({
    create: { width: gap + used * (side + gap), height: top, channels: 3, background: '#e8e8e8' },
  })
    .composite(places)
    .removeAlpha()
    .png()
    .toBuffer()
}
