import { join } from 'node:path'
import { UserError } from '../base/user-error.js'
import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { cocoEntries, cocoFileName } from '../formats/coco-entries.js'
import { entryId } from '../formats/entry-id.js'
import { readReferences } from '../formats/refcoco-references.js'
import { boxOf } from './benchmark-ids.js'

/** A referring expression of RefCOCO, RefCOCO+ or RefCOCOg. */
export interface Expression {
  /** Its `sent_id` (`entryId`). */
  readonly id: string
  readonly text: string
  /** The picture's file, where the instances name it. */
  readonly file: string | undefined
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
  const { files, boxes } = await readInstances(instances)
  return references.flatMap(({ ann_id, image_id, sentences }) => {
    const where = `${path}: annotation ${ann_id} of picture ${image_id}`
    const target = boxes.get(ann_id)
    if (!target)
      throw new UserError(
        boxes.has(ann_id) ? `${where} has no bbox in ${instances}.` : `${where} is not in ${instances}.`,
      )
    const file = files.get(image_id)
    return sentences.map(({ sent, sent_id: id }, at): Expression => {
      if (sent === undefined) throw new UserError(`${where}: sentences[${at}].sent: expected a text.`)
      if (id === undefined) throw new UserError(`${where}: sentences[${at}]: there is no sent_id.`)
      return { id, text: sent, file, target }
    })
  })
}

/** Files of pictures and boxes of annotations by their ids; of annotations with one id the last, as in REFER. */
async function readInstances(path: string) {
  const files = new Map<string, string | undefined>()
  const boxes = new Map<string, Xyxy | undefined>()
  for await (const { list, value } of cocoEntries(path, ['images', 'annotations'], ['annotations'])) {
    const entry = (value ?? {}) as Readonly<Record<string, unknown>>
    const id = entryId(entry.id)
    const bbox = boxOf(entry.bbox)
    if (id === undefined) continue
    if (list === 'images') files.set(id, cocoFileName(entry))
    else boxes.set(id, bbox && [bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]])
  }
  return { files, boxes }
}

/**
 * Accuracy@0.5: the share of expressions whose best box overlaps the target with an IoU of at least 0.5.
 *
 * @param predictions the best box by the expression's id; an expression without one is wrong
 */
export function referAccuracy(
  expressions: readonly Expression[],
  predictions: ReadonlyMap<string, Xyxy>,
): number {
  const right = expressions.filter(({ id, target }) => {
    const box = predictions.get(id)
    return box !== undefined && iou(box, target) >= 0.5
  })
  return expressions.length === 0 ? -1 : right.length / expressions.length
}
