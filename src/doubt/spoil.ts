import type { Random } from '../base/random.js'
import { iou } from '../boxes/iou.js'
import { clipBox, type Xyxy } from '../boxes/xyxy.js'
import { type DoubtedPicture, type PlacedBox, sameBox } from './doubted-picture.js'

/** What can be wrong with a box. */
export const wrongKinds = ['misplaced', 'swapped', 'extra'] as const
export type WrongKind = (typeof wrongKinds)[number]

/** A picture's boxes with an error made on purpose, and the place of the box that has it. */
export interface Spoilt {
  readonly boxes: readonly PlacedBox[]
  readonly at: number
}

type Spoiler = (picture: DoubtedPicture, at: number, draw: Random) => Spoilt | undefined

/**
 * Errors made on purpose, each of a whole thing: of all phrases that have its box. Undefined where a picture has
 * no place for one.
 */
export const spoilers: Readonly<Record<WrongKind, Spoiler>> = {
  /** Moved and scaled, to an IoU of 0.2 to 0.65 with what it was. */
  misplaced({ boxes, width, height }, at, draw) {
    const own = boxAt(boxes, at)
    const moved = tries(() => {
      const box = movedBox(own, draw, { width, height })
      const overlap = box ? iou(box, own) : 0
      return overlap >= 0.2 && overlap <= 0.65 ? box : undefined
    })
    return moved && { boxes: boxes.map((box) => (isOf(own, box) ? { ...box, xyxy: moved } : box)), at }
  },

  /** Exchanged with the box of a thing that none of its phrases names. */
  swapped({ boxes }, at, draw) {
    const own = boxAt(boxes, at)
    const phrases = phrasesAt(boxes, own)
    const others = boxes.filter(
      ({ xyxy }) =>
        iou(xyxy, own) < 0.5 && ![...phrasesAt(boxes, xyxy)].some((phrase) => phrases.has(phrase)),
    )
    if (others.length === 0) return undefined
    const { xyxy: other } = draw.pick(others)
    const exchanged = boxes.map((box) =>
      isOf(own, box) ? { ...box, xyxy: other } : isOf(other, box) ? { ...box, xyxy: own } : box,
    )
    return { boxes: exchanged, at }
  },

  /** One more, of about its size, where no box of the picture is. */
  extra({ boxes, width, height }, at, draw) {
    const own = boxAt(boxes, at)
    const phrases = [...phrasesAt(boxes, own)]
    const [w, h] = [own[2] - own[0], own[3] - own[1]]
    const xyxy = tries((): Xyxy | undefined => {
      const [across, down] = [w * draw.between(0.6, 1.4), h * draw.between(0.6, 1.4)]
      if (across > width || down > height) return undefined
      const [x, y] = [draw.next() * (width - across), draw.next() * (height - down)]
      const box: Xyxy = [x, y, x + across, y + down]
      return boxes.every((other) => iou(other.xyxy, box) < 0.1) ? box : undefined
    })
    if (!xyxy) return undefined
    const added = phrases.map((phrase) => ({ phrase, xyxy }))
    const named = phrases.indexOf(boxes[at]?.phrase ?? -1)
    return { boxes: [...boxes, ...added], at: boxes.length + named }
  },
}

const boxAt = (boxes: readonly PlacedBox[], at: number): Xyxy => boxes[at]?.xyxy ?? [0, 0, 0, 0]

const isOf = (thing: Xyxy, { xyxy }: PlacedBox) => iou(thing, xyxy) >= sameBox

/** The phrases that have a box. */
const phrasesAt = (boxes: readonly PlacedBox[], thing: Xyxy): ReadonlySet<number> =>
  new Set(boxes.filter((box) => isOf(thing, box)).map(({ phrase }) => phrase))

/** A box moved by up to 0.6 of its sides, and each side scaled by up to 1.8 either way. */
function movedBox(
  [x1, y1, x2, y2]: Xyxy,
  draw: Random,
  picture: Pick<DoubtedPicture, 'width' | 'height'>,
): Xyxy | undefined {
  const half = (side: number) => (side * 1.8 ** draw.between(-1, 1)) / 2
  const [w, h] = [half(x2 - x1), half(y2 - y1)]
  const x = (x1 + x2) / 2 + (x2 - x1) * draw.between(-0.6, 0.6)
  const y = (y1 + y2) / 2 + (y2 - y1) * draw.between(-0.6, 0.6)
  return clipBox([x - w, y - h, x + w, y + h], picture)
}

function tries<T>(make: () => T | undefined): T | undefined {
  for (let left = 50; left > 0; left--) {
    const made = make()
    if (made !== undefined) return made
  }
  return undefined
}
