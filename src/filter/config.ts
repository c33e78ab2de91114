import { z } from 'zod'
import type { Rule } from './rule.js'
import { area } from './rules/area.js'
import { crossPhraseNms } from './rules/cross-phrase-nms.js'
import { imageGate } from './rules/image-gate.js'
import { label } from './rules/label.js'
import { maxBoxes } from './rules/max-boxes.js'
import { maxBoxesImage } from './rules/max-boxes-image.js'
import { nms } from './rules/nms.js'
import { score } from './rules/score.js'

const share = z.number().min(0).max(1)
const count = z.number().int().positive()

/** Each rule's parameters by its name, which is also the reason of what it drops. */
const ruleSchema = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('score'), min: share.describe('weakest score of a box') }),
  z.strictObject({ rule: z.literal('image_gate'), min: share.describe('score that one box must reach') }),
  z
    .strictObject({
      rule: z.literal('area'),
      min: share.default(0).describe('smallest share of the picture'),
      max: share.default(1).describe('largest share of the picture'),
    })
    .refine(({ min, max }) => min <= max, { error: 'min is above max: nothing would be kept' }),
  z.strictObject({
    rule: z.literal('nms'),
    iou: share.describe('overlap that two boxes of a phrase may have'),
  }),
  z.strictObject({
    rule: z.literal('cross_phrase_nms'),
    iou: share.describe('overlap that boxes of two phrases of a caption may have'),
  }),
  z.strictObject({
    rule: z.literal('label'),
    synonyms: z
      .record(z.string(), z.array(z.string()))
      .default({})
      .describe('further names of a label, such as person: [man, woman]'),
  }),
  z.strictObject({ rule: z.literal('max_boxes'), phrase: count.describe('most boxes of a phrase') }),
  z.strictObject({ rule: z.literal('max_boxes_image'), image: count.describe('most boxes of a picture') }),
])

export type RuleConfig = z.infer<typeof ruleSchema>

/** What is wrong for any score goes first, then the weak, then what says the same again, then what is too much. */
const defaultRules: RuleConfig[] = [
  { rule: 'area', min: 0.0005, max: 0.95 },
  { rule: 'score', min: 0.5 },
  { rule: 'nms', iou: 0.5 },
  { rule: 'max_boxes', phrase: 10 },
  { rule: 'max_boxes_image', image: 100 },
]

export const filterConfig = z.strictObject({
  rules: z.array(ruleSchema).default(defaultRules).describe('applied in this order'),
})

export type FilterConfig = z.infer<typeof filterConfig>

/** The rule that a configuration names. */
export function createRule(config: RuleConfig): Rule {
  switch (config.rule) {
    case 'score':
      return score(config)
    case 'image_gate':
      return imageGate(config)
    case 'area':
      return area(config)
    case 'nms':
      return nms(config)
    case 'cross_phrase_nms':
      return crossPhraseNms(config)
    case 'label':
      return label(config)
    case 'max_boxes':
      return maxBoxes(config)
    case 'max_boxes_image':
      return maxBoxesImage(config)
  }
}
