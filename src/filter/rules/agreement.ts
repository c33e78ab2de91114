import type { FilterRow, ModelRule, TextEmbedder } from './rule.js'

/**
 * Language agreement, for detectors with a fixed list of labels, which propose every box for every phrase: keeps a box for
 * a phrase where the embeddings of its label and of the phrase have a cosine of at least `min`, and with `best` only for
 * the phrases of each caption that agree most. Boxes without a label were found for their phrase, and stay.
 *
 * Unlike the rule `label`, which knows words, this one knows that "a puppy" is a dog.
 */
export function agreement(
  { min, best }: { readonly min: number; readonly best: boolean },
  embedder: TextEmbedder,
): ModelRule {
  return async (rows) => {
    const vectors = await vectorsOf(rows, embedder)
    const cosine = (a: string, b: string) =>
      dot(vectors.get(a) as Float32Array, vectors.get(b) as Float32Array)
    return rows.map(({ candidates, image: { phrases } }) => {
      const agreed = (label: string, phrase: number) => cosine(label, phrases[phrase].text)
      const most = new Map<string, number>()
      const placeOf = (label: string, phrase: number) => `${phrases[phrase].caption}/${label}`
      for (const { label, phrase } of candidates) {
        if (label === null) continue
        const place = placeOf(label, phrase)
        most.set(place, Math.max(most.get(place) ?? -1, agreed(label, phrase)))
      }
      return candidates.filter(({ label, phrase }) => {
        if (label === null) return true
        const value = agreed(label, phrase)
        return value >= min && (!best || value === most.get(placeOf(label, phrase)))
      })
    })
  }
}

async function vectorsOf(rows: readonly FilterRow[], embedder: TextEmbedder) {
  const texts = new Set<string>()
  for (const { candidates, image } of rows) {
    for (const { label, phrase } of candidates) {
      if (label === null) continue
      texts.add(label)
      texts.add(image.phrases[phrase].text)
    }
  }
  const list = [...texts]
  const vectors = await embedder.embed(list)
  return new Map(list.map((text, index) => [text, vectors[index]]))
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at] * b[at]
  return sum
}
