import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { stageName } from '../../rows/stage-name.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'
import { reviewOrigin } from '../rule/reviewed.js'
import type { Candidate, FilterImage, StageVerdict } from '../rule/rule.js'
import { verdictsAbout } from '../rule/verdicts-about.js'

/**
 * Keeps boxes that judges accept. The verdicts of a box are those of its phrase about the same box, or about one that
 * overlaps it by at least `iou`, so that they outlive another run of the teacher. What people say comes before what
 * machines say; of several that speak the mean counts. A box that people accept has a score of 1 from then on, and is
 * theirs: what a person redrew is the box that was drawn, for the words that were chosen. Of several boxes that a
 * person's verdict is about one is kept, the very box or the nearest.
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
        const said = weighty(verdictsAbout(own, box.xyxy, config.iou))
        if (said.length === 0) return config.unjudged === 'keep' ? [box] : []
        const probability = mean(said)
        if (probability < config.min) return []
        const score = config.as === 'score' ? probability : undefined
        const last = said.filter((one) => one.person && probabilityOf(one) >= 0.5).at(-1)
        if (!last) return [score === undefined ? box : { ...box, score }]
        return nearest(candidates, last, config.iou) === box ? [owned(box, last, image)] : []
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

/** What people say, where some do; else what machines say. */
function weighty(verdicts: readonly StageVerdict[]): readonly StageVerdict[] {
  const people = verdicts.filter(({ person }) => person)
  return people.length > 0 ? people : verdicts
}

const mean = (verdicts: readonly StageVerdict[]) =>
  verdicts.reduce((sum, verdict) => sum + probabilityOf(verdict), 0) / verdicts.length

/** How likely there is a right box: where a person has redrawn one it is the one that was drawn. */
const probabilityOf = ({ person, redrawn, probability }: StageVerdict) =>
  person && redrawn !== null ? 1 : probability

/** The box that a verdict is of: the very box, else the one of its phrase that overlaps it most. */
function nearest(
  candidates: readonly Candidate[],
  { phrase, xyxy }: StageVerdict,
  least: number,
): Candidate | undefined {
  let found: Candidate | undefined
  let most = least
  for (const box of candidates) {
    if (box.phrase !== phrase || xyxy === null) continue
    const overlap = iou(xyxy, box.xyxy)
    if (found ? overlap <= most : overlap < most) continue
    found = box
    most = overlap
  }
  return found
}

/** The box as a person has it: at another place, for other words. */
const owned = (box: Candidate, verdict: StageVerdict, image: FilterImage): Candidate => ({
  ...box,
  ...wordsOf(verdict, box, image),
  score: 1,
  origin: reviewOrigin(verdict.judge),
  xyxy: verdict.redrawn ?? box.xyxy,
})

/** The words that a person chose for a box: another phrase where they are one, so that it is among the boxes of that. */
function wordsOf(
  { start, end }: StageVerdict,
  box: Candidate,
  image: FilterImage,
): Partial<Pick<Candidate, 'phrase' | 'relabelled'>> {
  if (start === null || end === null) return {}
  const { caption } = phraseOf(image, box)
  const phrase = image.phrases.findIndex(
    (one) => one.caption === caption && one.start === start && one.end === end,
  )
  return phrase < 0 ? { relabelled: { rule: verdict.name, start, end } } : { phrase }
}
