import { iou } from '../../boxes/iou.js'
import { liesIn } from '../../boxes/lies-in.js'
import { leastIou } from '../../boxes/match-boxes.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Phrase } from '../../rows/rows.js'
import { GrowableArray } from './growable-array.js'
import { type LayerRow, layerBoxes } from './index-part.js'
import type { Judge, Layer, Told } from './layer.js'
import type { StringTable } from './string-table.js'

/**
 * What is needed to hold a layer's boxes in one shard against a truth at any threshold: which boxes of the truth
 * each may find. Boxes stand in the order of the layer's own part.
 */
export interface TruthPart {
  readonly rows: number
  /** Of each row the different boxes of the truth, and how many of them phrases ask for: these come first. */
  readonly boxes: Uint32Array
  readonly asked: Uint32Array
  /** Of each row the heads of the phrases that ask for its boxes, in the order of these. */
  readonly headStart: Uint32Array
  readonly head: Int32Array
  /**
   * 1 where a box that finds nothing is wrong; 0 where it is not judged: the truth does not know its words, or it
   * lies in an area of which nobody told.
   */
  readonly isWrong: Uint8Array
  /**
   * Of each box what it may find, each a phrase's number times the row's boxes of the truth plus the box: a
   * phrase finds a thing once, and two phrases may find one thing. In the order of the truth.
   */
  readonly pairStart: Uint32Array
  readonly pair: Uint32Array
  readonly overlap: Float64Array
  readonly bytes: number
}

/** Collects what a shard's boxes may find. */
export function truthPartBuilder(
  layer: Pick<Layer, 'passing'>,
  judge: Judge,
  isByCategory: boolean,
  heads: StringTable,
) {
  const boxes = new GrowableArray(Uint32Array)
  const asked = new GrowableArray(Uint32Array)
  const headStart = new GrowableArray(Uint32Array)
  const head = new GrowableArray(Int32Array)
  const isWrong = new GrowableArray(Uint8Array)
  const pairStart = new GrowableArray(Uint32Array)
  const pair = new GrowableArray(Uint32Array)
  const overlap = new GrowableArray(Float64Array)
  return {
    add(row: LayerRow, told: Told) {
      const targets = judge.targets(row.phrases, told, isByCategory)
      const places = new Map<string, number>()
      const placeOf = (box: Xyxy) => {
        const name = box.join()
        const known = places.get(name) ?? places.size
        places.set(name, known)
        return known
      }
      headStart.push(head.length)
      for (const [at, { boxes: own = [] }] of targets.entries()) {
        for (const box of own) {
          const before = places.size
          if (placeOf(box) === before) head.push(heads.add((row.phrases[at] as Phrase).head))
        }
      }
      asked.push(places.size)
      for (const { xyxy } of told.regions) placeOf(xyxy)
      boxes.push(places.size)
      for (const { phrase, xyxy, relabelled } of layerBoxes(layer, row)) {
        const own = targets[phrase]
        const known = relabelled ? own?.named(relabelled.start, relabelled.end) : own?.boxes
        isWrong.push(known && !liesIn(xyxy, own?.unsure ?? []) ? 1 : 0)
        pairStart.push(pair.length)
        for (const target of known ?? []) {
          const shared = iou(xyxy, target)
          if (shared < leastIou) continue
          pair.push(phrase * places.size + placeOf(target))
          overlap.push(shared)
        }
      }
    },
    build(): TruthPart {
      headStart.push(head.length)
      pairStart.push(pair.length)
      const part = {
        ...{ boxes: boxes.done(), asked: asked.done(), headStart: headStart.done(), head: head.done() },
        ...{ isWrong: isWrong.done() },
        ...{ pairStart: pairStart.done(), pair: pair.done(), overlap: overlap.done() },
      }
      const bytes = Object.values(part).reduce((sum, { byteLength }) => sum + byteLength, 0)
      return { ...part, rows: part.boxes.length, bytes }
    },
  }
}
