import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../base/user-error.js'
import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../rows/rows.js'
import { type PlainValue, readPlainPickle } from '../weights/read-plain-pickle.js'
import { readDetectionTruth, readJson } from './read-detection-truth.js'

/** A referring expression of RefCOCO, RefCOCO+ or RefCOCOg. */
export interface Expression {
  /** Its `sent_id`. */
  readonly id: number
  readonly text: string
  /** The picture's file. */
  readonly file: string
  readonly target: Xyxy
}

/**
 * Reads a folder of REFER's data: `refs(<by>).p`, a pickle, and `instances.json` beside it.
 *
 * @param by who made the split: `unc`, `google` or `umd`
 * @param split `val`, `testA`, `testB` or `test`
 * @throws UserError where a file is missing or is not of that form, or where the split has no expressions
 */
export async function readRefer(folder: string, by: string, split: string): Promise<Expression[]> {
  const path = join(folder, `refs(${by}).p`)
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  const refs = readPlainPickle(bytes, path)
  const instances = join(folder, 'instances.json')
  const { images } = await readDetectionTruth(instances)
  const files = new Map(images.map(({ id, file }) => [id, file]))
  const boxes = await boxesById(instances)
  const splits = new Set<string>()
  const expressions: Expression[] = []
  for (const [index, ref] of listOf(refs, path).entries()) {
    const where = `${path}: reference ${index}`
    const own = String(field(ref, 'split', where))
    splits.add(own)
    if (own !== split) continue
    const box = boxes.get(Number(field(ref, 'ann_id', where)))
    const file = files.get(Number(field(ref, 'image_id', where)))
    if (!box || file === undefined)
      throw new UserError(`${where}: its box or picture is not in ${instances}.`)
    const [x, y, width, height] = box
    for (const sentence of listOf(field(ref, 'sentences', where), where)) {
      const text = String(field(sentence, 'sent', where))
      const id = Number(field(sentence, 'sent_id', where))
      expressions.push({ id, text, file, target: [x, y, x + width, y + height] })
    }
  }
  if (expressions.length === 0)
    throw new UserError(`${path} has no split "${split}"; it has: ${[...splits].sort().join(', ')}.`)
  return expressions
}

async function boxesById(path: string): Promise<Map<number, readonly number[]>> {
  const { annotations } = (await readJson(path)) as {
    annotations: readonly { readonly id: number; readonly bbox: readonly number[] }[]
  }
  return new Map(annotations.map(({ id, bbox }) => [id, bbox]))
}

function listOf(value: PlainValue, where: string): readonly PlainValue[] {
  if (Array.isArray(value)) return value
  throw new UserError(`${where}: expected a list.`)
}

function field(value: PlainValue, name: string, where: string): PlainValue {
  const isDict = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isDict && Object.hasOwn(value, name)) return (value as { readonly [key: string]: PlainValue })[name]
  throw new UserError(`${where}: there is no ${name}.`)
}

/**
 * Accuracy@0.5: the share of expressions whose best box overlaps the target with an IoU of at least 0.5.
 *
 * @param predictions the best box by the expression's id; an expression without one is wrong
 */
export function referAccuracy(
  expressions: readonly Expression[],
  predictions: ReadonlyMap<number, Xyxy>,
): number {
  const right = expressions.filter(({ id, target }) => {
    const box = predictions.get(id)
    return box !== undefined && iou(box, target) >= 0.5
  })
  return expressions.length === 0 ? -1 : right.length / expressions.length
}
