import sharp from 'sharp'
import { type Background, blend } from './choose-background.js'
import type { Scene, SceneObject } from './layout-scene.js'
import type { Ink, InkMap } from './measure-ink.js'
import type { Rgb } from './recipe.js'

/** The scene as one SVG picture. */
export function sceneSvg({ size, background, objects }: Scene, ink: InkMap): string {
  const shapes = objects.map((object) => objectSvg(object, ink.get(object.concept.name) as Ink)).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${backgroundSvg(background, size)}${shapes}</svg>`
}

/** JPEG bytes of the scene (quality 1 to 100), the same for the same scene. */
export async function drawScene(scene: Scene, ink: InkMap, quality: number): Promise<Buffer> {
  return sharp(Buffer.from(sceneSvg(scene, ink)))
    .flatten()
    .jpeg({ quality, chromaSubsampling: '4:4:4' })
    .toBuffer()
}

const css = (rgb: Rgb) => `rgb(${rgb.join()})`
const digits = (value: number) => value.toFixed(3)

/** A pictogram with its ink in its box. */
export function objectSvg({ box, rgb, mirrored }: SceneObject, { path, x, y, width }: Ink): string {
  const scale = (box[2] - box[0]) / width
  // Mirroring turns the grid around the ink's own middle, so that the box stays where it is.
  const left = mirrored ? box[2] + x * scale : box[0] - x * scale
  const across = mirrored ? -scale : scale
  const matrix = [across, 0, 0, scale, left, box[1] - y * scale].map(digits).join(' ')
  return `<path transform="matrix(${matrix})" fill="${css(rgb)}" d="${path}"/>`
}

function backgroundSvg({ kind, colours, angle, scale, blobs, grains }: Background, size: number): string {
  const first = css(colours[0])
  const second = css(colours[1])
  const fill = (paint: string) => `<rect width="${size}" height="${size}" fill="${paint}"/>`
  const turn = `patternTransform="rotate(${angle})" patternUnits="userSpaceOnUse"`
  const half = digits(scale)
  const whole = digits(2 * scale)
  const tile = (shapes: string) =>
    `<defs><pattern id="b" width="${whole}" height="${whole}" ${turn}><rect width="${whole}" height="${whole}" fill="${first}"/>${shapes}</pattern></defs>${fill('url(#b)')}`
  switch (kind) {
    case 'plain':
      return fill(first)
    case 'gradient':
      return `<defs><linearGradient id="b" gradientTransform="rotate(${angle} 0.5 0.5)"><stop stop-color="${first}"/><stop offset="1" stop-color="${second}"/></linearGradient></defs>${fill('url(#b)')}`
    case 'stripes':
      return tile(`<rect width="${half}" height="${whole}" fill="${second}"/>`)
    case 'checks':
      return tile(
        `<rect width="${half}" height="${half}" fill="${second}"/><rect x="${half}" y="${half}" width="${half}" height="${half}" fill="${second}"/>`,
      )
    case 'blobs':
      return (
        fill(first) +
        blobs
          .map(([x, y, radius]) => `<circle cx="${x}" cy="${y}" r="${digits(radius)}" fill="${second}"/>`)
          .join('')
      )
    case 'noise':
      return fill(first) + noiseSvg(colours, grains, scale, size)
  }
}

/** Squares in steps between two colours, one path a step. */
function noiseSvg(colours: readonly [Rgb, Rgb], grains: readonly number[], scale: number, size: number) {
  const across = Math.ceil(size / scale)
  const paths = new Map<number, string>()
  grains.forEach((share, at) => {
    const [x, y] = [(at % across) * scale, Math.floor(at / across) * scale].map(digits)
    const side = digits(scale)
    paths.set(share, `${paths.get(share) ?? ''}M${x} ${y}h${side}v${side}h-${side}z`)
  })
  return [...paths]
    .map(([share, path]) => `<path fill="${css(blend(...colours, share))}" d="${path}"/>`)
    .join('')
}
