import { z } from 'zod'
import { fillTemplate, templatesOf, templatesSchema } from '../../words/prompt-templates.js'
import { filterRule } from '../rule/filter-rule.js'
import { namedText } from '../rule/named-span.js'
import { path, share } from '../rule/parameters.js'
import { rescored } from '../rule/rescored.js'
import type { Candidate } from '../rule/rule.js'

/**
 * Region-text re-score (YOLO-World): the score becomes sqrt(score x CLIP's), where CLIP compares what the box
 * cuts out of the picture with the phrase; what falls under `min` is dropped. Put it after the rules that
 * drop most boxes: each box that reaches it is one run of CLIP's picture encoder.
 */
export const clip = filterRule({
  name: 'clip',
  schema: z
    .strictObject({
      rule: z.literal('clip'),
      model: path.describe('folder of CLIP in ONNX'),
      template: z
        .string()
        .includes('{}')
        .default('a photo of {}')
        .describe('the text that is compared; {} is the phrase'),
      templates: templatesSchema
        .optional()
        .describe(
          'several such texts in its place, whose embeddings are averaged: a list, or best, the seven that CLIP does best with',
        ),
      min: share.describe("weakest score that a box may have afterwards, which is sqrt(score x CLIP's)"),
    })
    .describe(
      "scores boxes anew by how well CLIP finds the phrase in them, and drops weak ones; one run of CLIP's encoder a box",
    ),
  looksAt: 'itself',
  rescores: true,
  reads: ['pictures'],
  asks: { tools: 'scorers', path: ({ model }) => model, checkTeacher: null },
  create({ min, template, templates }, scorer) {
    const all = templatesOf(templates) ?? [template]
    return async (rows) => {
      const changed: Candidate[][] = []
      for (const { candidates, image } of rows) {
        const { bytes } = image
        if (candidates.length > 0 && !bytes) throw new Error('the rule clip was given no picture')
        const regions = candidates.map((box) => ({
          xyxy: box.xyxy,
          texts: all.map((one) => fillTemplate(one, namedText(image, box))),
        }))
        const fits = regions.length > 0 ? await scorer.score(bytes as Uint8Array, regions, image.key) : []
        changed.push(
          candidates
            .map((box, index) => rescored(box, (score) => Math.sqrt(score * (fits[index] as number))))
            .filter(({ score }) => score >= min),
        )
      }
      return changed
    }
  },
})
