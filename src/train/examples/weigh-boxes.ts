import type { Xyxy } from '../../boxes/xyxy.js'
import { isSameNoun } from '../../words/label-matches.js'
import type { JudgedBox, Sample } from '../samples/sample.js'
import type { GroundedText, PromptPhrase } from './grounded-text.js'
import { headOf, phraseKey } from './picture-truth.js'

/**
 * Says of each box of a prompt how much it counts, as far as a judge was asked about it: for the phrase that
 * names it, else for any other that does. What a phrase misses does not count for one of its noun either.
 */
export function weighBoxes(written: GroundedText, { judged = [] }: Pick<Sample, 'judged'>): GroundedText {
  if (judged.length === 0) return written
  const { ofPair, ofBox, missing } = byBox(judged)
  const points = [...written.text]
  const phrases = written.phrases.map((phrase): PromptPhrase => {
    const name = phraseKey(points.slice(...(phrase.name ?? phrase.span)).join(''))
    const weights = phrase.boxes.map(
      (box) => ofPair.get(`${name}/${box.join()}`) ?? ofBox.get(box.join()) ?? 1,
    )
    const missed = missing.filter(({ noun }) => isSameNoun(noun, headOf(name)))
    const places = missed.flatMap(({ xyxy }) => (xyxy ? [xyxy] : []))
    return {
      ...phrase,
      ...(weights.some((weight) => weight !== 1) && { weights }),
      ...(places.length > 0 && { missing: places }),
      ...(missed.length > places.length && { partial: true }),
    }
  })
  return { ...written, phrases }
}

function byBox(judged: readonly JudgedBox[]) {
  const ofPair = new Map<string, number>()
  const ofBox = new Map<string, number>()
  const missing: { readonly noun: string; readonly xyxy: Xyxy | null }[] = []
  for (const { name, xyxy, probability } of judged) {
    const key = phraseKey(name)
    if (probability === 'missing') missing.push({ noun: headOf(key), xyxy })
    else if (xyxy !== null) {
      // Of equal words in two captions, and of several names of a box, the least sure one.
      for (const [known, of] of [
        [ofPair, `${key}/${xyxy.join()}`],
        [ofBox, xyxy.join()],
      ] as const)
        known.set(of, Math.min(probability, known.get(of) ?? 1))
    }
  }
  return { ofPair, ofBox, missing }
}
