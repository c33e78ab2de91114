import { shownValue } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { imageProcessorConfig } from './hf-folder.js'
import type { ImageProcessor, Size } from './hf-image-processor.js'
import type { ProcessorClass } from './processor-class.js'

type Triple = ImageProcessor['mean']

/**
 * Reads what a Hugging Face folder says of pictures: `image_processor` of `processor_config.json`, as
 * transformers 5 writes it, else `preprocessor_config.json`. Keys that are absent are as the class has them.
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
  // transformers refuses each picture that is larger than what it is to be padded to.
  if (padTo && !isRoomFor(size, padTo)) refuse(said, 'pad_size')
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

/** What a folder says, and how messages name its keys. */
interface Said {
  readonly config: Readonly<Record<string, unknown>>
  /** File and key, as far as they are the same for all keys. */
  readonly place: string
}

function refuse({ config, place }: Said, key: string): never {
  throw new UserError(`${place}${key} is ${shownValue(config[key])}, which groundmill does not do.`)
}

/** Names are as `DetrImageProcessor`, `DetrImageProcessorFast` or `-Pil`, and `DetrFeatureExtractor`. */
function checkClass({ config, place }: Said, { names }: ProcessorClass): void {
  const key = config.image_processor_type === undefined ? 'feature_extractor_type' : 'image_processor_type'
  const type = config[key]
  // Where none is named, transformers takes the class of the folder's model_type.
  if (type === undefined) return
  const name = String(type).replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '')
  if (names.includes(name)) return
  throw new UserError(
    `${place}${key} is ${shownValue(type)}; of this family pictures are read as ${names.map((own) => `${own}ImageProcessor`).join(' or ')} does it.`,
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
function sizeOf(said: Said, family: ProcessorClass): ImageProcessor['size'] {
  const { size } = said.config
  if (isSide(size) && family.sizeOfNumber === 'shortest') {
    const longest = family.maxSize && positive(said, 'max_size', family.maxSize)
    return longest === undefined && family.needsLongest ? refuse(said, 'size') : { shortest: size, longest }
  }
  const { shortest_edge: shortest, longest_edge: longest, max_height, max_width } = fieldsOf(size)
  if (isSide(shortest) && isSide(longest)) return { shortest, longest }
  if (isSide(shortest) && longest === undefined && !family.needsLongest)
    return { shortest, longest: undefined }
  if (isSide(max_height) && isSide(max_width)) return { maxHeight: max_height, maxWidth: max_width }
  return bothSides(said, 'size')
}

/** Whether a picture of usual shape fits, so far as its size is known. */
function isRoomFor(size: ImageProcessor['size'], { width, height }: Size): boolean {
  if ('width' in size) return size.width <= width && size.height <= height
  return !('shortest' in size) || size.shortest <= Math.min(width, height)
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

/** No network is shown larger pictures, and one of its inputs would not fit in memory. */
const longestSide = 16_384

const isSide = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= longestSide

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
