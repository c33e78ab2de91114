import { basename, resolve } from 'node:path'
import { clipBox } from '../boxes/xyxy.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { sampleOf, valueNamed } from '../graph/session.js'
import type { Picture } from '../pictures/picture.js'
import { sigmoid } from '../statistics/logistic.js'
import { type Detection, detectAll, readLabels } from './closed-vocabulary.js'
import { requireJson } from './folder/hf-folder.js'
import { checkPorts, imageInput, runOverImages } from './folder/image-runs.js'
import { detrProcessor, type ProcessorClass, rtDetrProcessor } from './folder/processor-class.js'
import { readImageProcessor } from './folder/read-image-processor.js'
import { cornersOf } from './keep-best.js'
import type { FamilyFolder, OpenFamily } from './model-family.js'

const processors: Readonly<Record<string, ProcessorClass>> = {
  detr: detrProcessor,
  rt_detr: rtDetrProcessor,
  rt_detr_v2: rtDetrProcessor,
}

/**
 * Reads a Hugging Face folder of DETR, RT-DETR or RT-DETRv2: detectors with a fixed list of labels, read as
 * their processors read them.
 */
export async function readDetr({ path, files, kind, options }: FamilyFolder): Promise<OpenFamily> {
  const family = processors[kind]
  if (!family) throw new Error(`${kind} is none of ${Object.keys(processors).join(', ')}`)
  const labels = readLabels(path, await requireJson(path, 'config.json'))
  const processor = await readImageProcessor(path, family)
  const classify = kind === 'detr' ? classifySoftmax : classifySigmoid
  return async ({ hash, openPool }) => {
    const pool = await openPool(files[0], options)
    checkPorts(pool, files[0], ['pixel_values', 'pixel_mask'], ['logits', 'pred_boxes'])
    const images = imageInput(pool, files[0], processor, options.batch)
    return {
      name: options.name ?? basename(resolve(path)),
      hash,
      pictureSide: Number.POSITIVE_INFINITY,
      batch: images.batch,
      parallel: pool.size,
      labels: [...new Set(labels.values())],
      tokensOf: () => 0,
      maxTokens: Number.POSITIVE_INFINITY,
      detect: (queries, detect) =>
        detectAll(queries, detect, (pictures) =>
          runOverImages(
            pool,
            images,
            pictures.map((picture) => ({ picture })),
            () => ({}),
            (results, sample, { picture }) => {
              const logits = valueNamed(results, 'logits')
              const [, , classes] = sizesOf(logits, 3)
              const boxes = sampleOf(valueNamed(results, 'pred_boxes'), sample)
              const classified = classify(sampleOf(logits, sample), classes, detect.floor)
              return classified.flatMap(({ query, label, score }) => {
                const corners = cornersOf(boxes, query, picture.width, picture.height)
                return detectionOf(corners, score, labels.get(label), picture)
              })
            },
          ),
        ),
      close: () => pool.close(),
    }
  }
}

/**
 * A detection, if its class has a name (the gaps in COCO's numbering have none) and its box is on the
 * picture.
 */
function detectionOf(
  corners: Detection['xyxy'],
  score: number,
  label: string | undefined,
  picture: Picture,
): Detection[] {
  const xyxy = clipBox(corners, picture)
  return xyxy && label !== undefined ? [{ xyxy, score, label }] : []
}

/** A class of a query's box. */
interface Classified {
  readonly query: number
  readonly label: number
  readonly score: number
}

/**
 * DETR: a softmax over the classes and "no object", which comes last; each box has its likeliest class.
 *
 * @param logits [Q, C + 1]
 */
function classifySoftmax(logits: Float32Array, classes: number, floor: number): Classified[] {
  const found: Classified[] = []
  for (let query = 0; query * classes < logits.length; query++) {
    const row = logits.subarray(query * classes, (query + 1) * classes)
    const top = row.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY)
    let sum = 0
    let label = 0
    row.forEach((value, index) => {
      sum += Math.exp(value - top)
      if (index < classes - 1 && value > row[label]!) label = index
    })
    const score = Math.exp(row[label]! - top) / sum
    if (score >= floor) found.push({ query, label, score })
  }
  return found
}

/**
 * RT-DETR: a sigmoid for each box and class. As many of these pairs as there are boxes count, the best ones;
 * so a box may have several labels.
 *
 * @param logits [Q, C]
 */
function classifySigmoid(logits: Float32Array, classes: number, floor: number): Classified[] {
  const found: (Classified & { readonly index: number })[] = []
  for (const [index, logit] of logits.entries()) {
    const score = sigmoid(logit)
    if (score >= floor)
      found.push({ query: Math.floor(index / classes), label: index % classes, score, index })
  }
  // Only what is above the floor is sorted: weaker pairs come after all of these anyway.
  return found.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, logits.length / classes)
}
