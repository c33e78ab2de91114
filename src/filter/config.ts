import { z } from 'zod'
import { label } from './rules/label.js'
import { type RuleConfig, ruleSchema } from './rules.js'

/**
 * Boxes that are wrong whatever their score go first, then weak ones, then duplicates, then those beyond a
 * limit.
 */
const defaultRules: RuleConfig[] = [
  { rule: 'area', min: 0.0005, max: 0.95 },
  { rule: 'score', min: 0.5 },
  { rule: 'nms', iou: 0.5 },
  { rule: 'max_boxes', phrase: 10 },
  { rule: 'max_boxes_image', image: 100 },
]

/**
 * For proposals without a grounding: the default rules, after the one that reads the labels of a detector
 * with a fixed list.
 */
export const proposalRules: readonly RuleConfig[] = [
  label.schema.parse({ rule: label.name }),
  ...defaultRules,
]

export const filterConfig = z
  .strictObject({
    rules: z.array(ruleSchema).default(defaultRules).describe('applied in this order'),
    box_loss: z
      .boolean()
      .default(true)
      .describe('false: what is kept trains words only, and no box regression'),
  })
  .describe('keeps the proposals that pass its rules: a grounding')

export type FilterConfig = z.infer<typeof filterConfig>

/** Keys that do not change what is kept: `box_loss` is for the train stage to read. */
export const filterNotHashed = ['box_loss'] as const
