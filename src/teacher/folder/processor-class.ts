import type { ImageProcessor, Size } from './hf-image-processor.js'

type Triple = ImageProcessor['mean']

/**
 * A class of image processors of transformers, and what it has where a folder leaves a key out: transformers
 * itself takes these values then (5.24, models/NAME/image_processing_NAME.py).
 */
export interface ProcessorClass {
  /** As `image_processor_type` names the class and those that do the same, without `ImageProcessor`. */
  readonly names: readonly string[]
  readonly size: ImageProcessor['size']
  /** What `size` means where it is one number: a square, or the shorter side. */
  readonly sizeOfNumber: 'square' | 'shortest'
  /**
   * The longer side's bound where `size` is one number and `max_size` is left out; none in classes whose
   * shorter side may stand alone.
   */
  readonly maxSize?: number
  /** Whether the shorter side needs a bound for the longer one. */
  readonly needsLongest: boolean
  /** Set where the class cuts the middle out unless it is told not to. */
  readonly crop?: Size
  readonly resample: ImageProcessor['resample']
  /** Whether pictures are normalised where `do_normalize` is left out. */
  readonly normalise: boolean
  readonly mean: Triple
  readonly std: Triple
  /** Whether pictures are padded to `pad_size` where `do_pad` is left out. */
  readonly pads: boolean
  /** Of classes that put pictures on a square first (OWLv2): its colour where `pad_value` is left out. */
  readonly square?: number
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const
const clip = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const

/** DETR's class; those of its followers are copies of it. */
export const detrProcessor: ProcessorClass = {
  names: ['Detr', 'ConditionalDetr', 'DeformableDetr', 'GroundingDino'],
  size: { shortest: 800, longest: 1333 },
  sizeOfNumber: 'shortest',
  maxSize: 1333,
  needsLongest: true,
  resample: 2,
  normalise: true,
  ...imagenet,
  pads: true,
}

/** RT-DETR's, of both versions. */
export const rtDetrProcessor: ProcessorClass = {
  names: ['RTDetr'],
  size: { width: 640, height: 640 },
  sizeOfNumber: 'shortest',
  needsLongest: true,
  resample: 2,
  normalise: false,
  ...imagenet,
  pads: false,
}

export const owlVitProcessor: ProcessorClass = {
  names: ['OwlViT'],
  size: { width: 768, height: 768 },
  sizeOfNumber: 'square',
  needsLongest: false,
  resample: 3,
  normalise: true,
  ...clip,
  pads: false,
}

/**
 * OWLv2's. The square is grey, as the checkpoints were trained. Hugging Face's processors have used 0.5 and 0
 * in turn, and write neither down: `pad_value` in the folder's configuration decides.
 */
export const owlv2Processor: ProcessorClass = {
  ...owlVitProcessor,
  names: ['Owlv2'],
  size: { width: 960, height: 960 },
  resample: 2,
  square: 0.5,
}

/** SAM 3's. What it says of masks is not read. */
export const samProcessor: ProcessorClass = {
  names: ['Sam3'],
  size: { width: 1008, height: 1008 },
  sizeOfNumber: 'square',
  needsLongest: true,
  resample: 2,
  normalise: true,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  pads: false,
}

export const clipProcessor: ProcessorClass = {
  names: ['CLIP'],
  size: { shortest: 224, longest: undefined },
  sizeOfNumber: 'shortest',
  needsLongest: false,
  crop: { width: 224, height: 224 },
  resample: 3,
  normalise: true,
  ...clip,
  pads: false,
}
