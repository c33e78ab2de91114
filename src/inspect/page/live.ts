import { phraseColours } from '../../render/phrase-colours.js'
import type { Grounded, LayerAnswer, SampleBox } from '../answers.js'
import type { View } from '../view.js'

/** Whether a box is kept at a threshold. */
export const isLive = ({ from, to }: SampleBox, threshold: number): boolean =>
  from < threshold && threshold <= to

/** The threshold of a view over a layer. */
export const thresholdOf = (view: View, layer: LayerAnswer): number => view.threshold ?? layer.threshold

/** A colour for each phrase that has a box at some threshold, null for the others: so that dragging changes no colour. */
export function coloursOf({ phrases, boxes }: Grounded): (string | null)[] {
  const boxed = new Set(boxes.map(({ phrase }) => phrase))
  const colourOf = phraseColours(phrases.filter((_, at) => boxed.has(at)).map(({ text }) => text))
  return phrases.map(({ text }, at) => (boxed.has(at) ? colourOf(text) : null))
}

/** The same for those that have one at this threshold. */
export function liveColours(grounded: Grounded, colours: readonly (string | null)[], threshold: number) {
  const live = new Set(grounded.boxes.filter((box) => isLive(box, threshold)).map(({ phrase }) => phrase))
  return colours.map((colour, at) => (live.has(at) ? colour : null))
}
