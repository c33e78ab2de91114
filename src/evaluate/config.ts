import { z } from 'zod'
import { sessionKeys } from '../teacher/config.js'

export const evaluateConfig = z
  .strictObject({
    model: z
      .string()
      .optional()
      .describe('a model folder or the name of a train stage; else the train stage it needs'),
    unseen_in: z.string().optional().describe('a dataset: only categories that it never names count in AP'),
    names_a_prompt: z.number().int().positive().default(12).describe('category names asked at once'),
    floor: z.number().min(0).max(1).default(0.01).describe('score under which boxes do not count'),
    presence_score: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('cgF1: a box of at least this score says that a category is in the picture'),
    nms: z
      .number()
      .min(0)
      .max(1)
      .default(0.6)
      .describe('overlap (IoU) over which boxes of one phrase or category are one'),
    max_boxes: z
      .number()
      .int()
      .positive()
      .default(100)
      .describe('boxes of a phrase or category in a picture at most'),
    // Without a default: evaluations of configurations that do not name it stay what they are.
    attributes: z
      .boolean()
      .optional()
      .describe('whether phrases with a colour, size, number or place are also asked with another value'),
    ...sessionKeys,
  })
  .describe('scores a model on a held-out set: AP by category, recall of phrases')

export type EvaluateConfig = z.infer<typeof evaluateConfig>

/** Keys that change how fast, never what comes out. */
export const evaluateNotHashed = ['threads', 'device', 'sessions', 'open_sizes'] as const
