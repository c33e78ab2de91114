import { basename, resolve } from 'node:path'
import { nameList } from '../base/name-list.js'
import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import { boxAt, clipBox, scaleBox } from '../boxes/xyxy.js'
import { type Value, valueNamed } from '../graph/session.js'
import type { Picture } from '../pictures/picture.js'
import { resizePicture } from '../pictures/resize-picture.js'
import { type Detection, detectAll, readLabels } from './closed-vocabulary.js'
import { requireJson } from './folder/hf-folder.js'
import type { Size } from './folder/hf-image-processor.js'
import { inputsText } from './folder/image-runs.js'
import type { FamilyFolder, FamilyOpening, OpenFamily } from './model-family.js'
import type { Teacher } from './teacher.js'

/**
 * Reads the folder of a detector of torchvision (Faster R-CNN and its kin) that was exported to ONNX. The folder holds
 *
 * - `config.json`: `{"model_type": "torchvision-detector", "id2label": {"1": "person", …}}`;
 * - `model.onnx`: one input [3, H, W] or [1, 3, H, W], red green blue, 0 to 1, not normalised (the network
 *   does that, and resizes); outputs `boxes` [K, 4] (corners in pixels of the input), `scores` [K] and
 *   `labels` [K], or, under other names, these kinds in the order boxes, labels, scores, as torchvision gives
 *   them.
 *
 * Where H and W are fixed, pictures are stretched to them and boxes brought back.
 */
export async function readTorchvision(folder: FamilyFolder): Promise<OpenFamily> {
  const labels = readLabels(folder.path, await requireJson(folder.path, 'config.json'))
  return (opening) => openTorchvision(folder, labels, opening)
}

async function openTorchvision(
  { path, files, options }: FamilyFolder,
  labels: ReadonlyMap<number, string>,
  { hash, openPool }: FamilyOpening,
): Promise<Teacher> {
  const pool = await openPool(files[0], options)
  const [port, ...furtherInputs] = pool.inputs
  const [channels, height, width] = port?.shape.slice(-3) ?? []
  const hasImages = port && port.shape.length >= 3 && (typeof channels !== 'number' || channels === 3)
  if (!hasImages || furtherInputs.length > 0)
    throw new UserError(`${files[0]}: expected one input [3, H, W]; it has: ${inputsText(pool)}.`)
  const outputs = pool.outputs.map(({ name }) => name)
  const usual = ['boxes', 'labels', 'scores']
  const [boxesName, labelsName, scoresName] = usual.every((name) => outputs.includes(name)) ? usual : outputs
  if (boxesName === undefined || labelsName === undefined || scoresName === undefined)
    throw new UserError(
      `${files[0]}: expected outputs boxes, labels and scores; it has: ${nameList(outputs)}.`,
    )
  const fixed = typeof height === 'number' && typeof width === 'number' ? { height, width } : undefined

  const detectOne = async (picture: Picture, floor: number): Promise<Detection[]> => {
    const size = fixed ?? picture
    const shape = [...(port.shape.length === 4 ? [1] : []), 3, size.height, size.width]
    const results = await pool.run({ [port.name]: { data: planes(picture, size), shape, dtype: 'float32' } })
    const boxes = valueNamed(results, boxesName).data as Float32Array
    const scores = valueNamed(results, scoresName).data as Float32Array
    const [x, y] = [picture.width / size.width, picture.height / size.height]
    return labelsOf(valueNamed(results, labelsName)).flatMap((id, at) => {
      const label = labels.get(id)
      const score = scores[at]!
      if (label === undefined || score < floor) return []
      const xyxy = clipBox(scaleBox(boxAt(boxes, at), x, y), picture)
      return xyxy ? [{ xyxy, score, label }] : []
    })
  }

  return {
    name: options.name ?? basename(resolve(path)),
    hash,
    pictureSide: Number.POSITIVE_INFINITY,
    batch: 1,
    parallel: pool.size,
    labels: [...new Set(labels.values())],
    tokensOf: () => 0,
    maxTokens: Number.POSITIVE_INFINITY,
    detect: (queries, detect) =>
      detectAll(queries, detect, async (pictures) => {
        const found: Detection[][] = []
        for await (const one of orderedMap(pictures, pool.size + 1, (picture) =>
          detectOne(picture, detect.floor),
        ))
          found.push(one)
        return found
      }),
    close: () => pool.close(),
  }
}

function labelsOf({ data }: Value): number[] {
  return Array.from(data as BigInt64Array, Number)
}

/** [3, H, W], 0 to 1. */
function planes(picture: Picture, size: Size): Float32Array {
  const { data } = resizePicture(picture, size.width, size.height, 2)
  const plane = size.width * size.height
  const values = new Float32Array(3 * plane)
  for (let at = 0; at < plane; at++)
    for (let channel = 0; channel < 3; channel++) values[channel * plane + at] = data[3 * at + channel]! / 255
  return values
}
