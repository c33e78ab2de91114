import { UserError } from '../../base/user-error.js'
import { imageProcessorConfig } from './hf-folder.js'
import type { ImageProcessor, Size } from './hf-image-processor.js'

type Triple = ImageProcessor['mean']

/**
 * A class of image processors of transformers, and what it has where a folder leaves a key out: transformers
 * itself takes these values then, and writes null for some of them (5.24, models/NAME/image_processing_NAME.py).
 */
export interface ProcessorClass {
  /** As `image_processor_type` names the class and those that do the same, without `ImageProcessor`. */
  readonly names: readonly string[]
  readonly size: ImageProcessor['size']
  /** What `size` means where it is one number: a square, or the shorter side. */
  readonly sizeOfNumber: 'square' | 'shortest'
  /**
   * Of classes that read `max_size`, the longer side's bound where `size` is one number: what it is where it
   * is left out.
   */
  readonly maxSize?: number
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

export const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const
export const clip = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const

/** DETR's class; those of its followers are copies of it. */
export const detrProcessor: ProcessorClass = {
  names: ['Detr', 'ConditionalDetr', 'DeformableDetr', 'GroundingDino'],
  size: { shortest: 800, longest: 1333 },
  sizeOfNumber: 'shortest',
  maxSize: 1333,
  resample: 2,
  normalise: true,
  ...imagenet,
  pads: true,
}

/**
 * Reads what a Hugging Face folder says of pictures: `image_processor` of `processor_config.json`, as
 * transformers 5 writes it, else `preprocessor_config.json`. Keys that are absent or null are as the class has
 * them.
 *
 * @throws UserError where there is neither, where it names another class, or asks for something that is not
 * done here
 */
export async function readImageProcessor(folder: string, family: ProcessorClass): Promise<ImageProcessor> {
  const said = await imageProcessorConfig(folder)
  checkClass(said, family)
  const { config } = said
  if (flag(said, 'do_center_crop', false) && !family.crop) refuse(said, 'do_center_crop')
  if (!flag(said, 'do_resize', true)) refuse(said, 'do_resize')
  if (flag(said, 'use_square_size', false)) refuse(said, 'use_square_size')
  const pads = flag(said, 'do_pad', family.pads || family.square !== undefined)
  if (family.square !== undefined && !pads) refuse(said, 'do_pad')
  const normalises = flag(said, 'do_normalize', family.normalise)
  // Early folders of OWL call it `rescale`.
  const rescales = flag(said, typeof config.rescale === 'boolean' ? 'rescale' : 'do_rescale', true)
  const size = config.size === undefined ? family.size : sizeOf(said, family)
  const padTo = pads && config.pad_size !== undefined ? bothSides(said, 'pad_size') : undefined
  return {
    size,
    ...(padTo && { padTo }),
    ...cropOf(said, family, size),
    resample: config.resample === undefined ? family.resample : resampleOf(said),
    rescale: rescales ? positive(said, 'rescale_factor', 1 / 255) : 1,
    mean: normalises ? triple(said, 'image_mean', family.mean) : [0, 0, 0],
    std: normalises ? triple(said, 'image_std', family.std) : [1, 1, 1],
    square: family.square === undefined ? undefined : share(said, 'pad_value', family.square),
  }
}

/** What a folder says, without nulls, and how messages name its keys. */
interface Said {
  readonly config: Readonly<Record<string, unknown>>
  /** File and key, as far as they are the same for all keys. */
  readonly place: string
}

function refuse({ config, place }: Said, key: string): never {
  throw new UserError(`${place}${key} is ${JSON.stringify(config[key])}, which groundmill does not do.`)
}

/** Names as `DetrImageProcessor`, `DetrImageProcessorFast`, `DetrImageProcessorPil`, `DetrFeatureExtractor`. */
function checkClass({ config, place }: Said, { names }: ProcessorClass): void {
  const key = config.image_processor_type === undefined ? 'feature_extractor_type' : 'image_processor_type'
  const type = config[key]
  // Where none is named, transformers takes the class of the folder's model_type.
  if (type === undefined) return
  const name = String(type).replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '')
  if (names.includes(name)) return
  throw new UserError(
    `${place}${key} is ${JSON.stringify(type)}; of this family pictures are read as ${names.map((own) => `${own}ImageProcessor`).join(' or ')} does it.`,
  )
}

function flag(said: Said, key: string, otherwise: boolean): boolean {
  const value = said.config[key] ?? otherwise
  return typeof value === 'boolean' ? value : refuse(said, key)
}

function positive(said: Said, key: string, otherwise: number): number {
  const value = said.config[key] ?? otherwise
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : refuse(said, key)
}

function share(said: Said, key: string, otherwise: number): number {
  const value = said.config[key] ?? otherwise
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : refuse(said, key)
}

/** One number for each channel, or one for all. */
function triple(said: Said, key: string, otherwise: Triple): Triple {
  const value = said.config[key] ?? otherwise
  const numbers: readonly unknown[] = Array.isArray(value) ? value : [value, value, value]
  const [red, green, blue, more] = numbers
  const isSound = (number: unknown): number is number =>
    typeof number === 'number' && Number.isFinite(number) && !(key === 'image_std' && number === 0)
  if (more !== undefined || !isSound(red) || !isSound(green) || !isSound(blue)) return refuse(said, key)
  return [red, green, blue]
}

function resampleOf(said: Said): ImageProcessor['resample'] {
  const { resample } = said.config
  return resample === 2 || resample === 3 ? resample : refuse(said, 'resample')
}

/** Sizes as they are written now, and as older files have them: one number, or a pair. */
function sizeOf(said: Said, { sizeOfNumber, maxSize }: ProcessorClass): ImageProcessor['size'] {
  const { size } = said.config
  if (sizeOfNumber === 'shortest' && isSide(size))
    return { shortest: size, longest: maxSize && positive(said, 'max_size', maxSize) }
  const { shortest_edge, longest_edge, max_height, max_width } = fieldsOf(size)
  if (isSide(shortest_edge))
    return longest_edge === undefined || isSide(longest_edge)
      ? { shortest: shortest_edge, longest: longest_edge }
      : refuse(said, 'size')
  if (isSide(max_height) && isSide(max_width)) return { maxHeight: max_height, maxWidth: max_width }
  return bothSides(said, 'size')
}

function cropOf(
  said: Said,
  { crop }: ProcessorClass,
  size: ImageProcessor['size'],
): { readonly crop?: Size } {
  if (!crop || !flag(said, 'do_center_crop', true)) return {}
  const wanted = said.config.crop_size === undefined ? crop : bothSides(said, 'crop_size')
  // What is beyond the picture would have to be padded.
  const shorter = 'shortest' in size ? size.shortest : 'width' in size ? Math.min(size.width, size.height) : 0
  return Math.max(wanted.width, wanted.height) > shorter ? refuse(said, 'crop_size') : { crop: wanted }
}

/** The side of a square, a pair of height and width, or both by their names. */
function bothSides(said: Said, key: string): Size {
  const value = said.config[key]
  const [height, width] = isSide(value)
    ? [value, value]
    : Array.isArray(value) && value.length === 2
      ? (value as unknown[])
      : [fieldsOf(value).height, fieldsOf(value).width]
  return isSide(height) && isSide(width) ? { height, width } : refuse(said, key)
}

const isSide = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
