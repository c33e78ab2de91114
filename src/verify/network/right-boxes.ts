import { zip } from '../../base/zip.js'
import { type AnsweredBox, besideFacts } from './beside-facts.js'
import { fitLogistic, type Logistic, logisticOf } from './fit-logistic.js'

/**
 * What turns the network's answers for a picture into probabilities that its boxes are right. For nouns that gold
 * never names they have weights of their own.
 */
export interface RightBoxes {
  /** Of `besideFacts`. */
  readonly known: Logistic
  readonly unknown: Logistic
}

/** A box that was answered, and whether gold names its noun. */
export interface NamedBox extends AnsweredBox {
  readonly isKnown: boolean
}

/**
 * By how much the network's answers are believed for nouns that gold never names. Those that are hidden on purpose
 * are names of things that it has seen often, so that it is surer of them than it may be of new ones.
 */
const beliefInNew = 0.5

/** The probabilities of a picture's boxes, in their order. */
export function rightProbabilities({ known, unknown }: RightBoxes, boxes: readonly NamedBox[]): number[] {
  return zip(boxes, besideFacts(boxes)).map(([{ isKnown }, facts]) =>
    logisticOf(isKnown ? known : unknown, facts),
  )
}

/** Fits both to pictures of which it is known what is right; boxes whose noun was hidden are not known. */
export function fitRightBoxes(
  pictures: readonly (readonly (NamedBox & { readonly right: boolean })[])[],
): RightBoxes {
  const examples = pictures.flatMap((boxes) =>
    zip(boxes, besideFacts(boxes)).map(([{ isKnown, right }, facts]) => ({ isKnown, right, facts })),
  )
  const weightsOf = (is: boolean) => {
    const own = examples.filter(({ isKnown }) => isKnown === is)
    // Where no noun was hidden, or none is known, what is known of the others serves.
    const of = own.length > 0 ? own : examples
    return fitLogistic(
      of.map(({ facts }) => facts),
      of.map(({ right }) => right),
    )
  }
  const hidden = weightsOf(false)
  const unknown = {
    bias: beliefInNew * hidden.bias,
    weights: hidden.weights.map((weight) => beliefInNew * weight),
  }
  return { known: weightsOf(true), unknown }
}
