import { join } from 'node:path'
import { UserError } from '../base/user-error.js'
import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { type CocoIndex, readCocoIndex } from '../formats/coco-index.js'
import { readReferences } from '../formats/refcoco-references.js'
import { isBox } from './read-detection-truth.js'

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
  const { references, problems } = await readReferences(path, split)
  const bad = problems.find((problem) => problem.split === undefined || problem.split === split)
  if (bad) throw new UserError(`${path}: ${bad.problem}.`)
  const instances = join(folder, 'instances.json')
  const index = await readCocoIndex(undefined, instances)
  const files = new Map(index.images.map(({ id, file_name }) => [String(id), file_name]))
  const boxes = boxesById(index)
  return references.flatMap(({ ann_id, image_id, sentences }) => {
    const where = `${path}: annotation ${ann_id} of picture ${image_id}`
    const target = boxes.get(String(ann_id))
    const file = files.get(String(image_id))
    if (!target || file === undefined) throw new UserError(`${where} is not in ${instances}.`)
    return sentences.map(({ sent, sent_id }): Expression => {
      if (sent_id === undefined) throw new UserError(`${where}: there is no sent_id.`)
      return { id: Number(sent_id), text: sent, file, target }
    })
  })
}

function boxesById({ boxes }: CocoIndex): Map<string, Xyxy> {
  const byId = new Map<string, Xyxy>()
  for (const own of boxes.values()) {
    for (const { id, bbox } of own) {
      if (!isBox(bbox)) continue
      const [x, y, width, height] = bbox
      byId.set(String(id), [x, y, x + width, y + height])
    }
  }
  return byId
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
