import type { StepMetrics } from './metrics-log.js'

const series = [
  { name: 'loss', colour: '#444' },
  { name: 'classification', colour: '#1f77b4' },
  { name: 'regression', colour: '#2ca02c' },
  { name: 'grounding', colour: '#ff7f0e' },
  { name: 'contrastive', colour: '#9467bd' },
]

/** The losses of a run as an SVG plot, each a running mean, over the steps. */
export function plotLosses(metrics: readonly StepMetrics[], title: string): string {
  const [width, height] = [720, 400]
  const [left, bottom, top] = [56, 36, 40]
  const window = Math.max(1, Math.round(metrics.length / 60))
  const curves = series.map(({ name, colour }) => {
    const values = metrics.map((line) => line[name] ?? 0)
    return { name, colour, means: runningMean(values, window) }
  })
  const highest = Math.max(1e-6, ...curves.flatMap(({ means }) => means))
  const last = Math.max(1, metrics.at(-1)?.step ?? 1)
  const x = (step: number) => left + ((width - left - 120) * step) / last
  const y = (value: number) => height - bottom - ((height - bottom - top) * value) / highest
  const digits = (value: number) => value.toFixed(1)
  const ticks = [0, 0.25, 0.5, 0.75, 1]
  const grid = ticks.map((share) => {
    const at = digits(y(share * highest))
    return `<path d="M${left} ${at}H${width - 120}" stroke="#ddd"/><text x="${left - 6}" y="${at}" text-anchor="end" dy=".35em">${(share * highest).toPrecision(2)}</text>`
  })
  const steps = ticks.map((share) => {
    const step = Math.round(share * last)
    return `<text x="${digits(x(step))}" y="${height - bottom + 16}" text-anchor="middle">${step}</text>`
  })
  const lines = curves.map(({ name, colour, means }, index) => {
    const points = metrics.map(({ step }, at) => `${digits(x(step))},${digits(y(means[at]!))}`)
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/><text x="${width - 112}" y="${top + 18 * index}" fill="${colour}">${name} ${means.at(-1)?.toFixed(3) ?? ''}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/><text x="${left}" y="20" font-size="14">${title.replace(/[<>&]/g, '')}</text>${grid.join('')}${steps.join('')}${lines.join('')}<text x="${left}" y="${height - 6}">step</text></svg>\n`
}

function runningMean(values: readonly number[], window: number): number[] {
  let sum = 0
  return values.map((value, index) => {
    sum += value
    if (index >= window) sum -= values[index - window]!
    return sum / Math.min(index + 1, window)
  })
}
