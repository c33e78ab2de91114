import { counted } from '../../base/counted.js'
import type { DatasetStatistics, LabelStatistics, StageStatistics } from '../../catalog/dataset-statistics.js'
import type { FunnelStage } from '../../catalog/funnel.js'
import { tableCell } from '../../query/format-rows.js'
import { verdictsText } from '../../statistics/verdicts-text.js'
import { formatTable } from './format-table.js'
import { reasonsText } from './print-funnel.js'
import { about, coverageText, labelsOf, numbersOf, percent, short, topText } from './print-statistics.js'

/** So many of a dataset's stages are shown, and so many of its groundings: the last ones. */
const mostStages = 7
const mostGroundings = 2
const mostReasons = 3

/** A dataset in twenty lines at most: its funnel, and what it has of pictures, captions, phrases and boxes. */
export function overviewText(
  { dataset, counts, stages }: DatasetStatistics,
  funnel: readonly FunnelStage[],
): string {
  const bytes = funnel.reduce((sum, stage) => sum + stage.bytes, 0)
  const earlier = funnel.length - mostStages
  const rows = funnel
    .slice(-mostStages)
    .map(({ stage, unit, in: input, out, rejected, relabelled, joined }) => [
      ...[stage, unit, input, out, input - out],
      reasonsText({ rejected, relabelled, joined, in: input }, mostReasons),
    ])
  return [
    `${tableCell(dataset)}: ${counts.images === null ? '- pictures' : counted(counts.images, 'picture')}, ${captionsText(stages)}, ${(bytes / 1e6).toFixed(1)} MB`,
    ...(earlier > 0 ? [`(${earlier} earlier stages are left out)`] : []),
    formatTable(['stage', 'unit', 'in', 'out', 'rejected', 'reasons'], rows),
    ...aligned([...pictureFacts(stages), ...phraseFacts(stages), ...boxFacts(stages, counts.images)]),
  ].join('\n')
}

/** A line: what it is of, and what is said of it. */
type Fact = readonly [of: string, said: readonly (string | undefined)[]]

function aligned(facts: readonly Fact[]): string[] {
  const width = Math.max(...facts.map(([of]) => of.length))
  return facts.map(([of, said]) => {
    const parts = said.filter((part) => part !== undefined)
    return `${of.padEnd(width)}  ${parts.join('; ')}`
  })
}

function pictureFacts(stages: readonly StageStatistics[]): Fact[] {
  const images = stages.find(({ family }) => family === 'images')
  if (!images) return []
  const [sides, sizes] = [numbersOf(images, 'longer_side'), numbersOf(images, 'image_bytes')]
  const [hosts, licenses] = [labelsOf(images, 'hosts'), labelsOf(images, 'licenses')]
  return [
    [
      'pictures',
      [
        said(images.counts.images),
        sides?.min != null && sides.max !== null
          ? `longer side ${short(sides.min)} to ${short(sides.max)} pixels`
          : undefined,
        sizes?.mean != null ? `${(sizes.mean / 1000).toFixed(0)} kB each` : undefined,
        hosts && `${different(hosts)} hosts`,
        licenses && `${different(licenses)} licences`,
      ],
    ],
  ]
}

/** Prompts of category names stand among the captions, and nobody has written them of a picture. */
function captionsText(stages: readonly StageStatistics[]): string {
  const images = stages.find(({ family }) => family === 'images')
  const captions = images?.counts.captions
  const prompts = labelsOf(images, 'caption_kinds')?.frequencies.categories ?? 0
  if (captions === undefined) return '- captions'
  if (prompts === 0) return counted(captions, 'caption')
  return `${counted(captions - prompts, 'caption')} and ${counted(prompts, 'prompt')} of category names`
}

