import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { stageName } from '../../rows/stage-name.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'
import type { Candidate, FilterImage, StageVerdict } from '../rule/rule.js'

/**
 * Keeps boxes that judges accept. The verdicts of a box are those of its phrase about the same box, or about one that
 * overlaps it by at least `iou`, so that they outlive another run of the teacher. What people say comes before what
 * machines say; of several that speak the mean counts. A box that people accept has a score of 1 from then on, and is
 * theirs: what a person redrew is the box that was drawn, for the words that were chosen.
 */
export const verdict = filterRule({
  name: 'verdict',
  schema: z
    .strictObject({
      rule: z.literal('verdict'),
      by: stageName
        .optional()
        .describe('the verify stage whose verdicts are read; else those of all that are needed'),
      min: share.default(0.5).describe('least probability that a box is right'),
      as: z
        .enum(['gate', 'score'])
        .default('gate')
        .describe('score: the probability also takes the place of the score, for later rules'),
      unjudged: z
        .enum(['drop', 'keep'])
        .default('drop')
        .describe('what becomes of boxes of which no judge says anything'),
      complete: share
        .optional()
        .describe('least probability that the phrase has all its boxes: else all of them are dropped'),
      iou: share
        .default(0.9)
        .describe('overlap (IoU) from which a verdict about another box is about this one'),
    })
    .describe('keeps boxes that a judge, or a person, accepts'),
  looksAt: 'itself',
  rescores: true,
  reads: ['verdicts'],
  asks: null,
  create(config) {
    return (candidates, image) => {
      const verdicts = (image.verdicts ?? []).filter(
        ({ stage }) => config.by === undefined || stage === config.by,
      )
      const byPhrase = grouped(verdicts)
      return candidates.flatMap((box) => {
        const own = byPhrase.get(box.phrase) ?? []
        if (!isPhraseKept(own, config.complete)) return []
        const said = aboutBox(own, box, config.iou)
        if (said.length === 0) return config.unjudged === 'keep' ? [box] : []
        const probability = mean(said)
        if (probability < config.min) return []
        return [judged(box, said, config.as === 'score' ? probability : undefined, image)]
      })
    }
  },
})

function grouped(verdicts: readonly StageVerdict[]): ReadonlyMap<number, readonly StageVerdict[]> {
  const groups = new Map<number, StageVerdict[]>()
  for (const verdict of verdicts) {
    const group = groups.get(verdict.phrase)
    if (group) group.push(verdict)
    else groups.set(verdict.phrase, [verdict])
  }
  return groups
}

/** Whether a phrase names what can be seen, and, where that is asked, whether it has all its boxes. */
function isPhraseKept(own: readonly StageVerdict[], complete: number | undefined): boolean {
  const unseen = weighty(own.filter(({ xyxy, verdict }) => xyxy === null && verdict === 'unseen'))
  const others = weighty(own.filter(({ xyxy, verdict }) => xyxy === null && verdict !== 'unseen'))
  if (unseen.length > others.length) return false
  return complete === undefined || (others.length > 0 && mean(others) >= complete)
}

/** What is said of a box: by people, where some do. */
function aboutBox(own: readonly StageVerdict[], box: Candidate, least: number): readonly StageVerdict[] {
  const isSame = ({ xyxy }: StageVerdict) => xyxy?.every((side, at) => side === box.xyxy[at])
  const same = own.filter(isSame)
  const near =
    same.length > 0 ? same : own.filter(({ xyxy }) => xyxy !== null && iou(xyxy, box.xyxy) >= least)
  return weighty(near)
}

/** What people say, where some do; else what machines say. */
function weighty(verdicts: readonly StageVerdict[]): readonly StageVerdict[] {
  const people = verdicts.filter(({ person }) => person)
  return people.length > 0 ? people : verdicts
}

const mean = (verdicts: readonly StageVerdict[]) =>
  verdicts.reduce((sum, { probability }) => sum + probability, 0) / verdicts.length

/** The box as its judges have it: with another score, another place, other words. */
function judged(
  box: Candidate,
  said: readonly StageVerdict[],
  score: number | undefined,
  image: FilterImage,
): Candidate {
  const people = said.filter(({ person, probability }) => person && probability >= 0.5)
  const last = people.at(-1)
  if (!last) return score === undefined ? box : { ...box, score }
  const { start, end } = last
  const phrase = phraseOf(image, box)
  const isOther = start !== null && end !== null && (start !== phrase.start || end !== phrase.end)
  return {
    ...box,
    score: 1,
    origin: `review:${last.judge}`,
    xyxy: last.redrawn ?? box.xyxy,
    ...(isOther && { relabelled: { rule: verdict.name, start, end } }),
  }
}
