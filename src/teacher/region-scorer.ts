import { join } from 'node:path'
import { nameList, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { floats, longs, Session, type Value } from '../graph/session.js'
import { localModelFolder, requireOnnx } from '../model/fetch-onnx.js'
import { hashModelFiles } from '../model/hash-model-files.js'
import { cutPicture } from '../pictures/cut-picture.js'
import { decodePicture, type Picture } from '../pictures/picture.js'
import { checkOnnxFile } from '../weights/check-onnx-file.js'
import { cachedEmbeddings } from './folder/cached-embeddings.js'
import { type QueryTokenizer, readClipTokenizer } from './folder/clip-tokenizer.js'
import { configFiles, countIn, modelFile, requireJson, weightFiles } from './folder/hf-folder.js'
import { type ImageProcessor, prepareImages } from './folder/hf-image-processor.js'
import { clipProcessor } from './folder/processor-class.js'
import { readImageProcessor } from './folder/read-image-processor.js'
import { unit, unitMean } from './text-encoder.js'

/** CLIP as the `RegionScorer` of the filter's rules. Holds native memory until it is closed. */
export interface ClipScorer {
  /**
   * For each region of a stored picture the cosine of the embeddings of what is in the box and of its text, 0
   * to 1 (negative ones are 0). Of several texts, such as a phrase in several templates, the mean of their
   * embeddings is taken, made unit long again (Radford et al., 2021, 3.1.4).
   *
   * @param key of the picture, for messages
   * @throws Error that names it where it cannot be decoded
   */
  score(
    bytes: Uint8Array,
    regions: readonly { readonly xyxy: Xyxy; readonly texts: readonly string[] }[],
    key?: string,
  ): Promise<readonly number[]>
  /**
   * For each region the cosines of what is in its box with each of its texts, -1 to 1. What is in a box is
   * embedded once, however many texts it is held against, and however often the box comes.
   *
   * @param context share of a box's sides by which what is cut out is longer, half at each end
   */
  cosines(
    bytes: Uint8Array,
    regions: readonly { readonly xyxy: Xyxy; readonly texts: readonly string[] }[],
    context: number,
    key?: string,
  ): Promise<readonly (readonly number[])[]>
  close(): Promise<void>
}

/** Texts, or crops of one picture, in one run. */
const batch = 16
/** Embeddings of texts that are kept: 40 MB at 512 numbers each. */
const cacheCapacity = 20_000

/**
 * Opens CLIP in ONNX in two halves, as transformers.js uses it: `vision_model.onnx` and `text_model.onnx`
 * (here or in `onnx/`), `config.json`, `preprocessor_config.json` or `processor_config.json`, and
 * `tokenizer.json`. Texts are embedded once, however often they come.
 *
 * @throws UserError where a file is missing or is another family's
 */
export async function openRegionScorer(
  folder: string,
  options: { readonly threads?: number } = {},
): Promise<ClipScorer> {
  const { visionPath, textPath, length, tokenizer, processor } = await readRegionScorer(folder)
  const [vision, language] = await Promise.all([
    Session.open(visionPath, options),
    Session.open(textPath, options),
  ])
  const embedTexts = cachedEmbeddings(
    (texts) => {
      const encoded = texts.map((text) => tokenizer.encode(text))
      const shape = [texts.length, length]
      const values: Record<string, Value> = {
        input_ids: longs(
          encoded.flatMap(({ ids }) => ids),
          shape,
        ),
        attention_mask: longs(
          encoded.flatMap(({ mask }) => mask),
          shape,
        ),
      }
      return embeddings(language, values, 'text_embeds', textPath)
    },
    { capacity: cacheCapacity, batch },
  )

  const embedCrops = async (bytes: Uint8Array, boxes: readonly Xyxy[], key: string | undefined) => {
    const picture = await decodePicture(bytes, Number.POSITIVE_INFINITY, key)
    const vectors: Float32Array[] = []
    for (let start = 0; start < boxes.length; start += batch) {
      const crops = boxes.slice(start, start + batch).map((xyxy) => cropOf(picture, xyxy))
      const { pixels, height, width } = prepareImages(processor, crops, undefined, false)
      const feeds = { pixel_values: floats(pixels, [crops.length, 3, height, width]) }
      vectors.push(...(await embeddings(vision, feeds, 'image_embeds', visionPath)))
    }
    return vectors
  }

  return {
    async score(bytes, regions, key) {
      const texts = await embedTexts(regions.flatMap((region) => region.texts))
      const boxes = regions.map(({ xyxy }) => xyxy)
      const vectors = await embedCrops(bytes, boxes, key)
      return regions.map(({ texts: own }, at) => {
        const words = unitMean(own.map((text) => texts.get(text)!))
        return Math.min(1, Math.max(0, dot(vectors[at]!, words)))
      })
    },
    async cosines(bytes, regions, context, key) {
      const texts = await embedTexts(regions.flatMap((region) => region.texts))
      const boxes = new Map(regions.map(({ xyxy }) => [xyxy.join(), xyxy]))
      const found = await embedCrops(
        bytes,
        [...boxes.values()].map((box) => widened(box, context)),
        key,
      )
      const vectors = new Map([...boxes.keys()].map((name, at) => [name, found[at]!]))
      return regions.map(({ xyxy, texts: own }) =>
        own.map((text) => Math.min(1, Math.max(-1, dot(vectors.get(xyxy.join())!, texts.get(text)!)))),
      )
    },
    async close() {
      await vision.close()
      await language.close()
    },
  }
}

/** What the files of CLIP's folder say, and where its halves lie. */
interface ScorerFiles {
  readonly visionPath: string
  readonly textPath: string
  /** Tokens of a text. */
  readonly length: number
  readonly tokenizer: QueryTokenizer
  readonly processor: ImageProcessor
}

/**
 * Reads and checks the files of CLIP's folder, its models aside.
 *
 * @throws UserError as `openRegionScorer` does
 */
export async function readRegionScorer(model: string): Promise<ScorerFiles> {
  const folder = await localScorer(model)
  const visionPath = await modelFile(folder, 'vision_model')
  const textPath = await modelFile(folder, 'text_model')
  const config = await requireJson(folder, 'config.json')
  if (config.model_type !== 'clip')
    throw new UserError(
      `${folder}/config.json: model_type is ${shownValue(config.model_type)}; "clip" is the only family that scores regions.`,
    )
  // transformers leaves out of config.json what is as CLIPTextConfig has it.
  const place = `${folder}/config.json: text_config.`
  const length = countIn(config.text_config, 'max_position_embeddings', place) ?? 77
  // CLIP reads a text at its closing token, whose number is the largest, and pads with it.
  const pad = countIn(config.text_config, 'eos_token_id', place, 0) ?? 49_407
  const tokenizer = (await readClipTokenizer(folder, pad))(length)
  const processor = await readImageProcessor(folder, clipProcessor)
  return { visionPath, textPath, length, tokenizer, processor }
}

const localScorer = (model: string) =>
  localModelFolder(model, (listing) =>
    ['vision_model', 'text_model'].map((name) => requireOnnx(model, listing, name)),
  )

/** Throws as `openRegionScorer` does of all that can be told without opening the models. */
export async function checkRegionScorer(folder: string): Promise<void> {
  const { visionPath, textPath } = await readRegionScorer(folder)
  for (const path of [visionPath, textPath]) await checkOnnxFile(path)
}

/** SHA-256 over what decides the scores of a CLIP folder. */
export async function hashRegionScorer(model: string): Promise<string> {
  const folder = await localScorer(model)
  const paths = await Promise.all([modelFile(folder, 'vision_model'), modelFile(folder, 'text_model')])
  const weights = await weightFiles(...paths)
  const names = ['config.json', 'preprocessor_config.json', 'tokenizer_config.json']
  const configs = await configFiles(folder, names)
  return hashModelFiles(folder, [...paths, ...weights, join(folder, 'tokenizer.json'), ...configs], {
    withNames: true,
  })
}

/** Runs one half of CLIP: the rows of its output, each of unit length. */
async function embeddings(
  session: Session,
  values: Readonly<Record<string, Value>>,
  output: string,
  path: string,
): Promise<Float32Array[]> {
  const feeds = Object.fromEntries(
    session.inputs.map(({ name }) => {
      if (!values[name]) throw new UserError(`${path}: input "${name}" is not one that CLIP has.`)
      return [name, values[name]]
    }),
  )
  const results = await session.run(feeds)
  const value = results[output]
  if (value?.shape.length !== 2) {
    throw new UserError(
      `${path} has no output ${output} [N, width]; it has: ${nameList(Object.keys(results))}. Export CLIP with its projections.`,
    )
  }
  const [rows, width] = sizesOf(value, 2)
  const data = value.data as Float32Array
  return Array.from({ length: rows }, (_, row) => unit(data.slice(row * width, (row + 1) * width)))
}

/** A box whose sides are longer by a share of them, half at each end. */
function widened([x1, y1, x2, y2]: Xyxy, share: number): Xyxy {
  const [x, y] = [((x2 - x1) * share) / 2, ((y2 - y1) * share) / 2]
  return [x1 - x, y1 - y, x2 + x, y2 + y]
}

/** The part of a picture that a box touches, in whole pixels, one at least. */
export function cropOf(picture: Picture, [x1, y1, x2, y2]: Xyxy): Picture {
  const { width, height } = picture
  const left = Math.min(width - 1, Math.max(0, Math.floor(x1)))
  const top = Math.min(height - 1, Math.max(0, Math.floor(y1)))
  const right = Math.min(width, Math.max(left + 1, Math.ceil(x2)))
  const bottom = Math.min(height, Math.max(top + 1, Math.ceil(y2)))
  return cutPicture(picture, { left, top, width: right - left, height: bottom - top })
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!
  return sum
}
