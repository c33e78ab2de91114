import { UserError } from '../base/user-error.js'
import { type KindSummary, namesOf } from './audit-labels.js'
import type { CalibrationBin } from './calibration-error.js'
import { identityOf } from './draw-sample.js'
import type { Judgement } from './judgements.js'
import { compareKinds, type PhraseKind } from './phrase-kinds.js'
import type { PlacedLabel } from './placed-labels.js'
import {
  meanScore,
  sampledBins,
  sampledError,
  type WeighedLabel,
  weighLabels,
} from './sampled-calibration.js'
import { type Stratum, stratifiedRatio, stratumOf } from './stratified-ratio.js'

/** How right labels are by a sample of them. */
export interface JudgedSummary {
  /** Labels of the grounding, those of the sample, and those of it that are judged. */
  readonly labels: number
  readonly drawn: number
  readonly judged: number
  /** Share of the grounding's labels that the judged rows speak for: less than 1 where a stratum has none. */
  readonly covered: number
  /** As those of an audit by a truth; `chance` and phrases are not known. */
  readonly kinds: readonly KindSummary[]
  readonly calibration: readonly CalibrationBin[]
}

/** A judged row, with what the grounding says of its label. */
interface Row {
  readonly stratum: string
  readonly kinds: readonly PhraseKind[]
  readonly score: number
  readonly hasBox: boolean
  readonly right: boolean
  /** Things that were missed, a share of them for each box of the same words; undefined where not counted. */
  readonly missed: number | undefined
}

/**
 * What a judged sample says of all labels of the grounding that it was drawn from. Intervals are about these
 * labels: 95 of 100 samples give one that holds what judging all of them would give. Recall is of boxes, and
 * only where `missed` was counted, for phrases without a box too.
 *
 * @param labels of the grounding, `placedLabels`
 * @throws UserError where a judged label is not in the grounding, or nothing is judged
 */
export async function judgeLabels(
  judgements: readonly Judgement[],
  labels: AsyncIterable<PlacedLabel> | Iterable<PlacedLabel>,
): Promise<JudgedSummary> {
  const wanted = new Map(judgements.map((judgement) => [identityOf(judgement), judgement]))
  const found: { judgement: Judgement; label: PlacedLabel }[] = []
  const sizes = new Map<PhraseKind, { labels: number; withoutBox: number }>()
  let total = 0
  for await (const label of labels) {
    const isLabel = label.xyxy !== null
    if (isLabel) total++
    for (const kind of label.kinds) {
      const size = sizes.get(kind) ?? { labels: 0, withoutBox: 0 }
      sizes.set(kind, size)
      if (isLabel) size.labels++
      else size.withoutBox++
    }
    const id = identityOf(label)
    const judgement = wanted.get(id)
    if (!judgement) continue
    found.push({ judgement, label })
    wanted.delete(id)
  }
  const [lost] = wanted.values()
  if (lost) {
    throw new UserError(
      `${wanted.size} of the ${judgements.length} sampled regions are not in the grounding, such as picture ${lost.key}, caption ${lost.caption}, words ${lost.start} to ${lost.end}: name the grounding that the sample was drawn from.`,
    )
  }
  const rows = found.flatMap(({ judgement, label }) => rowOf(judgement, label))
  const boxes = rows.filter(({ hasBox }) => hasBox)
  if (boxes.length === 0)
    throw new UserError('No region of the sample is judged: fill in `right`, true or false, for each.')
  const strata = strataOf(judgements, rows)
  const weighed = weighLabels(rows, strata)
  const spoken = new Set(boxes.map(({ stratum }) => stratum))
  const covered = [...spoken].reduce((sum, stratum) => sum + stratumOf(strata, { stratum }).population, 0)
  return {
    labels: total,
    drawn: judgements.filter(({ xyxy }) => xyxy !== null).length,
    judged: boxes.length,
    covered: total === 0 ? 0 : covered / total,
    kinds: [...sizes]
      .filter(([, size]) => size.labels > 0)
      .sort(([a], [b]) => compareKinds(a, b))
      .map(([kind, size]) => ({
        ...namesOf(kind),
        ...kindSummary(
          weighed.filter(({ label }) => label.kinds.includes(kind)),
          strata,
          size,
        ),
      })),
    calibration: sampledBins(
      weighed.filter(({ label }) => label.hasBox),
      strata,
    ),
  }
}

function rowOf({ stratum, right, missed }: Judgement, label: PlacedLabel): Row[] {
  const hasBox = label.xyxy !== null
  if (hasBox ? typeof right !== 'boolean' : typeof missed !== 'number') return []
  return [
    {
      ...{ stratum, hasBox, kinds: label.kinds, score: label.score ?? 0, right: right === true },
      missed: typeof missed === 'number' ? missed / Math.max(1, label.siblings) : undefined,
    },
  ]
}

/** Strata of what is judged: what a person has left out is taken for left out at random. */
function strataOf(judgements: readonly Judgement[], rows: readonly Row[]): Map<string, Stratum> {
  const strata = new Map<string, Stratum>()
  const populations = new Map(judgements.map(({ stratum, population }) => [stratum, population]))
  for (const { stratum, population } of judgements) {
    if (populations.get(stratum) !== population)
      throw new UserError(
        `Stratum "${stratum}" of the sample has two values of \`population\`: ${population} and ${populations.get(stratum)}.`,
      )
  }
  for (const { stratum } of rows) {
    const population = populations.get(stratum) ?? 0
    const judged = (strata.get(stratum)?.judged ?? 0) + 1
    if (judged > population)
      throw new UserError(
        `Stratum "${stratum}" of the sample has more lines than its \`population\` of ${population}.`,
      )
    strata.set(stratum, { population, judged })
  }
  return strata
}

function kindSummary(
  own: readonly WeighedLabel<Row>[],
  strata: ReadonlyMap<string, Stratum>,
  size: { readonly labels: number; readonly withoutBox: number },
): Omit<KindSummary, 'dimension' | 'kind'> {
  const rows = own.map(({ label }) => label)
  const weighed = own.filter(({ label }) => label.hasBox)
  const boxes = weighed.map(({ label }) => label)
  const precision = stratifiedRatio(boxes.map(precisionUnits), strata)
  const isCounted =
    boxes.length > 0 &&
    rows.every(({ missed }) => missed !== undefined) &&
    (size.withoutBox === 0 || rows.length > boxes.length)
  const recall = isCounted ? stratifiedRatio(rows.map(recallUnits), strata) : undefined
  return {
    labels: size.labels,
    judged: boxes.length,
    right: boxes.filter(({ right }) => right).length,
    precision: precision.share,
    interval: precision.interval,
    chance: null,
    score: meanScore(weighed),
    phrases: null,
    recall: recall?.share ?? null,
    recallInterval: recall?.interval ?? null,
    phraseRecall: null,
    phraseRecallInterval: null,
    ...sampledError(weighed),
  }
}

const precisionUnits = ({ stratum, right }: Row) => ({ stratum, units: 1, hits: right ? 1 : 0 })

/** A right box is a thing that was found. */
const recallUnits = ({ stratum, right, missed = 0 }: Row) => {
  const hits = right ? 1 : 0
  return { stratum, units: hits + missed, hits }
}
