import type { AuditSummary } from '../audit/audit-labels.js'
import { counted } from '../base/counted.js'
import { tallyOf } from '../statistics/stats.js'
import { summarise, topWords } from '../statistics/tally.js'
import type { Lineage, LineageStage } from './lineage.js'

/** An audit of the grounding, by the name of its stage. */
export interface NamedAudit {
  readonly name: string
  readonly summary: AuditSummary
}

/** What was lost at a stage for one reason. */
export interface Loss {
  readonly stage: string
  readonly unit: string
  readonly reason: string
  readonly count: number
  /** Of what came into the stage, 0 to 1. */
  readonly share: number
}

/** A model that found boxes. */
export interface TeacherUsed {
  readonly stage: string
  readonly name: string
  /** SHA-256 of its files, where its records say it. */
  readonly sha256?: string
}

/** What crawled the pictures, as the records of the ingest stage have it. */
export interface Crawler {
  readonly user_agent: string
  readonly robots: boolean
  /** Directives of X-Robots-Tag that keep a picture out. */
  readonly opt_out: readonly string[]
  /** Uses of which one that is disallowed (AIPREF's Content-Usage, Content-Signal) keeps a picture out. */
  readonly content_usage: readonly string[]
  /** What is done about licences that ask for something (RSL), and about reserved rights of text and data mining. */
  readonly license: string
  readonly tdm: string
}

/** Reasons of rejects that are somebody's wish not to be crawled, or not to be used. */
const wishes = /^(robots|opt_out_.*|tdm_reserved|license_required|payment_required)$/

/** The stage of a family; of several the last. */
export const stageOf = (
  { stages }: Pick<Lineage, 'stages'>,
  family: LineageStage['family'],
): LineageStage | undefined => stages.findLast((stage) => stage.family === family)

/** What was lost on the way, stage by stage, the most frequent reason first. */
export function lossesOf({ stages }: Pick<Lineage, 'stages'>): Loss[] {
  return stages.flatMap(({ stage, unit, in: input, rejected }) =>
    Object.entries(rejected)
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => ({ stage, unit, reason, count, share: input > 0 ? count / input : 0 })),
  )
}

/** Of what was lost, what somebody did not wish to be taken. */
export const wishesOf = (lineage: Pick<Lineage, 'stages'>): Loss[] =>
  lossesOf({ stages: lineage.stages.filter(({ family }) => family === 'images') }).filter(({ reason }) =>
    wishes.test(reason),
  )

/** The models that found the boxes, in the order of their stages. */
export function teachersOf({ stages }: Pick<Lineage, 'stages'>): TeacherUsed[] {
  return stages
    .filter(({ family }) => family === 'proposals')
    .flatMap(({ stage, given }) =>
      (given.teacher ?? [stage]).map((name, at) => ({
        ...{ stage, name },
        ...(given.model?.[at] !== undefined && { sha256: given.model[at] }),
      })),
    )
}

/** The rules of the filter, as they stand in its records, each as a text: `score min 0.4`. */
export function rulesOf(lineage: Pick<Lineage, 'stages'>): string[] {
  const rules = stageOf(lineage, 'grounding')?.config.rules
  if (!Array.isArray(rules)) return []
  return rules.map((given: Readonly<Record<string, unknown>>) => {
    const { rule, ...values } = given
    const said = Object.entries(values).map(([key, value]) => `${key} ${shortValue(value)}`)
    return [String(rule), ...said].join(' ')
  })
}

/** Longer values are told of by their size: lists of synonyms have thousands of words. */
const longestValue = 60

function shortValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text.length <= longestValue) return text
  return typeof value === 'object' && value !== null
    ? `(${counted(Object.keys(value).length, 'entry')})`
    : `${text.slice(0, longestValue)}…`
}

/** What crawled the pictures; undefined where no record says that anything did. */
export function crawlerOf(lineage: Pick<Lineage, 'stages'>): Crawler | undefined {
  const { crawler } = (stageOf(lineage, 'images')?.config ?? {}) as { readonly crawler?: Partial<Crawler> }
  if (typeof crawler?.user_agent !== 'string') return undefined
  const { user_agent, robots = false, opt_out = [], content_usage = [] } = crawler
  const { license = 'ignore', tdm = 'ignore' } = crawler
  return { user_agent, robots, opt_out, content_usage, license, tdm }
}

