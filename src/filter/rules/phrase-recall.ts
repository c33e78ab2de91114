import type { Rule } from './rule.js'

/**
 * Keeps a caption's boxes where the share of its phrases that have one is between `min` and `max` (Data-Juicer's
 * phrase_grounding_recall_filter): a caption of which little is found does not tell of its picture.
 *
 * The same words count once, in whatever case and wherever they stand, and phrases are known by their place in the
 * caption: Data-Juicer's own keeps them in a set of strings, whose order, and with it the boxes, is another in each run.
 */
export function phraseRecall({ min, max }: { readonly min: number; readonly max: number }): Rule {
  return (candidates, { phrases }) => {
    const found = new Set(candidates.map(({ phrase }) => phrase))
    const words = new Map<number, Map<string, boolean>>()
    phrases.forEach(({ caption, text }, index) => {
      const own = words.get(caption) ?? new Map<string, boolean>()
      words.set(caption, own)
      const word = text.toLowerCase()
      own.set(word, found.has(index) || own.get(word) === true)
    })
    const fits = new Map(
      [...words].map(([caption, own]) => {
        const recall = [...own.values()].filter(Boolean).length / own.size
        return [caption, recall >= min && recall <= max]
      }),
    )
    return candidates.filter(({ phrase }) => fits.get(phrases[phrase].caption))
  }
}
