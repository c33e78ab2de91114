import { type HeadedPhrase, labelMatcher } from './label-matches.js'

/** A box that was found for a phrase, an index, and the detector's own name for it where it has a fixed list of them. */
interface LabelledBox {
  readonly phrase: number
  readonly label: string | null
}

/**
 * Sorts boxes by their phrases. A detector with a fixed list of labels has proposed each box for every phrase: those
 * that it calls what a phrase names are found for it, and of a phrase that none of its labels can mean it says
 * nothing.
 *
 * @param labels the detector's; none of one that reads the words
 * @returns the boxes of each phrase that was asked about, in their order
 */
export function boxesByPhrase(
  labels: readonly string[] | undefined,
): <Box extends LabelledBox>(phrases: readonly HeadedPhrase[], boxes: readonly Box[]) => Map<number, Box[]> {
  const means = labels && labelMatcher(labels)
  return <Box extends LabelledBox>(phrases: readonly HeadedPhrase[], boxes: readonly Box[]) => {
    const found = new Map<number, Box[]>()
    phrases.forEach((phrase, index) => {
      if (!means || labels.some((label) => means(label, phrase))) found.set(index, [])
    })
    for (const box of boxes) {
      const words = phrases[box.phrase]
      if (words && (!means || (box.label !== null && means(box.label, words))))
        found.get(box.phrase)?.push(box)
    }
    return found
  }
}
