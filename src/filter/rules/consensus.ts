import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { stageName } from '../../rows/stage-name.js'
import { agreedScore, agreedThings, disagreementOf, fusedBox, relativeScore } from '../rule/agree.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { isReviewed } from '../rule/reviewed.js'
import { type Candidate, type FilterImage, noSource } from '../rule/rule.js'

/**
 * Keeps boxes on which several proposal stages or groundings agree: of boxes of one phrase that overlap by at least
 * `iou` one is kept where `least` stages found one there. Its score is the mean of their scores, 0 of those that found
 * none, so that later rules prefer what many found. Boxes that a person has accepted, redrawn or added are kept as they
 * are: nobody outvotes a person. `calibrate` before it, with `of`, makes the scores of different
 * teachers mean the same.
 */
export const consensus = filterRule({
  name: 'consensus',
  schema: z
    .strictObject({
      rule: z.literal('consensus'),
      of: z
        .array(stageName)
        .min(2)
        .optional()
        .describe('the stages that are compared, proposals or groundings; else all that are needed'),
      least: z.number().int().min(1).default(2).describe('stages that must have found a box'),
      iou: share.default(0.5).describe('overlap (IoU) from which two boxes are on one thing'),
      relative: z
        .boolean()
        .default(true)
        .describe(
          "a stage's score counts by its share of the best that it gave a box of the phrase: weak boxes beside a strong one count less",
        ),
      boxes: z
        .enum(['best', 'fused'])
        .default('best')
        .describe(
          "best: the surest stage's box; fused: the mean of all, weighed by their scores (weighted box fusion)",
        ),
    })
    .describe('of several teachers or groundings, keeps boxes that so many of them found'),
  looksAt: 'all',
  rescores: true,
  reads: ['sources'],
  asks: null,
  disagreement:
    ({ iou: least }) =>
    (candidates, image) =>
      byPhrase(
        candidates.filter(({ source }) => source !== noSource),
        image,
        least,
      ).map(({ phrase, things }) => disagreementOf(things, phrase)),
  create({ least, iou: overlap, boxes, relative }) {
    return (candidates, image) =>
      byPhrase(candidates, image, overlap).flatMap(({ own, things }) => {
        const reviewed = own.filter(isReviewed)
        const agreed = things.flatMap((thing): Candidate[] => {
          if (reviewed.some(({ xyxy }) => iou(xyxy, thing.best.xyxy) >= overlap)) return []
          const found = thing.boxes.filter((box) => box !== undefined)
          if (found.length < least) return []
          const { contrast: _, ...best } = thing.best
          const xyxy = boxes === 'fused' && found.length > 1 ? fusedBox(thing) : best.xyxy
          const names = (image.sources ?? []).flatMap(({ teacher }, at) => {
            const one = thing.boxes[at]
            return one ? (one.origin ?? teacher).split('+') : []
          })
          const origin = [...new Set(names)].join('+')
          const score = relative ? relativeScore(thing, things) : agreedScore(thing)
          return [{ ...best, xyxy, score, ...(origin && { origin }) }]
        })
        return [...reviewed, ...agreed]
      })
  },
})

/** The things of each phrase that has candidates, in the order of the phrases. */
function byPhrase(candidates: readonly Candidate[], { sources = [] }: FilterImage, least: number) {
  const groups = new Map<number, Candidate[]>()
  for (const box of candidates) {
    const group = groups.get(box.phrase)
    if (group) group.push(box)
    else groups.set(box.phrase, [box])
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([phrase, own]) => ({ phrase, own, things: agreedThings(own, Math.max(1, sources.length), least) }))
}
