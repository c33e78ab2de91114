import sharp from 'sharp'
import type { Background, Scene, SceneObject } from './layout-scene.js'
import type { Ink } from './measure-ink.js'
import type { Rgb } from './recipe.js'

/** The scene as one SVG picture. */
export function sceneSvg({ size, background, objects }: Scene, ink: ReadonlyMap<string, Ink>): string {
  const shapes = objects.map((object) => drawObject(object, ink.get(object.concept) as Ink)).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${drawBackground(background, size)}${shapes}</svg>`
}

/** JPEG bytes of the scene; the same for the same scene. */
export async function drawScene(
  scene: Scene,
  ink: ReadonlyMap<string, Ink>,
  quality: number,
): Promise<Buffer> {
  return sharp(Buffer.from(sceneSvg(scene, ink)))
    .flatten()
    .jpeg({ quality, chromaSubsampling: '4:4:4' })
    .toBuffer()
}

const css = (rgb: Rgb) => `rgb(${rgb.join()})`
const digits = (value: number) => value.toFixed(3)

function drawObject({ box, rgb, mirrored }: SceneObject, { path, x, y, width }: Ink): string {
  const scale = (box[2] - box[0]) / width
  // Mirroring turns the grid around the ink's own middle, so that the box stays where it is.
  const left = mirrored ? box[2] + x * scale : box[0] - x * scale
  const across = mirrored ? -scale : scale
  const matrix = [across, 0, 0, scale, left, box[1] - y * scale].map(digits).join(' ')
  return `<path transform="matrix(${matrix})" fill="${css(rgb)}" d="${path}"/>`
}

function drawBackground({ kind, colours, angle, scale, blobs }: Background, size: number): string {
  const [first, second] = colours.map(css)
  const fill = (paint: string) => `<rect width="${size}" height="${size}" fill="${paint}"/>`
  const turn = `patternTransform="rotate(${angle})" patternUnits="userSpaceOnUse"`
  const half = digits(scale)
  const whole = digits(2 * scale)
  switch (kind) {
    case 'plain':
      return fill(first)
    case 'gradient':
      return `<defs><linearGradient id="b" gradientTransform="rotate(${angle} 0.5 0.5)"><stop stop-color="${first}"/><stop offset="1" stop-color="${second}"/></linearGradient></defs>${fill('url(#b)')}`
    case 'stripes':
      return `<defs><pattern id="b" width="${whole}" height="${whole}" ${turn}><rect width="${whole}" height="${whole}" fill="${first}"/><rect width="${half}" height="${whole}" fill="${second}"/></pattern></defs>${fill('url(#b)')}`
    case 'checks':
      return `<defs><pattern id="b" width="${whole}" height="${whole}" ${turn}><rect width="${whole}" height="${whole}" fill="${first}"/><rect width="${half}" height="${half}" fill="${second}"/><rect x="${half}" y="${half}" width="${half}" height="${half}" fill="${second}"/></pattern></defs>${fill('url(#b)')}`
    case 'blobs': {
      const spots = blobs.map(
        ([x, y, r]) => `<circle cx="${digits(x)}" cy="${digits(y)}" r="${digits(r)}" fill="${second}"/>`,
      )
      return fill(first) + spots.join('')
    }
  }
}
