import { z } from 'zod'
import type { Rule } from './rule.js'
import { area } from './rules/area.js'
import { imageGate } from './rules/image-gate.js'
import { maxBoxes } from './rules/max-boxes.js'
import { score } from './rules/score.js'
import { suppress } from './rules/suppress.js'

const share = z.number().min(0).max(1)
const count = z.number().int().positive()

/** Each rule's parameters by its name, which is also the reason of what it drops. */
const ruleSchema = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('score'), min: share }),
  z.strictObject({ rule: z.literal('image_gate'), min: share }),
  z.strictObject({ rule: z.literal('area'), min: share.default(0), max: share.default(1) }),
  z.strictObject({ rule: z.literal('nms'), iou: share }),
  z.strictObject({ rule: z.literal('cross_phrase_nms'), iou: share }),
  z.strictObject({ rule: z.literal('max_boxes'), phrase: count.default(100), image: count.default(1000) }),
])

export type RuleConfig = z.infer<typeof ruleSchema>

const defaultRules: RuleConfig[] = [
  { rule: 'area', min: 0.0005, max: 0.95 },
  { rule: 'score', min: 0.5 },
  { rule: 'nms', iou: 0.5 },
  { rule: 'max_boxes', phrase: 10, image: 100 },
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
      return suppress({ iou: config.iou, across: false })
    case 'cross_phrase_nms':
      return suppress({ iou: config.iou, across: true })
    case 'max_boxes':
      return maxBoxes(config)
  }
}
