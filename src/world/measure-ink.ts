import sharp from 'sharp'
import { iconPath } from './icon-path.js'
import type { Recipe } from './recipe.js'

/** Where a pictogram has ink, in units of its 24 x 24 grid. */
export interface Ink {
  readonly path: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Ink by the name of the concept. */
export type InkMap = ReadonlyMap<string, Ink>

/** Pixels to a unit of the grid: a box is right to a sixteenth of a unit. */
const zoom = 16

/** Draws each concept's pictogram alone and measures its ink. */
export async function measureInk({ concepts }: Recipe): Promise<InkMap> {
  const measured = new Map<string, Ink>()
  for (const { name, icon } of [...concepts.known, ...concepts.novel]) {
    const path = iconPath(icon) as string
    const side = 24 * zoom
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="${side}" height="${side}"><path d="${path}"/></svg>`
    const data = await sharp(Buffer.from(svg)).ensureAlpha().extractChannel(3).raw().toBuffer()
    let left = side
    let top = side
    let right = 0
    let bottom = 0
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        if (data[y * side + x]! < 128) continue
        left = Math.min(left, x)
        right = Math.max(right, x + 1)
        top = Math.min(top, y)
        bottom = Math.max(bottom, y + 1)
      }
    }
    const width = (right - left) / zoom
    const height = (bottom - top) / zoom
    measured.set(name, { path, x: left / zoom, y: top / zoom, width, height })
  }
  return measured
}
