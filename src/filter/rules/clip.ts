import type { Candidate, ModelRule, RegionScorer } from './rule.js'

/**
 * Region-text re-score (YOLO-World): the score becomes sqrt(score x CLIP's), where CLIP compares what the box cuts out of
 * the picture with the phrase; what falls under `min` is dropped. Put it after the rules that drop most boxes: each box
 * that reaches it is one run of CLIP's picture encoder.
 */
export function clip(
  { min, template }: { readonly min: number; readonly template: string },
  scorer: RegionScorer,
): ModelRule {
  return async (rows) => {
    const rescored: Candidate[][] = []
    for (const { candidates, image } of rows) {
      const { bytes, phrases } = image
      if (candidates.length > 0 && !bytes) throw new Error('the rule clip was given no picture')
      const regions = candidates.map(({ xyxy, phrase }) => ({
        xyxy,
        text: template.replace('{}', phrases[phrase].text),
      }))
      const fits = regions.length > 0 ? await scorer.score(bytes as Uint8Array, regions) : []
      rescored.push(
        candidates
          .map((candidate, index) => ({ ...candidate, score: Math.sqrt(candidate.score * fits[index]) }))
          .filter(({ score }) => score >= min),
      )
    }
    return rescored
  }
}
