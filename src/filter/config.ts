import { z } from 'zod'

const share = z.number().min(0).max(1)
const count = z.number().int().positive()
const folder = z.string().min(1)

/** Each rule's parameters by its name, which is also the reason of what it drops. */
export const ruleSchema = z.discriminatedUnion('rule', [
  z.strictObject({
    rule: z.literal('calibrate'),
    file: folder.describe(
      'what `groundmill calibrate` wrote; scores of later rules are shares of right boxes',
    ),
    any_teacher: z
      .boolean()
      .default(false)
      .describe('true: also for proposals of another teacher than the one that was measured'),
  }),
  z.strictObject({ rule: z.literal('score'), min: share.describe('weakest score of a box') }),
  z.strictObject({
    rule: z.literal('head_score'),
    min: share.describe('weakest score of a box of any other head noun'),
    heads: z.record(z.string(), share).describe('weakest score by head noun, such as person: 0.6'),
  }),
  z
    .strictObject({
      rule: z.literal('frequency_score'),
      bounds: z
        .tuple([z.number().int().min(0), z.number().int().min(0)])
        .default([10, 100])
        .describe('phrases of a head noun in the dataset up to which it is rare, and common'),
      rare: share,
      common: share,
      frequent: share,
    })
    .refine(({ bounds }) => bounds[0] <= bounds[1], { error: 'bounds: the first is above the second' }),
  z.strictObject({
    rule: z.literal('ladder'),
    passes: z
      .array(z.strictObject({ min: share, iou: share }))
      .min(1)
      .describe('each pass takes the phrases that those before it have not found')
      .refine((passes) => passes.every(({ min }, at) => at === 0 || min < passes[at - 1].min), {
        error: 'each pass must have a lower min than the one before: it would find nothing',
      }),
  }),
  z.strictObject({ rule: z.literal('image_gate'), min: share.describe('score that one box must reach') }),
  z
    .strictObject({
      rule: z.literal('area'),
      min: share.default(0).describe('smallest share of the picture'),
      max: share.default(1).describe('largest share of the picture'),
    })
    .refine(({ min, max }) => min <= max, { error: 'min is above max: nothing would be kept' }),
  z.strictObject({
    rule: z.literal('aspect'),
    max: z.number().min(1).describe('longer side, in times the shorter'),
  }),
  z.strictObject({
    rule: z.literal('border'),
    margin: z.number().min(0).default(1).describe('pixels within which an edge is touched'),
    sides: z.number().int().min(1).max(4).describe('edges that a box may not touch at once'),
  }),
  z.strictObject({
    rule: z.literal('label'),
    synonyms: z
      .record(z.string(), z.array(z.string()))
      .default({})
      .describe('further names of a label, such as person: [man, woman]'),
  }),
  z.strictObject({
    rule: z.literal('agreement'),
    model: folder.describe('folder of a text encoder in ONNX, such as a sentence transformer'),
    min: z.number().min(-1).max(1).describe('cosine of label and phrase'),
    best: z.boolean().default(true).describe('of the phrases of a caption only those that agree most'),
  }),
  z.strictObject({
    rule: z.literal('clip'),
    model: folder.describe('folder of CLIP in ONNX'),
    template: z
      .string()
      .includes('{}')
      .default('a photo of {}')
      .describe('the text that is compared; {} is the phrase'),
    min: share.describe('weakest score afterwards, which is sqrt(score x CLIP)'),
  }),
  z.strictObject({
    rule: z.literal('negative'),
    iou: share.default(0.5).describe('overlap with a better box of a negative prompt'),
    phrases: z
      .array(z.string())
      .default([])
      .describe("texts and head nouns of captions that count as negatives, besides the teacher's own"),
  }),
  z.strictObject({
    rule: z.literal('nms'),
    iou: share.describe('overlap that two boxes of a phrase may have'),
  }),
  z.strictObject({
    rule: z.literal('soft_nms'),
    method: z.enum(['gaussian', 'linear']).default('gaussian'),
    sigma: z.number().positive().default(0.5).describe('of the gaussian: larger lowers scores less'),
    iou: share.default(0.3).describe('overlap from which the linear one lowers scores'),
    min: share.describe('weakest score afterwards'),
  }),
  z.strictObject({
    rule: z.literal('cross_phrase_nms'),
    iou: share.describe('overlap that boxes of two phrases of a caption may have'),
  }),
  z.strictObject({
    rule: z.literal('duplicate'),
    iou: share.default(0.9).describe('overlap that boxes of the same words in a caption may have'),
  }),
  z.strictObject({
    rule: z.literal('nested'),
    iou: share.default(0.9).describe('overlap from which a phrase within a phrase names the same'),
    keep: z.enum(['outer', 'inner']).default('outer').describe('the longer phrase or the shorter'),
  }),
  z.strictObject({
    rule: z.literal('number'),
    fewer: z.enum(['drop', 'keep']).default('drop').describe('phrases with fewer boxes than they say'),
    more: z.enum(['best', 'keep']).default('best').describe('phrases with more'),
    singular: z.boolean().default(false).describe('whether "a dog" says one'),
  }),
  z
    .strictObject({
      rule: z.literal('phrase_recall'),
      min: share.default(0.1).describe("share of a caption's phrases that must have a box"),
      max: share.default(1),
    })
    .refine(({ min, max }) => min <= max, { error: 'min is above max: nothing would be kept' }),
  z.strictObject({ rule: z.literal('max_boxes'), phrase: count.describe('most boxes of a phrase') }),
  z.strictObject({ rule: z.literal('max_boxes_image'), image: count.describe('most boxes of a picture') }),
])

export type RuleConfig = z.infer<typeof ruleSchema>

export const ruleNames: readonly string[] = ruleSchema.options.map(({ shape }) => shape.rule.value)

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
  box_loss: z
    .boolean()
    .default(true)
    .describe('false: what is kept trains words only, and no box regression'),
})

export type FilterConfig = z.infer<typeof filterConfig>

/** Keys that do not change what is kept: `box_loss` is for the train stage to read. */
export const filterNotHashed = ['box_loss'] as const
