import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../base/user-error.js'
import { floats, longs, Session, type Value } from '../graph/session.js'
import { hashModelFiles } from '../model/hash-model-files.js'
import { decodePicture, type Picture } from '../pictures/picture.js'
import type { Xyxy } from '../rows/rows.js'
import { readClipTokenizer } from './clip-tokenizer.js'
import { modelFile, readJson, weightFiles } from './hf-folder.js'
import { clip, type ImageProcessor, prepareImages, readImageProcessor } from './hf-image-processor.js'
import { unit } from './text-encoder.js'

/** CLIP as the `RegionScorer` of the filter's rules. Holds native memory until it is closed. */
export interface ClipScorer {
  /**
   * For each region of a stored picture the cosine of the embeddings of what is in the box and of its text, 0 to 1
   * (negative ones are 0).
   */
  score(
    bytes: Uint8Array,
    regions: readonly { readonly xyxy: Xyxy; readonly text: string }[],
  ): Promise<readonly number[]>
  close(): Promise<void>
}

/** As CLIPImageProcessor has it where the folder says nothing. */
const family: ImageProcessor = {
  size: { shortest: 224, longest: undefined },
  crop: { width: 224, height: 224 },
  resample: 3,
  rescale: 1 / 255,
  ...clip,
  square: undefined,
}
/** Of texts, and of crops of one picture, in one run. */
const batch = 16
const mostKept = 20_000

/**
 * Opens CLIP in ONNX in two halves, as transformers.js uses it: `vision_model.onnx` and `text_model.onnx` (here or in
 * `onnx/`), `preprocessor_config.json` and `tokenizer.json`. Texts are embedded once, however often they come.
 *
 * @throws UserError where a file is missing or is another family's
 */
export async function openRegionScorer(
  folder: string,
  options: { readonly threads?: number } = {},
): Promise<ClipScorer> {
  const paths = await Promise.all([modelFile(folder, 'vision_model'), modelFile(folder, 'text_model')])
  const config = await readJson(folder, 'config.json')
  const length = numberOf(config?.text_config, 'max_position_embeddings') ?? 77
  // CLIP reads a text at its closing token, whose number is the largest, and pads with it.
  const tokenizer = await readClipTokenizer(
    folder,
    length,
    numberOf(config?.text_config, 'eos_token_id') ?? 49_407,
  )
  const processor = await readImageProcessor(folder, family)
  const [vision, language] = await Promise.all(paths.map((path) => Session.open(path, options)))
  const known = new Map<string, Float32Array>()

  const embedTexts = async (texts: readonly string[]) => {
    const missing = [...new Set(texts)].filter((text) => !known.has(text))
    for (let start = 0; start < missing.length; start += batch) {
      const some = missing.slice(start, start + batch)
      const encoded = some.map((text) => tokenizer.encode(text))
      const shape = [some.length, length]
      const all: Record<string, Value> = {
        input_ids: longs(
          encoded.flatMap(({ ids }) => ids),
          shape,
        ),
        attention_mask: longs(
          encoded.flatMap(({ mask }) => mask),
          shape,
        ),
      }
      const vectors = await embeddings(language, all, 'text_embeds', paths[1])
      some.forEach((text, index) => {
        known.set(text, vectors[index])
      })
    }
    const own = new Map(texts.map((text) => [text, known.get(text) as Float32Array]))
    for (const text of known.keys()) {
      if (known.size <= mostKept) break
      known.delete(text)
    }
    return own
  }

  return {
    async score(bytes, regions) {
      const texts = await embedTexts(regions.map(({ text }) => text))
      const picture = await decodePicture(bytes, Number.POSITIVE_INFINITY)
      const scores: number[] = []
      for (let start = 0; start < regions.length; start += batch) {
        const some = regions.slice(start, start + batch)
        const crops = some.map(({ xyxy }) => cropOf(picture, xyxy))
        const { pixels, height, width } = prepareImages(processor, crops, undefined, false)
        const feeds = { pixel_values: floats(pixels, [some.length, 3, height, width]) }
        const vectors = await embeddings(vision, feeds, 'image_embeds', paths[0])
        some.forEach(({ text }, index) => {
          scores.push(Math.min(1, Math.max(0, dot(vectors[index], texts.get(text) as Float32Array))))
        })
      }
      return scores
    },
    async close() {
      await vision.close()
      await language.close()
    },
  }
}

/** SHA-256 over what decides the scores of a CLIP folder. */
export async function hashRegionScorer(folder: string): Promise<string> {
  const paths = await Promise.all([modelFile(folder, 'vision_model'), modelFile(folder, 'text_model')])
  const weights = [...new Set((await Promise.all(paths.map(weightFiles))).flat())]
  const said = await optionalFiles(folder, [
    'config.json',
    'preprocessor_config.json',
    'tokenizer_config.json',
  ])
  return hashModelFiles(folder, [...paths, ...weights, join(folder, 'tokenizer.json'), ...said], {
    withNames: true,
  })
}

async function optionalFiles(folder: string, names: readonly string[]): Promise<string[]> {
  const paths = names.map((name) => join(folder, name))
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  )
  return paths.filter((_, index) => there[index])
}

/** Runs a half of CLIP: unit vectors of its output. */
async function embeddings(
  session: Session,
  all: Readonly<Record<string, Value>>,
  output: string,
  path: string,
): Promise<Float32Array[]> {
  const feeds = Object.fromEntries(
    session.inputs.map(({ name }) => {
      if (!all[name]) throw new UserError(`${path}: input "${name}" is not one that CLIP has.`)
      return [name, all[name]]
    }),
  )
  const results = await session.run(feeds)
  const value = results[output]
  if (value?.shape.length !== 2) {
    throw new UserError(
      `${path} has no output ${output} [N, width]; it has: ${Object.keys(results).join(', ')}. Export CLIP with its projections.`,
    )
  }
  const [rows, width] = value.shape
  const data = value.data as Float32Array
  return Array.from({ length: rows }, (_, row) => unit(data.slice(row * width, (row + 1) * width)))
}

/** The part of a picture that a box touches, in whole pixels, one at least. */
export function cropOf({ width, height, data }: Picture, [x1, y1, x2, y2]: Xyxy): Picture {
  const left = Math.min(width - 1, Math.max(0, Math.floor(x1)))
  const top = Math.min(height - 1, Math.max(0, Math.floor(y1)))
  const right = Math.min(width, Math.max(left + 1, Math.ceil(x2)))
  const bottom = Math.min(height, Math.max(top + 1, Math.ceil(y2)))
  const part = new Uint8Array((right - left) * (bottom - top) * 3)
  const row = (right - left) * 3
  for (let y = top; y < bottom; y++) {
    const from = (y * width + left) * 3
    part.set(data.subarray(from, from + row), (y - top) * row)
  }
  return { width: right - left, height: bottom - top, data: part, scale: 1 }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at] * b[at]
  return sum
}

function numberOf(object: unknown, key: string): number | undefined {
  const value = (object as Record<string, unknown> | undefined)?.[key]
  return typeof value === 'number' ? value : undefined
}
