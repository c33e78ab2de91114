import { z } from 'zod'
import { stageName } from '../../rows/stage-name.js'
import { agreedScore, agreedThings, disagreementOf, fusedBox, relativeScore } from '../rule/agree.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import type { Candidate, FilterImage } from '../rule/rule.js'

/**
 * Keeps boxes on which several proposal stages or groundings agree: of boxes of one phrase that overlap by at least
 * `iou` one is kept where `least` stages found one there. Its score is the mean of their scores, 0 of those that found
 * none, so that later rules prefer what many found. `calibrate` before it, with `of`, makes the scores of different
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
      byPhrase(candidates, image, least).map(({ phrase, things }) => disagreementOf(things, phrase)),
  create({ least, iou: overlap, boxes, relative }) {
    return (candidates, image) => [
      ...byPhrase(candidates, image, overlap).flatMap(({ things }) =>
        things.flatMap((thing): Candidate[] => {
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
        }),
      ),
      // What a person added is no stage's, and needs nobody to agree.
      ...candidates.filter((box) => !isCompared(box, image)),
    ]
  },
})

/** Whether a box is of one of several stages: what a person added is of none. */
const isCompared = ({ source }: Candidate, { sources }: FilterImage): boolean =>
  source !== undefined || sources === undefined

/** The things of each phrase that has candidates, in the order of the phrases. */
function byPhrase(candidates: readonly Candidate[], image: FilterImage, least: number) {
  const { sources = [] } = image
  const groups = new Map<number, Candidate[]>()
  for (const box of candidates) {
    if (!isCompared(box, image)) continue
    const group = groups.get(box.phrase)
    if (group) group.push(box)
    else groups.set(box.phrase, [box])
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([phrase, own]) => ({ phrase, things: agreedThings(own, Math.max(1, sources.length), least) }))
}
