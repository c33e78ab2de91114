import { z } from 'zod'

const whole = (least: number, most: number) => z.number().int().min(least).max(most)

/** Sides of inputs in pixels: the official networks have 1333, and a batch of floats must fit in memory. */
export const longestSide = 4096
const side = whole(1, longestSide)
const channels = whole(1, 8192)
const heads = whole(1, 256)
const blocks = whole(0, 64)
const width = whole(1, 65_536)
const triple = (number: z.ZodNumber) => z.tuple([number, number, number])
const share = z.number().min(0).max(1)

const stages = {
  widths: z.tuple([channels], channels).refine((widths) => widths.length <= 8, 'expected at most 8 stages'),
  depths: z.array(blocks).max(8),
}

/**
 * `config.json` of a model folder of this program's own. It comes with a model, from anybody, and says how
 * much memory is made ready. Numbers are bounded by a multiple of what the largest published network has; a key
 * that is not known is let be.
 */
export const glipConfigSchema = z
  .looseObject({
    model_type: z.literal('groundmill-glip'),
    preset: z.string().max(1000),
    image_size: side,
    image_sizes: z
      .array(z.tuple([side, side]))
      .min(1)
      .max(64)
      .optional(),
    image_resize: z.looseObject({ shortest_edge: side, longest_edge: side }).optional(),
    image_mean: triple(z.number().min(-1000).max(1000)),
    image_std: triple(z.number().positive().max(1000)),
    image_channels: z.enum(['rgb', 'bgr']),
    backbone: z.discriminatedUnion('kind', [
      z.looseObject({ kind: z.literal('conv'), patch: whole(1, 64), ...stages }),
      z.looseObject({
        kind: z.literal('swin'),
        patch: whole(1, 64),
        ...stages,
        heads: z.array(heads).max(8),
        window: whole(1, 64),
      }),
      z.looseObject({ kind: z.literal('resnet'), patch: z.literal(4), ...stages }),
    ]),
    fpn: z.looseObject({ channels, levels: whole(1, 8), extra_levels: whole(0, 4) }),
    text: z.looseObject({
      vocab_size: whole(1, 1_000_000),
      max_tokens: whole(2, 8192),
      positions: whole(1, 65_536).optional(),
      hidden: channels,
      layers: blocks,
      heads,
      intermediate: width,
    }),
    tower: z.discriminatedUnion('kind', [
      z.looseObject({ kind: z.literal('conv'), blocks }),
      z.looseObject({ kind: z.literal('dyhead'), blocks, groups: whole(1, 1024) }),
      z.looseObject({ kind: z.literal('decoder'), blocks, layers: blocks, heads, intermediate: width }),
    ]),
    fusion: z.looseObject({ embed: width, heads }).optional(),
    prompt: z.array(z.string().max(10_000)).max(10_000).optional(),
    selection: z
      .looseObject({ threshold: share, level_candidates: whole(1, 1_000_000), boxes: whole(1, 100_000) })
      .optional(),
    head: z.union(
      [
        z.looseObject({
          anchor_scale: z.number().positive().max(1024),
          box_edges: z.enum(['outer', 'pixel_centres']),
          contrastive: channels.optional(),
        }),
        z.looseObject({ queries: whole(1, 100_000), contrastive: channels.optional() }),
      ],
      { error: 'expected anchor_scale and box_edges, or queries, as numbers of a network' },
    ),
  })
  .superRefine((config, context) => {
    const wrong = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message })
    const { backbone, fpn, text } = config
    if (backbone.depths.length !== backbone.widths.length)
      wrong(['backbone', 'depths'], `expected one for each of ${backbone.widths.length} widths`)
    if (backbone.kind === 'swin' && backbone.heads.length !== backbone.widths.length)
      wrong(['backbone', 'heads'], `expected one for each of ${backbone.widths.length} widths`)
    if (fpn.levels > backbone.widths.length)
      wrong(['fpn', 'levels'], `expected no more than the backbone's ${backbone.widths.length} stages`)
    if (text.hidden % text.heads !== 0)
      wrong(['text', 'hidden'], `expected a multiple of ${text.heads} heads`)
    const step = backbone.patch * 2 ** (backbone.widths.length - 1)
    const isStep = (length: number) => length % step === 0
    if (!isStep(config.image_size)) wrong(['image_size'], `expected a multiple of ${step} pixels`)
    for (const [index, size] of (config.image_sizes ?? []).entries())
      if (!size.every(isStep)) wrong(['image_sizes', index], `expected multiples of ${step} pixels`)
  })
