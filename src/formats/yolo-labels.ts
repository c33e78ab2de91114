import { extname } from 'node:path'
import type { Xyxy } from '../boxes/xyxy.js'
import { linesOf } from './text-lines.js'

/** A row of a label file of YOLO: a box, or why it is none. */
export type YoloRow = { readonly id: number } & (
  | {
      /** Shares of the picture's sides. */
      readonly xyxy: Xyxy
      readonly reason?: undefined
    }
  | {
      /**
       * `malformed_box`; `scored_box`: a box and a confidence, perhaps with a track, as `save_conf` writes what a model found;
       * `unnormalised_box`: outside of the picture, such as pixels; `duplicate_box`: a row that was there
       * before.
       */
      readonly reason: string
      readonly xyxy?: undefined
    }
)

/** The label file beside a picture. */
export const labelsBeside = (picture: string): string =>
  `${picture.slice(0, picture.length - extname(picture).length)}.txt`

/** The label file of a picture as Ultralytics finds it: the last folder `images` of its path is `labels`. */
export function labelsPath(picture: string): string {
  const path = `/${picture}`
  const at = path.replaceAll('\\', '/').lastIndexOf('/images/')
  if (at === -1) return labelsBeside(picture)
  return labelsBeside(`${path.slice(0, at)}/labels/${path.slice(at + '/images/'.length)}`.slice(1))
}

/** Ultralytics refuses labels with coordinates further outside of 0 to 1. */
const tolerance = 0.01

/**
 * The rows of a label file: a class and a box (centre, width, height); with keypoints behind the box where
 * the dataset has them; else the points of an outline, of which the box around it is taken, as four corners
 * of a turned box are. A row of five in a file of outlines is a box, as Ultralytics' converter writes it.
 *
 * @param keypoints numbers behind the box; 0 or undefined where there are none
 */
export function parseYoloLabels(text: string, keypoints: number | undefined): YoloRow[] {
  const seen = new Set<string>()
  const lines = linesOf(text).map(numbersOf)
  const isTracked = !keypoints && lines.some(isTrack)
  return lines.map((numbers): YoloRow => {
    const row = isTracked && numbers.length === 7 ? scored(numbers) : rowOf(numbers, keypoints)
    const text = numbers.join(' ')
    if (row.xyxy && seen.has(text)) return { id: row.id, reason: 'duplicate_box' }
    seen.add(text)
    return row
  })
}

const numbersOf = (line: string) => line.split(/\s+/).map(Number)

const scored = ([id = Number.NaN]: readonly number[]): YoloRow => ({ id, reason: 'scored_box' })

/** Whether a row is a box, a confidence and the number of a track: as three points it would be outside. */
function isTrack([, ...values]: readonly number[]): boolean {
  const [confidence = 0, track = 0] = values.slice(4)
  return values.length === 6 && confidence <= 1 && Number.isInteger(track) && track > 1
}

function rowOf([id = Number.NaN, ...values]: readonly number[], keypoints: number | undefined): YoloRow {
  if (!values.every(Number.isFinite) || !Number.isInteger(id)) return { id, reason: 'malformed_box' }
  const box = boxOf(values, keypoints)
  if (typeof box === 'string') return { id, reason: box }
  if (box.some((value) => value < -tolerance || value > 1 + tolerance))
    return { id, reason: 'unnormalised_box' }
  const [x, y, width, height] = box
  return { id, xyxy: [x - width / 2, y - height / 2, x + width / 2, y + height / 2] }
}

type CentredBox = readonly [x: number, y: number, width: number, height: number]

/** Centre, width and height of what a row's numbers say behind its class, or why there is no box. */
function boxOf(values: readonly number[], keypoints: number | undefined): CentredBox | string {
  const [x = 0, y = 0, width = 0, height = 0] = values
  if (values.length === 4 || values.length === 4 + (keypoints ?? 0)) return [x, y, width, height]
  if (values.length === 5 + (keypoints ?? 0) || values.length === 5) return 'scored_box'
  if (keypoints || values.length < 6 || values.length % 2 !== 0) return 'malformed_box'
  let [left, top, right, bottom] = [x, y, x, y]
  for (const [index, value] of values.entries()) {
    if (index % 2 === 0) [left, right] = [Math.min(left, value), Math.max(right, value)]
    else [top, bottom] = [Math.min(top, value), Math.max(bottom, value)]
  }
  return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
}

/** So many rows that look alike, and so many numbers that are a visibility, are no accident. */
const fewestFlat = 8
const fewestSeen = 8

/** Keypoints may lie a little outside of their box. */
const leastInside = 0.95

/**
 * The `kpt_shape` that label files seem to have, whose dataset says none: all rows longer than a box's are of
 * one length, and either every third number behind the box is a visibility (0, 1 or 2), or nearly all pairs
 * behind the box are points in it. Outlines of a fixed number of points that are all so are not to be
 * expected.
 */
export function seemingKeypoints(texts: readonly string[]): readonly [number, 2 | 3] | undefined {
  const rows = texts.flatMap((text) => linesOf(text).map((line) => numbersOf(line).slice(1)))
  const long = rows.filter(({ length }) => length > 5)
  const [{ length } = []] = long
  // Four corners are a turned box.
  if (length <= 8 || long.some((row) => row.length !== length)) return undefined
  const count = length - 4
  const seen = (long.length * count) / 3
  if (count % 3 === 0 && seen >= fewestSeen && long.every(hasVisibilities)) return [count / 3, 3]
  const share = long.reduce((sum, row) => sum + shareInside(row), 0) / long.length
  if (count % 2 === 0 && long.length >= fewestFlat && share >= leastInside) return [count / 2, 2]
  return undefined
}

const hasVisibilities = (values: readonly number[]) =>
  values.slice(4).every((value, index) => index % 3 !== 2 || value === 0 || value === 1 || value === 2)

/** Which share of the points behind a box lies in it; a point at 0, 0 is one that is not there. */
function shareInside([x = 0, y = 0, width = 0, height = 0, ...points]: readonly number[]): number {
  let inside = 0
  for (let at = 0; at + 1 < points.length; at += 2) {
    const [px = 0, py = 0] = points.slice(at, at + 2)
    const isIn = Math.abs(px - x) <= width / 2 && Math.abs(py - y) <= height / 2
    if (isIn || (px === 0 && py === 0)) inside += 2
  }
  return inside / points.length
}