/** Counts of the lineage; null where no record has them. */
export function countsOf(lineage: Pick<Lineage, 'stages'>) {
  const [images, phrases] = [stageOf(lineage, 'images'), stageOf(lineage, 'phrases')]
  const grounding = stageOf(lineage, 'grounding')
  const own = (name: string) => images?.stats.counts[name] ?? null
  const found = (name: string) => grounding?.stats.counts[name] ?? own(name)
  return {
    pictures: own('images') ?? images?.out ?? null,
    pictureBytes: own('image_bytes'),
    captions: own('captions'),
    phrases: phrases?.stats.counts.phrases ?? own('phrases'),
    regions: found('regions'),
    groundedPictures: found('grounded_images'),
  }
}

/** A share as a percentage with as many digits as tell it from none and from all. */
export function percent(share: number): string {
  const value = 100 * share
  const isEnd = share === 0 || share === 1
  const text = value.toFixed(value < 0.1 || value > 99.9 ? 3 : 1)
  if (!isEnd && value < 0.001) return '< 0.001 %'
  return `${isEnd ? value : text} %`
}

/** What an audit says of all labels: their precision and recall with 95 % intervals. */
export function auditText({ name, summary }: NamedAudit): string {
  const [all] = summary.kinds
  const measured = [
    ['precision', all?.precision, all?.interval],
    ['recall', all?.recall, all?.recallInterval],
  ] as const
  const told = measured.flatMap(([what, share, interval]) => {
    if (share === null || share === undefined) return []
    const around = interval ? ` (95 % interval ${percent(interval[0])} to ${percent(interval[1])})` : ''
    return [`${what} ${percent(share)}${around}`]
  })
  return `audit "${name}": ${counted(all?.judged ?? 0, 'label')} judged${told.length > 0 ? `, ${told.join(', ')}` : ''}`
}

/** Origins of boxes that people drew. */
const byPeople = /^(gold$|review:)/

/** Limits of the data that their records show. Each is a sentence. */
export function knownLimits(lineage: Lineage, audits: readonly NamedAudit[]): string[] {
  const { pictures, regions, groundedPictures } = countsOf(lineage)
  const limits: string[] = []
  const origins = mostOf(stageOf(lineage, 'grounding') ?? stageOf(lineage, 'images'), 'origins', 100)
  const byModels = origins.filter(([origin]) => !byPeople.test(origin))
  if (byModels.length > 0) {
    const found = byModels.reduce((sum, [, count]) => sum + count, 0)
    limits.push(
      `${found} of ${counted(regions ?? found, 'box')} were found by a model (${byModels.map(([origin, count]) => `${origin} ${count}`).join(', ')}) and have its errors.`,
    )
    if (audits.length === 0)
      limits.push('How many of these labels are right is not known: no audit of them is recorded.')
  }
  for (const audit of audits) limits.push(`Labels are not all right: ${auditText(audit)}.`)
  if (pictures !== null && groundedPictures !== null && groundedPictures < pictures)
    limits.push(
      `${pictures - groundedPictures} of ${counted(pictures, 'picture')} have no box: that nothing is boxed does not say that nothing is there.`,
    )
  else if (regions !== null) limits.push('That a thing has no box does not say that it is not there.')
  const licensed = tallied(stageOf(lineage, 'images'), 'licenses')
  if (pictures !== null && licensed !== null && licensed < pictures)
    limits.push(`Of ${pictures - licensed} of ${counted(pictures, 'picture')} no licence is known.`)
  limits.push('groundmill does not look for faces, names or other personal information, and removes none.')
  return limits
}

/** How many values a tally has counted; null where it was not recorded. */
export function tallied(stage: LineageStage | undefined, name: string): number | null {
  const tally = stage && tallyOf(stage.stats, name)
  return tally ? summarise(tally).total : null
}

/** The most frequent words of a tally with their counts; none where it was not recorded. */
export function mostOf(stage: LineageStage | undefined, name: string, most: number): [string, number][] {
  const tally = stage && tallyOf(stage.stats, name)
  return tally ? topWords(tally, most) : []
}
