import { iou } from '../boxes/iou.js'
import { leastIou } from '../boxes/match-boxes.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { phrasesOf } from '../catalog/phrases-of.js'
import type { Region } from '../rows/rows.js'
import { joinedRows } from './filter-shard.js'
import { groundingOrigin } from './grounding-origin.js'
import { openPlainTools } from './open-tools.js'
import { phraseOf } from './rule/phrase-of.js'
import { asksModel } from './rules.js'
import { whyDropped } from './why-dropped.js'

/**
 * Why a grounding lacks regions of another: the rule that dropped the box, `not_proposed` where the teacher
 * proposed no box that overlaps it, `not_in_gold`, or `unknown`.
 */
export interface RegionReasons {
  /** Why reasons are `unknown`, where they are. */
  readonly note?: string
  /** For each row of a shard, in their order, a function that gives the reason for a region. */
  rows(shard: string): AsyncGenerator<(region: Region) => string>
}

/**
 * @throws UserError where the phrases of the grounding, or a file that its rules name, are no longer there
 */
export async function openRegionReasons(dataset: OpenDataset, grounding: string): Promise<RegionReasons> {
  const { storage, shards } = dataset
  if (dataset.isGold && grounding === dataset.name) return always('not_in_gold')
  const { rules, proposals } = await groundingOrigin(dataset, grounding)
  if (!rules || proposals === undefined)
    return always('unknown', `the record of "${grounding}" does not say its rules, or its proposals are gone`)
  if (rules.some(asksModel)) return always('unknown', `the rules of "${grounding}" ask a model`)
  const phrases = await phrasesOf(dataset, 'grounding', grounding)
  const dropped = whyDropped(rules, await openPlainTools({ storage, shards }, rules, phrases))
  return {
    async *rows(shard) {
      for await (const { candidates, image } of joinedRows(
        { storage, shard },
        { rules: [...rules], phrases, proposals },
      )) {
        // Computed only when it is called: most pictures are the same in both groundings.
        let boxes: ReturnType<typeof dropped> | undefined
        yield (region) => {
          boxes ??= dropped(candidates, image)
          let reason = 'not_proposed'
          let bestIou = leastIou
          for (const { candidate, reason: dropReason } of boxes) {
            const { caption, start, end } = phraseOf(image, candidate)
            if (caption !== region.caption || start !== region.start || end !== region.end) continue
            const overlap = iou(candidate.xyxy, region.xyxy)
            if (overlap < bestIou) continue
            reason = dropReason
            bestIou = overlap
          }
          return reason
        }
      }
    },
  }
}

function always(reason: string, note?: string): RegionReasons {
  return {
    ...(note !== undefined && { note }),
    async *rows() {
      for (;;) yield () => reason
    },
  }
}
