import { shownValue } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Value } from '../../graph/session.js'
import { readOnnxMetadata } from '../../weights/onnx-metadata.js'
import type { Size } from './hf-image-processor.js'

/** What an ONNX file of the YOLO family says of itself, where Ultralytics exported it. */
export interface YoloExport {
  /** Names of the classes; none where the file has none. */
  readonly names: ReadonlyMap<number, string>
  /** The side of the square that pictures are framed in where the graph leaves that open. */
  readonly size: Size
  /** Sides of a frame that is as small as the picture allows are multiples of this. */
  readonly stride: number
  /** Whether the graph chooses boxes itself: rows of corners, score and class. */
  readonly isEndToEnd: boolean
  /** Whether each box has coefficients of a mask behind its scores. */
  readonly hasMasks: boolean
}

/** The stride of every published network but a few, which have 64. */
const usualStride = 32
const usualSide = 640
/** No network of the family is larger, and an input of one would not fit in memory. */
const longestSide = 8192

/**
 * Reads what Ultralytics writes into an export (`metadata_props`: names, imgsz, stride, task, end2end, args). What is
 * not there is as it is by default.
 *
 * @throws UserError where a value is none of its key, or the task is not one that gives boxes
 */
export async function readYoloExport(path: string): Promise<YoloExport> {
  const said = await readOnnxMetadata(path)
  const refuse = (key: string, why: string): never => {
    throw new UserError(`${path}: its ${key} is ${shownValue(said.get(key))}, ${why}.`)
  }
  const task = said.get('task') ?? 'detect'
  if (task !== 'detect' && task !== 'segment')
    refuse('task', 'which has no boxes of things: detect and segment have')
  const stride = Number(said.get('stride') ?? usualStride)
  if (!isSide(stride)) refuse('stride', 'not a number of pixels')
  const [height = 0, width = 0] = sidesOf(said.get('imgsz') ?? String(usualSide))
  if (!isSide(height) || !isSide(width)) refuse('imgsz', 'not one side or two, in pixels')
  const args = said.get('args') ?? ''
  const text = said.get('names')
  const names = text === undefined ? new Map<number, string>() : namesOf(text)
  return {
    names: names ?? refuse('names', 'not a list of names by their numbers'),
    size: { height, width },
    stride,
    isEndToEnd: said.get('end2end') === 'True' || /'nms': True\b/.test(args),
    hasMasks: task === 'segment',
  }
}

/** Whether an ONNX file says of itself what Ultralytics' exports say. */
export async function isYoloExport(path: string): Promise<boolean> {
  const said = await readOnnxMetadata(path)
  return said.has('names') && said.has('stride')
}

const isSide = (value: number) => Number.isSafeInteger(value) && value > 0 && value <= longestSide

/** "[480, 640]", height first, or one number for both. */
function sidesOf(text: string): number[] {
  const sides = text
    .replace(/[[\]()\s]/g, '')
    .split(',')
    .map(Number)
  return sides.length === 1 ? [...sides, ...sides] : sides.length === 2 ? sides : []
}

const pythonText = /('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*(?:,\s*|$)/y
const pythonKey = /\s*(\d{1,9})\s*:\s*/y

/** A dictionary of Python from numbers to texts, as it prints it; undefined where it is none. */
function namesOf(text: string): Map<number, string> | undefined {
  const inner = /^\s*\{(.*?)\s*\}\s*$/s.exec(text)?.[1]
  if (!inner) return undefined
  const names = new Map<number, string>()
  let at = 0
  while (at < inner.length) {
    const key = matched(pythonKey, inner, at)
    const value = key && matched(pythonText, inner, key.end)
    if (!value) return undefined
    names.set(Number(key.group), unescaped(value.group.slice(1, -1)))
    at = value.end
  }
  return names
}

function matched(pattern: RegExp, text: string, at: number) {
  pattern.lastIndex = at
  const group = pattern.exec(text)?.[1]
  return group === undefined ? undefined : { group, end: pattern.lastIndex }
}

/** Python's escapes in a text: a quotation mark, a backslash, or a character by its number. */
function unescaped(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }
  return text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gs,
    (_, short?: string, usual?: string, long?: string, other = '') => {
      const digits = short ?? usual ?? long
      if (digits === undefined) return letters[other] ?? other
      return String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(digits, 16)))
    },
  )
}

/** A box of a frame and one of its classes. */
export interface YoloBox {
  /** Pixels of the frame. */
  readonly xyxy: Xyxy
  readonly score: number
  readonly label: number
}

/** Coefficients of a mask that a box of a network that segments has behind its scores. */
const maskCoefficients = 32

/**
 * What is wrong with the shape of `output0`, or undefined: [1, 4 + classes, boxes], where masks are wanted with 32
 * numbers more, or, where the graph chose its boxes, [1, boxes, 6].
 */
export function shapeError(
  shape: readonly (number | string)[],
  { isEndToEnd, hasMasks }: YoloExport,
  classes: number | undefined,
): string | undefined {
  const [, rows, columns] = shape
  const extra = hasMasks ? maskCoefficients : 0
  const wanted = isEndToEnd
    ? `[1, boxes, ${6 + extra}]`
    : `[1, ${classes === undefined ? '4 + classes' : 4 + classes + extra}, boxes]`
  const isOther = (size: number | string | undefined, expected: number) =>
    typeof size === 'number' && size !== expected
  const isWrong =
    shape.length !== 3 ||
    (isEndToEnd ? isOther(columns, 6 + extra) : classes !== undefined && isOther(rows, 4 + classes + extra))
  return isWrong ? `output0 is [${shape.join(', ')}], not ${wanted}` : undefined
}

/**
 * The boxes of a picture above a floor. Where the graph gives a score for each class, a box is given once for each that
 * is above the floor, as Ultralytics' validator takes them: what is prompted may overlap.
 *
 * @param output [1, 4 + classes (+ masks), boxes]: centre, sides, scores; or [1, boxes, 6 (+ masks)]: corners, score and
 * class
 */
export function yoloBoxes(
  { data, shape }: Value,
  { isEndToEnd }: YoloExport,
  classes: number,
  floor: number,
): YoloBox[] {
  const values = data as Float32Array
  const [, rows = 0, columns = 0] = shape
  const found: YoloBox[] = []
  if (isEndToEnd) {
    for (let row = 0; row < rows; row++) {
      const [x1, y1, x2, y2, score, label] = values.subarray(row * columns) as unknown as Six
      if (score >= floor && score > 0) found.push({ xyxy: [x1, y1, x2, y2], score, label: Math.round(label) })
    }
    return found
  }
  const scores = values.subarray(4 * columns, (4 + classes) * columns)
  // Some exports of others stop before the sigmoid; a probability is never below 0.
  const areLogits = scores.some((score) => score < 0 || score > 1)
  for (let label = 0; label < classes; label++) {
    for (let box = 0; box < columns; box++) {
      const value = scores[label * columns + box]!
      const score = areLogits ? 1 / (1 + Math.exp(-value)) : value
      if (score < floor) continue
      const side = (row: number) => values[row * columns + box]!
      const [x, y, halfWidth, halfHeight] = [side(0), side(1), side(2) / 2, side(3) / 2]
      found.push({ xyxy: [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight], score, label })
    }
  }
  return found
}

type Six = readonly [number, number, number, number, number, number]
