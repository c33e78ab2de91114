import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { shownName } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { numberOf } from '../../formats/box-numbers.js'
import { captionLabel, foundLabel, phraseOfCvatLabel, skippedLabel } from './cvat-labels.js'
import { type FindExchange, mostBoxes } from './exchange-format.js'
import { boxOfNumber, type NumberedPicture, numberOfName, phraseOfLabel } from './exported-picture.js'
import { keyOfFile } from './key-of-file.js'
import { turnedOutline } from './percent-box.js'
import type { Returned, ReturnedBox } from './returned-picture.js'
import { timeOf } from './time-of.js'
import { xmlElements } from './xml-elements.js'

/** An element as the parser gives it: attributes under names with an @ before them. */
type Element = Readonly<Record<string, unknown>>

const parser = new XMLParser({
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  ignoreDeclaration: true,
  ignorePiTags: true,
  htmlEntities: true,
  maxNestedTags: 32,
  isArray: (name) => shapes.includes(name) || name === 'attribute' || name === 'tag',
})

const others = ['polygon', 'polyline', 'points', 'ellipse', 'cuboid', 'mask', 'skeleton']
const shapes = ['box', ...others]

/**
 * "CVAT for images 1.1" as CVAT exports it. A picture that is in the file counts as reviewed, unless it has the tag
 * `not reviewed`: CVAT does not say which of a task's pictures were looked at.
 */
export async function* readCvat(path: string, find: FindExchange): AsyncGenerator<Returned> {
  let at: string | null = null
  let index = -1
  for await (const { name, text } of xmlElements(path, 'annotations')) {
    if (name === 'track')
      throw new UserError(`${path} is "CVAT for video": export "CVAT for images 1.1" from CVAT.`)
    if (name === 'meta') at = timeOf(/<dumped>\s*([^<]{1,64}?)\s*<\/dumped>/.exec(text)?.[1])
    if (name !== 'image') continue
    const place = `${path} image ${++index + 1}`
    yield* imageOf(text, place, at, find)
  }
}

async function* imageOf(
  text: string,
  place: string,
  at: string | null,
  find: FindExchange,
): AsyncGenerator<Returned> {
  const problem = (reason: string, detail: string): Returned => ({ problem: { place, reason, detail } })
  const parsed = parse(text)
  if (typeof parsed === 'string') return yield problem('malformed_row', parsed)
  const fileName = parsed['@name']
  if (typeof fileName !== 'string') return yield problem('malformed_row', 'the image has no name')
  const tags = listOf(parsed.tag)
  const boxes = listOf(parsed.box)
  const told = tags
    .filter((tag) => tag['@label'] === captionLabel)
    .map((tag) => valuesOf(tag).get('export'))
    .find((value) => value !== undefined && value !== '')
  const ofBox = boxes.map((box) => numberOfName(valuesOf(box).get('id'))?.exchange).find(Boolean)
  const record = await find(told ?? ofBox)
  const key = keyOfFile(fileName, record.pictures)
  const picture = key === undefined ? undefined : record.pictures.get(key)
  if (!picture)
    return yield problem('unknown_picture', `${shownName(fileName)} is no picture of export ${record.id}`)
  if (tags.some((tag) => tag['@label'] === skippedLabel)) return yield { passed: 'unfinished' }
  if (boxes.length > mostBoxes)
    return yield problem('too_many_boxes', `${picture.key}: over ${mostBoxes} boxes`)
  for (const shape of others)
    for (const one of listOf(parsed[shape]))
      yield problem(
        'not_a_box',
        `${picture.key}: a ${shape} of ${shownName(String(one['@label'] ?? ''))} is no box`,
      )
  yield {
    ...{ place, exchange: record.id },
    returned: {
      ...{ picture, reviewer: null, at, captions: null },
      boxes: boxes.map((box) => boxOf(box, picture, record.id)),
      allFound: tags.some((tag) => tag['@label'] === foundLabel),
    },
  }
}

/** The element of an image, or what is wrong with it. */
function parse(text: string): Element | string {
  const valid = XMLValidator.validate(text)
  if (valid !== true) return `line ${valid.err.line} of it: ${valid.err.msg.slice(0, 200)}`
  try {
    const { image } = parser.parse(text) as Element
    return listOf(image)[0] ?? 'the image is empty'
  } catch (error) {
    return (error as Error).message.slice(0, 200)
  }
}

const listOf = (value: unknown): Element[] =>
  [value].flat().filter((one): one is Element => one !== null && typeof one === 'object')

/** The values of an element's attributes in CVAT's sense. */
const valuesOf = (element: Element): ReadonlyMap<string, string> =>
  new Map(
    listOf(element.attribute).map((one) => [
      String(one['@name']),
      typeof one['#text'] === 'string' ? one['#text'].trim() : '',
    ]),
  )

function boxOf(box: Element, picture: NumberedPicture, exchange: string): ReturnedBox {
  const side = (name: string) => numberOf(box[`@${name}`]) ?? Number.NaN
  const xyxy = [side('xtl'), side('ytl'), side('xbr'), side('ybr')] as const
  const degrees = numberOf(box['@rotation']) ?? 0
  const isTurned = degrees % 360 !== 0
  const name = numberOfName(valuesOf(box).get('id'))
  const index = name?.exchange === exchange ? boxOfNumber(picture, name.number) : undefined
  const label = typeof box['@label'] === 'string' ? box['@label'] : ''
  const phrase = phraseOfCvatLabel(label)
  return {
    box: index ?? 'new',
    // CVAT turns a box about its middle.
    xyxy: isTurned ? turnedOutline(xyxy, degrees, [(xyxy[0] + xyxy[2]) / 2, (xyxy[1] + xyxy[3]) / 2]) : xyxy,
    isTurned,
    words:
      phrase !== undefined && picture.phrases[phrase] ? phrase : (phraseOfLabel(picture, label) ?? label),
  }
}
