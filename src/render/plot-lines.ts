import { escapeXml } from './escape-xml.js'

export interface Line {
  readonly name: string
  readonly colour: string
  /** One for each of the plot's xs, 0 to 1; undefined where there is none. */
  readonly values: readonly (number | undefined)[]
}

export interface LinePlot {
  readonly title: string
  /** Name of the horizontal axis. */
  readonly axis: string
  /** Ascending, two at least. */
  readonly xs: readonly number[]
  readonly lines: readonly Line[]
}

const [width, height, left, right, top, bottom] = [720, 400, 56, 150, 40, 44]

/** An SVG of shares, 0 to 1, over a value. */
export function plotLines({ title, axis, xs, lines }: LinePlot): string {
  const low = xs[0] ?? 0
  const high = xs.at(-1) ?? low
  const x = (value: number) => left + ((width - left - right) * (value - low)) / Math.max(1e-12, high - low)
  const y = (value: number) => height - bottom - (height - bottom - top) * value
  const digits = (value: number) => value.toFixed(1)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = digits(y(share))
    return `<path d="M${left} ${at}H${width - right}" stroke="#ddd"/><text x="${left - 6}" y="${at}" text-anchor="end" dy=".35em">${share}</text>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = low + share * (high - low)
    return `<text x="${digits(x(value))}" y="${height - bottom + 16}" text-anchor="middle">${Number(value.toPrecision(3))}</text>`
  })
  const drawn = lines.map(({ name, colour, values }, index) => {
    const points = xs.flatMap((value, at) => {
      const share = values[at]
      return share === undefined ? [] : [`${digits(x(value))},${digits(y(share))}`]
    })
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/><text x="${width - right + 10}" y="${top + 18 * index}" fill="${colour}">${escapeXml(name)}</text>`
  })
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>`
  const words = `<text x="${left}" y="20" font-size="14">${escapeXml(title)}</text><text x="${left}" y="${height - 8}">${escapeXml(axis)}</text>`
  return `${head}${words}${grid.join('')}${ticks.join('')}${drawn.join('')}</svg>\n`
}
