import { random } from '../../src/base/random.js'
import { iou } from '../../src/boxes/iou.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Phrase, Proposal, Region } from '../../src/rows/rows.js'

const nouns = ['cat', 'dog', 'fish', 'duck', 'tree', 'boat', 'kite', 'bus'] as const
export const side = 200

export interface MadePicture {
  readonly key: string
  readonly text: string
  readonly phrases: readonly Phrase[]
  /** A thing of each phrase, in their order; the first has two. */
  readonly regions: readonly Region[]
  readonly proposals: readonly Proposal[]
}

/**
 * A picture of three phrases and four things of it, and what a model that mostly knows better finds: each thing for
 * its phrase, a little off; more weakly for the others; and boxes of nothing.
 */
export function madePicture(index: number): MadePicture {
  const draw = random(5, 'doubtful', index)
  const names = draw.shuffle([...nouns]).slice(0, 3)
  const text = names.join('. ')
  let at = 0
  const phrases = names.map((name): Phrase => {
    const start = at
    at += name.length + 2
    return { caption: 0, text: name, start, end: start + name.length, head: name }
  })
  const boxes: Xyxy[] = []
  while (boxes.length < 4) {
    const [w, h] = [draw.between(25, 60), draw.between(25, 60)]
    const [x, y] = [draw.between(0, side - w), draw.between(0, side - h)]
    const box: Xyxy = [x, y, x + w, y + h]
    if (boxes.every((other) => iou(other, box) === 0)) boxes.push(float32(box))
  }
  const phraseOf = (thing: number) => Math.max(0, thing - 1)
  const regions = boxes.map((xyxy, thing) => regionOf(phrases, phraseOf(thing), xyxy))
  const near = ([x1, y1, x2, y2]: Xyxy): Xyxy => {
    const off = (length: number) => length * draw.between(-0.07, 0.07)
    const [w, h] = [x2 - x1, y2 - y1]
    return float32([x1 + off(w), y1 + off(h), x2 + off(w), y2 + off(h)])
  }
  const proposals = phrases.flatMap((_, phrase): Proposal[] => {
    const things = boxes.map((box, thing) => ({
      ...{ phrase, xyxy: near(box), label: null },
      score: phraseOf(thing) === phrase ? draw.between(0.4, 0.9) : draw.between(0.02, 0.3),
    }))
    const [x, y] = [draw.between(0, side - 40), draw.between(0, side - 40)]
    const nothing = {
      phrase,
      xyxy: float32([x, y, x + 40, y + 40]),
      label: null,
      score: draw.between(0.02, 0.2),
    }
    return [...things, nothing]
  })
  return { key: `k${String(index).padStart(3, '0')}`, text, phrases, regions, proposals }
}

export function regionOf(phrases: readonly Phrase[], phrase: number, xyxy: Xyxy): Region {
  const { start, end } = phrases[phrase]
  return { caption: 0, phrase, start, end, xyxy, score: 1, origin: 'gold' }
}

/** As it is once stored. */
const float32 = (box: Xyxy): Xyxy => [
  Math.fround(box[0]),
  Math.fround(box[1]),
  Math.fround(box[2]),
  Math.fround(box[3]),
]

/** A hundred pictures, of which four have an error each, by what is wrong. */
export function doubtfulGold(): { readonly pictures: MadePicture[]; readonly wrong: Record<string, number> } {
  const pictures = Array.from({ length: 100 }, (_, index) => madePicture(index))
  const change = (index: number, to: (made: MadePicture) => readonly Region[]) => {
    const made = pictures[index]
    pictures[index] = { ...made, regions: to(made) }
  }
  change(15, ({ regions }) => regions.slice(1))
  change(20, ({ phrases, regions: [first, second, third, last] }) => {
    const [x1, y1, x2, y2] = third.xyxy
    const half: Xyxy = float32([x1, y1, (x1 + x2) / 2, y2])
    return [first, second, regionOf(phrases, third.phrase, half), last]
  })
  change(30, ({ phrases, regions: [first, second, third, last] }) => [
    ...[first, second, regionOf(phrases, 1, last.xyxy), regionOf(phrases, 2, third.xyxy)],
  ])
  change(40, ({ phrases, regions }) => [...regions, regionOf(phrases, 1, emptyPlace(regions))])
  return { pictures, wrong: { missing: 15, misplaced: 20, swapped: 30, extra: 40 } }
}

function emptyPlace(regions: readonly Region[]): Xyxy {
  for (let x = 0; x + 30 <= side; x += 5)
    for (let y = 0; y + 30 <= side; y += 5) {
      const box: Xyxy = [x, y, x + 30, y + 30]
      if (regions.every(({ xyxy }) => iou(xyxy, box) === 0)) return box
    }
  throw new Error('the picture is full')
}
