import { z } from 'zod'
import { deviceChoice } from '../graph/device-choice.js'
import { askedParts } from '../words/asked-span.js'
import { templatesSchema } from '../words/prompt-templates.js'
import { tilesConfig } from './in-tiles.js'

/**
 * How a network that takes pictures of several sizes is shown one: padded as the official code pads it, or on the
 * nearest of the sizes that the model has files for.
 */
const sizeMode = z.enum(['exact', 'fast'])
export type SizeMode = z.infer<typeof sizeMode>

/** Keys of every stage that opens a model. */
export const sessionKeys = {
  device: z
    .union([deviceChoice, z.array(deviceChoice).min(1)])
    .default('cpu')
    .describe('where the model runs: cpu, cuda, cuda:1 (the second card), webgpu, auto, or a list of them'),
  sessions: z
    .number()
    .int()
    .positive()
    .default(1)
    .describe('sessions on each device; each has its own copy of the model'),
  threads: z.number().int().min(0).default(0).describe('threads of a session; 0: as onnxruntime chooses'),
  file: z
    .string()
    .optional()
    .describe(
      'ONNX file of a Hugging Face folder, such as model_quantized; else model, or model_fp16 on a GPU',
    ),
  batch: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('pictures in a run, where the model leaves it open; else 1'),
  open_sizes: z
    .number()
    .int()
    .positive()
    .default(2)
    .describe('input sizes of a model that has several, whose sessions stay open at once'),
  // Without a default: what does not name it stays what it is.
  sizes: sizeMode
    .optional()
    .describe(
      'of a model that has several: exact pads a picture as the official code does, fast to the nearest of them; evaluate and benchmark are exact, others fast',
    ),
}

export const teachConfig = z
  .strictObject({
    model: z
      .string()
      .optional()
      .describe(
        'a model folder, an export of Ultralytics (.onnx), the file of a teacher of your own, or the name of a train stage; else the train stage it needs',
      ),
    floor: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('score under which boxes are not kept: the filter decides on the rest'),
    nms: z
      .number()
      .min(0)
      .max(1)
      .default(0.6)
      .describe('overlap (IoU) over which boxes of one phrase are one'),
    max_boxes: z.number().int().positive().default(20).describe('boxes of one phrase at most'),
    ask: z
      .enum(askedParts)
      .default('phrase')
      .describe(
        'words that stand for a phrase: all of it, with the tail that tells it from others (expression), or from its first attribute on (attributes)',
      ),
    negatives: z
      .array(z.string().min(1))
      .optional()
      .describe(
        "what is asked for in every picture as well, such as a logo: the filter's rule negative reads it",
      ),
    contrast: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe(
        "other values that each colour, size and place of a phrase is asked with as well, for the filter's rule contrast; else none",
      ),
    tiles: tilesConfig.optional(),
    templates: templatesSchema
      .optional()
      .describe(
        'of a teacher that reads phrases as CLIP does (OWL-ViT, OWLv2, YOLO-World with its text model): texts in which each is asked for, such as ["a photo of a {}"], or best, the seven that CLIP does best with; the logits are averaged, of YOLO-World the embeddings. Else the phrase alone',
      ),
    ...sessionKeys,
  })
  .describe('asks a model for boxes of every phrase: proposals')

export type TeachConfig = z.infer<typeof teachConfig>

/** Keys that change how fast, never what comes out. */
export const teachNotHashed = ['threads', 'device', 'sessions', 'open_sizes'] as const
