import { z } from 'zod'
import { otherLabelMatcher } from '../../words/label-matches.js'
import { byLabels, labelsFor } from '../rule/by-labels.js'
import { filterRule } from '../rule/filter-rule.js'
import { path } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'
import type { Candidate, FilterRow } from '../rule/rule.js'
import type { TextEmbedder } from '../rule/rule-tools.js'

/**
 * Language agreement, for detectors with a fixed list of labels, which propose every box for every phrase:
 * keeps a box for a phrase where the embeddings of its label and of the phrase have a cosine of at least
 * `min`, and with `best` only for the phrases of each caption that agree most. Boxes without a label were
 * found for their phrase, and stay.
 *
 * A phrase that one label of the detector names is not agreed with by another that ends in the same noun,
 * whatever the cosine: "a hot dog" by "dog", "a dog" by "hot dog".
 *
 * Unlike the rule `label`, which knows words, this one knows that "a puppy" is a dog.
 */
export const agreement = filterRule({
  name: 'agreement',
  schema: z
    .strictObject({
      rule: z.literal('agreement'),
      model: path.describe('folder of a text encoder in ONNX, such as a sentence transformer'),
      min: z.number().min(-1).max(1).describe('least cosine of the embeddings of label and phrase'),
      best: z.boolean().default(true).describe('of the phrases of a caption only those that agree most'),
    })
    .describe(
      'of a detector with a fixed list of labels, keeps boxes whose label means what the phrase says, by a text encoder',
    ),
  looksAt: ({ best }) => (best ? 'all' : 'itself'),
  rescores: false,
  reads: ['labels'],
  asks: { tools: 'embedders', path: ({ model }) => model, checkTeacher: null },
  create({ min, best }, embedder) {
    const matcherOf = byLabels(otherLabelMatcher)
    return async (rows) => {
      const vectors = await vectorsOf(rows, embedder)
      const cosine = (a: string, b: string) =>
        dot(vectors.get(a) as Float32Array, vectors.get(b) as Float32Array)
      return rows.map(({ candidates, image }) => {
        const agreementOf = (label: string, box: Candidate) => {
          const phrase = phraseOf(image, box)
          return matcherOf(labelsFor(image, box))(label, phrase) ? -1 : cosine(label, phrase.text)
        }
        // By caption and label, the highest agreement of a phrase.
        const highest = new Map<string, number>()
        const keyOf = (label: string, box: Candidate) => `${phraseOf(image, box).caption}/${label}`
        for (const box of candidates) {
          if (box.label === null) continue
          const key = keyOf(box.label, box)
          highest.set(key, Math.max(highest.get(key) ?? -1, agreementOf(box.label, box)))
        }
        return candidates.filter((box) => {
          if (box.label === null) return true
          const value = agreementOf(box.label, box)
          return value > -1 && value >= min && (!best || value === highest.get(keyOf(box.label, box)))
        })
      })
    }
  },
})

async function vectorsOf(rows: readonly FilterRow[], embedder: TextEmbedder) {
  const texts = new Set<string>()
  for (const { candidates, image } of rows) {
    for (const box of candidates) {
      if (box.label === null) continue
      texts.add(box.label)
      texts.add(phraseOf(image, box).text)
    }
  }
  const list = [...texts]
  const vectors = await embedder.embed(list)
  return new Map(list.map((text, index) => [text, vectors[index] as Float32Array]))
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number)
  return sum
}
