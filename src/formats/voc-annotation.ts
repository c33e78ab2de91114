import { TextDecoder } from 'node:util'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { shownName } from '../base/name-list.js'
import type { Xyxy } from '../boxes/xyxy.js'

/** What an XML file of Pascal VOC's form says of a picture. */
export interface VocAnnotation {
  /** The picture's name as the writer had it; often without its ending, or of another time. */
  readonly filename: string | undefined
  /** Absent where it is not said, or is 0. */
  readonly size: { readonly width: number; readonly height: number } | undefined
  readonly objects: readonly VocObject[]
}

export interface VocObject {
  /** Empty where there is none. */
  readonly name: string
  readonly difficult: boolean
  /** None where it cannot be read. */
  readonly boxes: readonly VocBox[]
}

export interface VocBox {
  /** As the file has it. */
  readonly xyxy: Xyxy
  /**
   * Whether it is of `bndbox`, whose corners may be pixels; those around outlines and turned boxes are edges.
   */
  readonly isBndbox: boolean
}

/** A picture with thousands of outlines has a few MiB. */
export const maxAnnotationBytes = 32 << 20

/** What one expects of a text that is no tree: text, and elements by their names. */
type Element = Readonly<Record<string, unknown>>

const parser = new XMLParser({
  // Names such as 007 and 1e3 stay what they are.
  parseTagValue: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  transformTagName: (name) => name.toLowerCase(),
  htmlEntities: true,
  maxNestedTags: 32,
})

/**
 * Reads an annotation of Pascal VOC, labelImg and others: `<object>` with a `<name>` and a `<bndbox>`, or
 * with a `<polygon>` (of `x1`, `y1`, ... or of `<pt>`) or a `<robndbox>` (of roLabelImg), around which the
 * box is taken. Names of elements may be in capitals and have prefixes. Parts of objects are no objects, and
 * what LabelMe has deleted is none.
 *
 * @throws Error that says what is wrong with the file; entities that a file itself defines are refused
 */
export function parseVocAnnotation(bytes: Uint8Array): VocAnnotation {
  const text = decoded(bytes)
  if (/<!ENTITY/i.test(text)) throw new Error('it defines entities, which are not expanded')
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw new Error(`line ${valid.err.line}: ${valid.err.msg}`)
  const [entity] = unknownEntity.exec(text.replace(/<!\[CDATA\[.*?\]\]>|<!--.*?-->/gs, '')) ?? []
  if (entity)
    throw new Error(`it uses ${shownName(entity)}, which XML does not know: write the character itself`)
  const roots = parser.parse(text) as Element
  const [root = ''] = Object.keys(roots).filter((name) => name !== '#text')
  if (root !== 'annotation')
    throw new Error(`its root is <${shownName(root)}>, not <annotation>${exportHint(root, text)}`)
  const annotation = elementsOf(roots.annotation)[0] ?? {}
  const [size = {}] = elementsOf(annotation.size)
  const [width, height] = [numberIn(size, 'width'), numberIn(size, 'height')]
  return {
    filename: textIn(annotation, 'filename') || undefined,
    size: width > 0 && height > 0 ? { width, height } : undefined,
    objects: objectsIn(annotation)
      .filter((object) => textIn(object, 'deleted') !== '1')
      .map((object) => ({
        name: textIn(object, 'name'),
        difficult: /^(1(\.0*)?|true|yes)$/i.test(textIn(object, 'difficult')),
        boxes: boxesOf(object),
      })),
  }
}

/** A reference by a name that is none of XML's five: such names are of HTML. */
const unknownEntity = /&(?!(?:amp|lt|gt|quot|apos);)[a-z][\w.-]*;/i

/**
 * The objects of an annotation, wherever they stand: also in a list of their own, and on another, whose parts
 * are no objects.
 */
