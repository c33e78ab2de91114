import { z } from 'zod'
import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { deviceChoice } from '../graph/device-choice.js'
import { stageName } from '../rows/stage-name.js'
import { askedParts } from '../words/asked-span.js'
import { augmentConfig } from './examples/augment-config.js'

const count = z.number().int().positive()
const share = z.number().min(0).max(1)
const weight = z.number().min(0)

const lossConfig = z.strictObject({
  classification: weight.default(1).describe('weight of the focal loss of region-word alignment'),
  regression: weight.default(1).describe('weight of the losses of boxes: GIoU (twice) and centerness'),
  grounding: weight.default(0.2).describe('weight of soft token prediction'),
  contrastive: weight
    .default(0.2)
    .describe('weight of contrastive alignment of regions and words; no term for a preset without that head'),
  // Without a default: trainings that do not name it stay what they are.
  auxiliary: weight
    .optional()
    .describe(
      'weight of the same losses of each earlier layer of the decoder, in times those of the last: 1 in DETR; else none. For presets with queries',
    ),
})

const rate = z.number().min(0).lt(1)

/** See `DropRates`. */
const dropConfig = z.strictObject({
  path: rate
    .default(0)
    .describe('stochastic depth of the Swin backbone: share of samples that skip the last block'),
  dropout: rate
    .default(0)
    .describe('share of values dropped in text layers and in the attention of the fusion'),
  block: rate.default(0).describe("share of the pyramid's maps that DropBlock drops"),
})

/** Pixels of a side of the input. No network here is trained on larger ones, and anchors of them fill the memory. */
const side = count.max(8192)

const multiScaleConfig = z
  .strictObject({
    sizes: z
      .array(side)
      .min(1)
      .max(100)
      .describe('sides of the square input in pixels, each as likely as the others'),
    every: count.default(10).describe('steps of one size before the next is drawn'),
  })
  .describe('multi-scale training: steps are of pictures of several sizes; the model stays one of image_size')

const plateauConfig = z
  .strictObject({
    patience: z
      .number()
      .int()
      .min(0)
      .default(3)
      .describe('validations without a better metric that are waited for; the rate falls at the next one'),
    factor: z.number().gt(0).lt(1).default(0.1).describe('what the learning rate is multiplied by'),
    min_rate: weight.default(0).describe('learning rate below which it does not fall'),
  })
  .describe('schedule: plateau: when the learning rate falls, as ReduceLROnPlateau of PyTorch does it')

/** The plateau that a configuration asks for. */
export const plateauOf = ({ plateau }: TrainConfig) => plateau ?? plateauConfig.parse({})

/** Metrics of a validation, of which one decides. */
export const validationMetrics = ['ap', 'ap50', 'ap75', 'recall1', 'recall5', 'recall10'] as const

const validateConfig = z
  .strictObject({
    set: z.string().describe('the held-out dataset, among the stages that are needed'),
    every: count.optional().describe('steps from one validation to the next; else an epoch'),
    metric: z.enum(validationMetrics).optional().describe('the score that decides; else ap'),
    names_a_prompt: count.optional().describe('category names asked at once; else 12'),
  })
  .describe('scores the model on a held-out dataset while it is trained, and keeps the best one')

const earlyStopConfig = z
  .strictObject({
    patience: count.default(8).describe('validations in a row that are worse than the best one'),
  })
  .describe('ends the training where no validation has been as good as the best for long')

const tuneConfig = z
  .enum(['full', 'prompt'])
  .default('full')
  .describe(
    'what is trained. full: all weights; prompt: only an offset on the embeddings of one prompt of all category names',
  )

