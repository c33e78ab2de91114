import { z } from 'zod'

const count = z.number().int().positive()
const share = z.number().min(0).max(1)

/** How a network is trained to judge boxes. */
export const judgeConfig = z
  .strictObject({
    steps: count.default(1200).describe('optimizer steps'),
    batch: count.default(96).describe('boxes of a step, twelve of a picture'),
    learning_rate: z.number().positive().default(2e-3).describe('step size of AdamW after the warm-up'),
    warmup: z.number().int().min(0).default(100).describe('steps in which the learning rate rises from 0'),
    weight_decay: z.number().min(0).default(0.02).describe('AdamW: share of weights taken away at each step'),
    vocabulary_size: z
      .number()
      .int()
      .min(2)
      .default(4000)
      .describe('words of gold that are known at most; all others are one word'),
    unknown: share
      .default(0.15)
      .describe('share of phrases whose noun is hidden in training: what no gold names comes so'),
    pictures: count
      .default(20_000)
      .describe('pictures that are trained on at most, drawn where there are more'),
    hold_out: z
      .number()
      .min(0.02)
      .max(0.5)
      .default(0.15)
      .describe('share of the pictures that are kept back, to calibrate and to measure on'),
    license: z
      .string()
      .default('unknown')
      .describe("licence of the model for its card, as Hugging Face's identifiers"),
    seed: z.number().int().default(1).describe('seed of the first weights and of all that is drawn'),
    threads: z.number().int().min(0).default(0).describe('threads of a session; 0: as onnxruntime chooses'),
    checkpoint_every: count
      .default(200)
      .describe(
        'steps between two checkpoints, from which an interrupted training goes on; one is also written after a minute, or as seldom as takes a twentieth of the time',
      ),
  })
  .describe('trains a small network on gold that tells right boxes from wrong ones')

export type JudgeConfig = z.infer<typeof judgeConfig>

/** Keys that change how fast or what the card says, never what comes out. */
export const judgeNotHashed = ['threads', 'checkpoint_every', 'license'] as const
