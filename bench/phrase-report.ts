/** What bench:phrases tells of one set of marked captions. */
import { pairedBootstrap } from '../src/evaluate/compare/paired-bootstrap.js'
import type { PictureMetric } from '../src/evaluate/compare/picture-metric.js'
import type { AnnotatedCaption, Span } from './read-annotation.js'
import type { gatherFigures } from './report.js'
import { f1Metric, type SpanPair, spanErrors, spanScores } from './span-scores.js'

export type Finder = (caption: string) => readonly Span[]
export type Finders = Readonly<Record<string, Finder>>
/** Names of finders, each with how many points of F1 the first finder is to lead it by, null where none are aimed at. */
export type Rivals = Readonly<Record<string, number | null>>
type Report = ReturnType<typeof gatherFigures>['report']

const bootstrap = { level: 0.05, resamplings: 2000, seed: 18, margin: 0 }
const percent = (share: number) => (100 * share).toFixed(1)

/**
 * F1 of each finder with its interval, and how far the first of `finders` leads each of `rivals`, by a
 * bootstrap over the captions.
 *
 * @param goal the F1 that the first is to reach, in percent
 */
export function reportSet(
  report: Report,
  set: string,
  captions: readonly AnnotatedCaption[],
  finders: Finders,
  rivals: Rivals,
  goal?: number,
): void {
  const images = captions.length
  const metrics: Record<string, PictureMetric> = {}
  Object.entries(finders).forEach(([name, find], at) => {
    const pairs = pairsOf(captions, find)
    const { f1, precision, recall } = spanScores(pairs)
    metrics[name] = f1Metric(pairs)
    const note = `precision ${percent(precision)}, recall ${percent(recall)}, ${interval(metrics[name], images)}`
    const aim = at === 0 && goal !== undefined
    report(`${set}: ${name}`, 100 * f1, 'F1, %', aim ? `>= ${goal}` : '', aim ? 100 * f1 >= goal : null, note)
  })
  const own = Object.values(metrics)[0]!
  for (const [rival, aim] of Object.entries(rivals)) {
    const base = metrics[rival]
    if (!base) continue
    const [lead] = pairedBootstrap(base, [own], { ...bootstrap, images })
    const points = 100 * lead!.difference
    const note = `${images} captions, ${interval(own, images, base)}`
    const aims = aim === null ? '' : `>= ${aim}`
    report(`${set}: over ${rival}`, points, 'points', aims, aim === null ? null : points >= aim, note)
  }
}

/** F1 of the first of `finders` for each kind of caption, which the id says before its hyphen. */
export function reportKinds(
  report: Report,
  set: string,
  captions: readonly AnnotatedCaption[],
  finders: Finders,
  rivals: Rivals,
): void {
  const [own] = Object.values(finders)
  const kindOf = ({ id }: AnnotatedCaption) => id.slice(0, id.indexOf('-'))
  for (const kind of [...new Set(captions.map(kindOf))].sort()) {
    const of = captions.filter((caption) => kindOf(caption) === kind)
    const { f1, precision, recall } = spanScores(pairsOf(of, own!))
    const others = Object.keys(rivals)
      .filter((name) => name in finders)
      .map((name) => `${name} ${percent(spanScores(pairsOf(of, finders[name]!)).f1)}`)
    const rates = `precision ${percent(precision)}, recall ${percent(recall)}`
    report(
      `${set}, ${kind}`,
      100 * f1,
      'F1, %',
      '',
      null,
      [`${of.length} captions`, rates, ...others].join(', '),
    )
  }
}

/** Captions with an error, those with most of them first, each with what was missed and what was wrong. */
export function worstLines(captions: readonly AnnotatedCaption[], find: Finder): string {
  return captions
    .map(({ id, text, spans }) => ({ id, text, ...spanErrors({ found: find(text), true: spans }) }))
    .filter(({ missed, wrong }) => missed.length + wrong.length > 0)
    .sort((a, b) => b.missed.length + b.wrong.length - a.missed.length - a.wrong.length)
    .map(({ id, text, missed, wrong }) => {
      const points = [...text]
      const quote = ({ start, end }: Span) => `[${points.slice(start, end).join('')}]`
      const line = (name: string, spans: readonly Span[]) =>
        spans.length === 0 ? '' : `\n    ${name} ${spans.map(quote).join(' ')}`
      return `${id}  ${text}${line('missed', missed)}${line('wrong', wrong)}`
    })
    .join('\n')
}

function pairsOf(captions: readonly AnnotatedCaption[], find: Finder): SpanPair[] {
  return captions.map(({ text, spans }) => ({ found: find(text), true: spans }))
}

/** The 95 % interval of a metric, or of what it has over a base, in percent. */
function interval(
  metric: PictureMetric,
  images: number,
  base: PictureMetric = { over: () => 0, seen: metric.seen.map(() => '') },
): string {
  const [found] = pairedBootstrap(base, [metric], { ...bootstrap, images })
  const ends = found!.interval
  return ends ? `95 % ${percent(ends[0])} to ${percent(ends[1])}` : 'too few captions for an interval'
}