export const trainConfig = z
  .strictObject({
    preset: z.string().default('toy').describe('the network: toy, toy-r50, glip-t, glip-l or glip-r50'),
    image_size: side.optional().describe('pixels of the square input; the preset decides otherwise'),
    multi_scale: multiScaleConfig.optional(),
    open_sizes: count
      .optional()
      .describe('sizes of multi_scale whose graphs stay open at once, each with memory of its own; else 2'),
    max_tokens: count.optional().describe('tokens of a prompt; the preset decides otherwise'),
    init: z
      .string()
      .optional()
      .describe('a model folder, a folder of imported weights or the name of a train stage to start from'),
    license: z
      .string()
      .default('unknown')
      .describe("licence of the model for its card, as Hugging Face's identifiers"),
    vocabulary: z
      .array(z.string())
      .default([])
      .describe('further datasets whose captions make the vocabulary'),
    vocabulary_size: count
      .default(4000)
      .describe('word pieces of the tokenizer at most, where it is made anew'),
    tune: tuneConfig,
    freeze: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'beginnings of names of parameters that stay as they start, such as backbone. or language_backbone.',
      ),
    shots: count
      .optional()
      .describe('pictures that show each category, for few-shot training; all otherwise'),
    shot_seed: z
      .number()
      .int()
      .default(3)
      .describe('seed of which pictures these are; the paper takes 3, 30 and 300'),
    steps: count.optional().describe('optimizer steps at most; 1000 where no epochs are given'),
    epochs: z
      .number()
      .positive()
      .optional()
      .describe('passes over the data: one is as many pictures as all sources have together'),
    batch: count.default(16).describe('pictures of a step'),
    micro_batch: count
      .optional()
      .describe(
        'pictures that are computed at once, a divisor of batch: fewer need less memory; all otherwise',
      ),
    max_boxes: count
      .default(100)
      .describe('boxes of a sample; of more the last are dropped, and their phrases are no negatives there'),
    learning_rate: z.number().positive().default(1e-3).describe('step size of AdamW after the warm-up'),
    language_rate: weight
      .default(1)
      .describe("learning rate of the text encoder, in times learning_rate; GLIP's recipe has 0.1"),
    bias_rate: weight
      .default(1)
      .describe("learning rate of biases, in times learning_rate; GLIP's recipe has 2"),
    warmup: z.number().int().min(0).default(50).describe('steps in which the learning rate rises from 0'),
    schedule: z
      .enum(['cosine', 'step', 'plateau'])
      .default('cosine')
      .describe(
        'how the learning rate falls: as half a cosine to 0, in steps, to a tenth at 67 % and again at 89 %, or where validations get no better',
      ),
    plateau: plateauConfig.optional(),
    validate: validateConfig.optional(),
    early_stop: earlyStopConfig.optional(),
    beta1: share.default(0.9).describe('AdamW: share that the mean of gradients keeps at each step'),
    beta2: share.default(0.99).describe('AdamW: share that the mean of squared gradients keeps at each step'),
    epsilon: z
      .number()
      .positive()
      .default(1e-8)
      .describe('AdamW: what is added to the root of squared gradients'),
    weight_decay: weight
      .default(0.01)
      .describe('AdamW: share of weights taken away, in times the learning rate, at each step'),
    clip_norm: z
      .number()
      .positive()
      .default(1)
      .describe('norm of all gradients over which they are scaled down'),
    ema: share.default(0.99).describe('share that the averaged weights, which are saved, keep at each step'),
    temperature: z.number().positive().default(0.07).describe('temperature of the contrastive loss'),
    loss: lossConfig
      .default(lossConfig.parse({}))
      .describe('weights of the terms of the loss; 0 leaves one out'),
    augment: augmentConfig
      .default(augmentConfig.parse({}))
      .describe('how a sample is changed each time that it is drawn'),
    drop: dropConfig
      .default(dropConfig.parse({}))
      .describe(
        'what the network loses at random while it is trained; officially path 0.2, dropout 0.1, block 0.3',
      ),
    words: z
      .enum(askedParts)
      .default('phrase')
      .describe(
        'words that name a box of a phrase: all of it, with the tail that tells it from others (expression), or from its first attribute on (attributes)',
      ),
    mix: z
      .union([z.literal('size'), z.record(z.string(), z.number().positive())])
      .default({})
      .describe('weight of each source in a batch; 1 otherwise. size: as many as it has pictures'),
    box_loss: z
      .record(z.string(), z.boolean())
      .default({})
      .describe('false: boxes of that source do not train regression'),
    weigh_by: stageName
      .optional()
      .describe(
        'a stage of verdicts, among those that are needed: a box counts in the losses as much as it is likely to be right, and a phrase that misses a box does not count around it',
      ),
    mend: z
      .boolean()
      .optional()
      .describe(
        'with weigh_by: a box is taken where its verdict has drawn it anew, and one that is missing is added, each counting as much as it is likely to be right (false)',
      ),
    seed: z
      .number()
      .int()
      .default(1)
      .describe('seed of the first weights, the order of samples and their changes'),
    device: deviceChoice
      .default('cpu')
      .describe('where the model is trained: cpu, cuda, cuda:1 (the second card), webgpu or auto'),
    threads: z.number().int().min(0).default(0).describe('threads of a session; 0: as onnxruntime chooses'),
    checkpoint_every: count
      .default(200)
      .describe(
        'steps between two checkpoints, from which an interrupted training goes on; one is also written after a minute, or as seldom as takes a twentieth of the time',
      ),
  })
  .describe('trains a model on groundings')

export type TrainConfig = z.infer<typeof trainConfig>

/** A training whose length is known. */
export type TrainRun = TrainConfig & { readonly steps: number }

/** Throws a UserError where validations are to decide, and nothing is validated on. */
export function checkValidated({ schedule, plateau, validate, early_stop: stop }: TrainConfig): void {
  if (plateau && schedule !== 'plateau')
    throw new UserError(`plateau: the schedule is ${shownValue(schedule)}: say \`schedule: plateau\` too.`)
  const asking = schedule === 'plateau' ? 'schedule: plateau' : stop ? 'early_stop' : undefined
  if (asking !== undefined && !validate)
    throw new UserError(
      `${asking}: what decides are validations: name a held-out dataset, \`validate: { set: NAME }\`.`,
    )
}

/** @param pictures of one epoch */
export function stepsOf({ steps, epochs, batch }: TrainConfig, pictures: number): number {
  if (epochs === undefined) return steps ?? 1000
  return Math.min(steps ?? Number.POSITIVE_INFINITY, Math.ceil((epochs * pictures) / batch))
}

/**
 * In how many parts a batch is computed.
 *
 * @throws UserError where they are not equal
 */
export function partsOf({ batch, micro_batch = batch }: Pick<TrainConfig, 'batch' | 'micro_batch'>): number {
  if (batch % micro_batch !== 0)
    throw new UserError(`micro_batch: ${micro_batch} does not divide the batch of ${batch}.`)
  return batch / micro_batch
}

/** Keys that change how fast or what the card says, never what comes out. */
export const trainNotHashed = ['threads', 'device', 'checkpoint_every', 'license', 'open_sizes'] as const
