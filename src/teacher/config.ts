import { z } from 'zod'

export const teachConfig = z.strictObject({
  model: z
    .string()
    .optional()
    .describe('a model folder or the name of a train stage; else the train stage it needs'),
  floor: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('weaker boxes are not kept: the filter decides on the rest'),
  nms: z.number().min(0).max(1).default(0.6).describe('boxes of one phrase that overlap more are one'),
  max_boxes: z.number().int().positive().default(20).describe('boxes of one phrase'),
  threads: z.number().int().min(0).default(0).describe('0: as onnxruntime chooses'),
})

export type TeachConfig = z.infer<typeof teachConfig>

/** Keys that change how fast, never what comes out. */
export const teachNotHashed = ['threads'] as const