function objectsIn(element: Element): Element[] {
  return Object.entries(element).flatMap(([name, value]) => {
    if (partNames.has(name)) return []
    if (name !== 'object') return elementsOf(value).flatMap(objectsIn)
    // One without elements, such as of attributes alone, is an object of which nothing is known.
    const own = [value].flat().map((one) => elementsOf(one)[0] ?? {})
    return own.flatMap((object) => [object, ...objectsIn(object)])
  })
}

const partNames: ReadonlySet<string> = new Set(['part', 'parts'])

/** What other programs write whose files are XML too. */
function exportHint(root: string, text: string): string {
  if (root === 'annotations' && /<image\s/.test(text))
    return ': it is "CVAT for images"; export "Pascal VOC" or "COCO" from CVAT'
  if (root === 'annotations') return ': if it is of CVAT, export "Pascal VOC" or "COCO" from there'
  return ''
}

/** Text in the encoding that the file says; UTF-8 where it says none, or one that it cannot be in. */
function decoded(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  const isUtf16 = start.startsWith('\xff\xfe') || start.startsWith('\xfe\xff')
  const said =
    /^\s*(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1] ?? 'utf-8'
  // Text that .NET wrote says UTF-16 and is read here byte by byte, so it is not.
  const encoding = isUtf16
    ? start[0] === '\xff'
      ? 'utf-16le'
      : 'utf-16be'
    : /^utf-?16/i.test(said)
      ? 'utf-8'
      : said
  let decoder: TextDecoder
  try {
    decoder = new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new Error(`its encoding ${shownName(encoding)} is not known`)
  }
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Error(`it is not ${encoding}`)
  }
}

/** The elements of a name: parsers give one alone as it is, and several as a list. */
const elementsOf = (value: unknown): Element[] =>
  [value].flat().filter((one): one is Element => one !== null && typeof one === 'object')

/** The text of an element, the first of its name; empty where there is none. */
function textIn(element: Element, name: string): string {
  const [value] = [element[name]].flat()
  const text = value !== null && typeof value === 'object' ? (value as Element)['#text'] : value
  return typeof text === 'string' ? text.trim() : ''
}

function numberIn(element: Element, name: string): number {
  const text = textIn(element, name)
  return text === '' ? Number.NaN : Number(text)
}

function boxesOf(object: Element): VocBox[] {
  const bounds = elementsOf(object.bndbox).flatMap((element) => {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = ['xmin', 'ymin', 'xmax', 'ymax'].map((name) =>
      numberIn(element, name),
    )
    return sound([x1, y1, x2, y2], true)
  })
  if (bounds.length > 0) return bounds
  const turned = elementsOf(object.robndbox).flatMap(turnedBox)
  return turned.length > 0 ? turned : elementsOf(object.polygon).flatMap(boxAround)
}

const sound = (xyxy: Xyxy, isBndbox: boolean): VocBox[] =>
  xyxy.every(Number.isFinite) ? [{ xyxy, isBndbox }] : []

/** The box around a rectangle of a centre, sides and an angle in radians. */
function turnedBox(element: Element): VocBox[] {
  const [x, y, w, h, angle] = ['cx', 'cy', 'w', 'h', 'angle'].map((name) => numberIn(element, name)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))]
  const [dx, dy] = [(w * cos + h * sin) / 2, (w * sin + h * cos) / 2]
  return sound([x - dx, y - dy, x + dx, y + dy], false)
}

function boxAround(polygon: Element): VocBox[] {
  const points = elementsOf(polygon.pt).map((point) => [numberIn(point, 'x'), numberIn(point, 'y')] as const)
  const first = 'x0' in polygon ? 0 : 1
  for (let index = first; `x${index}` in polygon; index++)
    points.push([numberIn(polygon, `x${index}`), numberIn(polygon, `y${index}`)])
  if (points.length === 0) return []
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [x, y] of points) {
    ;[x1, x2] = [Math.min(x1, x), Math.max(x2, x)]
    ;[y1, y2] = [Math.min(y1, y), Math.max(y2, y)]
  }
  return sound([x1, y1, x2, y2], false)
}
