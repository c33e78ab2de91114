import { iou } from '../boxes/iou.js'
import { leastIou } from '../boxes/match-boxes.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { phrasesOf } from '../catalog/phrases-of.js'
import type { Region } from '../rows/rows.js'
import { joinedRows } from './filter-shard.js'
import { groundingOrigin } from './grounding-origin.js'
import { openPlainTools } from './open-tools.js'
import { clipBoxes } from './rule/clip-boxes.js'
import { phraseOf } from './rule/phrase-of.js'
import type { Candidate, FilterImage, StageVerdict } from './rule/rule.js'
import { verdictsAbout } from './rule/verdicts-about.js'
import { nameSpan } from './rules/contrast.js'
import { asksModel } from './rules.js'
import { type DroppedBox, whyDropped } from './why-dropped.js'

/**
 * Why a grounding lacks regions of another: the rule that dropped the box, `relabelled: ` and the rule that left
 * it a part of its phrase for a label, `not_relabelled` where the other one did so and this one has it for the
 * whole phrase, `not_proposed` where the teacher proposed no box that overlaps it, `not_in_gold`, or `unknown`.
 */
export interface RegionReasons {
  /** Why reasons are `unknown`, where they are. */
  readonly note?: string
  rows(shard: string): AsyncGenerator<RowReasons>
}

/** Why a grounding lacks regions of one picture. */
export interface RowReasons {
  reasonOf(region: Region): string
  /** What judges said of a region, of whose verdicts the grounding was made. */
  verdictsOf(region: Region): readonly StageVerdict[]
}

/**
 * @throws UserError where the phrases of the grounding, or a file that its rules name, are no longer there
 */
export async function openRegionReasons(dataset: OpenDataset, grounding: string): Promise<RegionReasons> {
  const { storage, shards } = dataset
  if (dataset.isGold && grounding === dataset.name) return always('not_in_gold')
  const { rules, proposals, besides } = await groundingOrigin(dataset, grounding)
  if (!rules || (proposals === undefined && !besides?.others.length))
    return always('unknown', `the record of "${grounding}" does not say its rules, or its proposals are gone`)
  if (!besides)
    return always(
      'unknown',
      `the verdicts or boxes that the rules of "${grounding}" read besides its proposals are not there as they were: make it again`,
    )
  if (rules.some(asksModel)) return always('unknown', `the rules of "${grounding}" ask a model`)
  const phrases = await phrasesOf(dataset, 'grounding', grounding)
  const dropped = whyDropped(rules, await openPlainTools({ storage, shards }, rules, phrases))
  return {
    async *rows(shard) {
      for await (const { candidates, image } of joinedRows(
        { storage, shard },
        { rules: [...rules], phrases, proposals, ...besides },
      )) {
        // Computed only when it is called: most pictures are the same in both groundings.
        let boxes: readonly DroppedBox[] | undefined
        yield {
          reasonOf(region) {
            boxes ??= dropped(candidates, image)
            return reasonOf(region, boxes, candidates, image)
          },
          verdictsOf: (region) => saidOf(region, image),
        }
      }
    },
  }
}

/** @param boxes what became of the candidates that are not kept for their whole phrase */
function reasonOf(
  region: Region,
  boxes: readonly DroppedBox[],
  candidates: readonly Candidate[],
  image: FilterImage,
): string {
  const isAt = (span: { readonly start: number; readonly end: number } | undefined) =>
    span?.start === region.start && span.end === region.end
  const own = image.phrases.filter(({ caption }) => caption === region.caption)
  const whole = own.filter(isAt)
  // The other grounding may have the name in a phrase for a label, which is no phrase by itself.
  const phrases = new Set(whole.length > 0 ? whole : own.filter((phrase) => isAt(nameSpan(phrase))))
  const isOf = (box: Candidate) => phrases.has(phraseOf(image, box))
  const overlapOf = ({ xyxy }: Candidate) => iou(xyxy, region.xyxy)
  const nearest =
    whole.length > 0 ? 0 : Math.max(0, ...clipBoxes(candidates, image).filter(isOf).map(overlapOf))
  let reason = nearest >= leastIou ? 'not_relabelled' : 'not_proposed'
  // Where the nearest of them was not dropped, it was kept for the whole phrase.
  let bestIou = Math.max(leastIou, nearest)
  for (const { candidate, reason: dropReason } of boxes) {
    if (!isOf(candidate)) continue
    const overlap = overlapOf(candidate)
    if (overlap < bestIou) continue
    reason = dropReason
    bestIou = overlap
  }
  return reason
}

/** As the rule `verdict` finds them by default. */
function saidOf({ caption, start, end, xyxy }: Region, image: FilterImage): readonly StageVerdict[] {
  const own = (image.verdicts ?? []).filter((verdict) => {
    const phrase = image.phrases[verdict.phrase]
    return phrase?.caption === caption && phrase.start === start && phrase.end === end
  })
  return verdictsAbout(own, xyxy, sameBox)
}

/** Overlap from which a verdict is about a box. */
const sameBox = 0.9

function always(reason: string, note?: string): RegionReasons {
  return {
    ...(note !== undefined && { note }),
    async *rows() {
      for (;;) yield { reasonOf: () => reason, verdictsOf: () => [] }
    },
  }
}