/** Of the last stage that found phrases. */
function phraseFacts(stages: readonly StageStatistics[]): Fact[] {
  const stage = stages.findLast(({ family }) => family === 'phrases')
  if (!stage) return []
  const [texts, heads] = [labelsOf(stage, 'phrase_texts'), labelsOf(stage, 'heads')]
  const each = numbersOf(stage, 'phrases_a_caption')
  return [
    [
      `phrases (${tableCell(stage.stage)})`,
      [
        said(stage.counts.phrases),
        texts && `${different(texts)} different`,
        each?.mean != null ? `${each.mean.toFixed(2)} a caption` : undefined,
        heads && `${different(heads)} different heads`,
      ],
    ],
    ...headFacts(heads),
  ]
}

/** Of the last proposals, groundings, negatives and verdicts. */
function boxFacts(stages: readonly StageStatistics[], pictures: number | null): Fact[] {
  const proposals = stages.findLast(({ family }) => family === 'proposals')
  const groundings = stages.filter(({ counts }) => Object.hasOwn(counts, 'regions')).slice(-mostGroundings)
  const verdicts = stages.findLast(({ family }) => family === 'verdicts')
  const negatives = stages.findLast(({ counts }) => (counts.negatives ?? 0) > 0)
  const last = groundings.at(-1)
  const each = proposals && numbersOf(proposals, 'boxes_a_phrase')
  return [
    ...(proposals
      ? [
          fact(`proposals (${tableCell(proposals.stage)})`, [
            said(proposals.counts.proposals),
            each?.mean != null ? `${each.mean.toFixed(1)} a phrase` : undefined,
            scoresText(proposals),
          ]),
        ]
      : []),
    ...groundings.map((stage) => {
      const [origins, area] = [labelsOf(stage, 'origins'), numbersOf(stage, 'area_share')]
      const isEstimated = area?.estimated.includes('median') ?? false
      return fact(`regions (${tableCell(stage.stage)})`, [
        `${said(stage.counts.regions)} in ${said(stage.counts.grounded_images)} of ${pictures ?? '-'} pictures`,
        origins && `from ${Object.keys(origins.frequencies).map(tableCell).join(', ') || 'nobody'}`,
        scoresText(stage),
        area?.median != null
          ? `median area ${isEstimated ? '~' : ''}${percent(area.median)} of the picture`
          : undefined,
      ])
    }),
    ...(last?.family === 'grounding' ? headFacts(labelsOf(last, 'heads')) : []),
    ...(negatives
      ? [fact(`negatives (${tableCell(negatives.stage)})`, [said(negatives.counts.negatives)])]
      : []),
    ...(verdicts
      ? [
          fact(`verdicts (${tableCell(verdicts.stage)})`, [
            verdictsText(labelsOf(verdicts, 'verdict_kinds')?.frequencies ?? {}) || 'none',
            `by ${
              Object.keys(labelsOf(verdicts, 'judges')?.frequencies ?? {})
                .map(tableCell)
                .join(', ') || 'nobody'
            }`,
          ]),
        ]
      : []),
  ]
}

const fact = (of: string, said: Fact[1]): Fact => [of, said]

function headFacts(heads: LabelStatistics | undefined): Fact[] {
  if (!heads || heads.count === 0) return []
  const vocabulary = coverageText(heads)
  return [
    ['  heads', [topText(heads)]],
    ...(vocabulary === undefined ? [] : [fact('  vocabulary', [vocabulary])]),
  ]
}

/** Between which a quarter of the scores each lies; undefined where all are the same, as those of gold. */
function scoresText(stage: StageStatistics): string | undefined {
  const scores = numbersOf(stage, 'score')
  if (!scores?.quartiles || scores.median === null || scores.min === scores.max) return undefined
  const [first, third] = scores.quartiles
  const sign = scores.estimated.includes('quartiles') ? '~' : ''
  return `score quartiles ${[first, scores.median, third].map((score) => sign + score.toFixed(2)).join(', ')}`
}

const said = (count: number | undefined) => (count === undefined ? '-' : String(count))

const different = ({ n_unique, estimated }: LabelStatistics) =>
  about(n_unique, estimated.includes('n_unique'))
