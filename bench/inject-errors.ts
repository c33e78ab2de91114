/** Errors put into gold on purpose: of four kinds, known box by box, the same for the same seed and picture. */
import { random } from '../src/base/random.js'
import { iou } from '../src/boxes/iou.js'
import { clipBox, type Xyxy } from '../src/boxes/xyxy.js'
import type { Region } from '../src/rows/rows.js'

export const errorKinds = ['missing', 'misplaced', 'swapped', 'extra'] as const
export type ErrorKind = (typeof errorKinds)[number]

/** A picture's gold with errors in it. */
export interface Injected {
  readonly regions: readonly Region[]
  /** Of each region, what is wrong with it; null where nothing is. */
  readonly wrong: readonly (Exclude<ErrorKind, 'missing'> | null)[]
  /** What was taken out. */
  readonly removed: readonly Region[]
}

/** A box and all regions that have it. */
interface Thing {
  readonly xyxy: Xyxy
  readonly regions: readonly Region[]
}

/**
 * Each thing of a picture, with all its regions, has an error of each kind with probability `rate`: its box is
 * removed; moved and scaled to an IoU of 0.3 to 0.6 with what it was; exchanged with that of a thing of other
 * phrases; or a box of its phrases is added where it overlaps nothing by more than a tenth.
 */
export function injectErrors(
  { key, width, height }: { readonly key: string; readonly width: number; readonly height: number },
  regions: readonly Region[],
  { rate, seed }: { readonly rate: number; readonly seed: number },
): Injected {
  const draw = random(seed, 'errors', key)
  const size = { width, height }
  const things = thingsOf(regions)
  const out: { readonly region: Region; readonly wrong: Injected['wrong'][number] }[] = []
  const removed: Region[] = []
  const drawn = things.map(() => draw.next() / rate)
  const kindOf = drawn.map((at): ErrorKind | null =>
    at < 1 ? 'missing' : at < 2 ? 'misplaced' : at < 3 ? 'swapped' : null,
  )
  const partner = new Map<Thing, Thing>()
  things.forEach((thing, index) => {
    if (kindOf[index] !== 'swapped' || partner.has(thing)) return
    const others = things.filter(
      (other, at) =>
        other !== thing &&
        !partner.has(other) &&
        (kindOf[at] === null || kindOf[at] === 'swapped') &&
        !sharesPhrase(thing, other),
    )
    // Two are exchanged at a time, so that as many are drawn as errors are asked for.
    if (others.length === 0 || draw.next() < 0.5) return
    const other = draw.pick(others)
    partner.set(thing, other)
    partner.set(other, thing)
  })
  const placed: Xyxy[] = things.map(({ xyxy }) => xyxy)
  things.forEach((thing, index) => {
    const kind = kindOf[index]
    const other = partner.get(thing)
    const put = (xyxy: Xyxy, wrong: Injected['wrong'][number]) => {
      for (const region of thing.regions)
        out.push({ region: wrong === null ? region : { ...region, xyxy, area: null }, wrong })
    }
    if (other) put(other.xyxy, 'swapped')
    else if (kind === 'missing') removed.push(...thing.regions)
    else if (kind === 'misplaced') {
      const moved = tries(() => {
        const box = movedBox(thing.xyxy, draw, size)
        const overlap = box && iou(box, thing.xyxy)
        return box && overlap !== undefined && overlap >= 0.3 && overlap <= 0.6 ? box : undefined
      })
      put(moved ?? thing.xyxy, moved ? 'misplaced' : null)
    } else put(thing.xyxy, null)
    if (draw.next() >= rate) return
    const [x1, y1, x2, y2] = thing.xyxy
    const added = tries((): Xyxy | undefined => {
      const [w, h] = [(x2 - x1) * draw.between(0.7, 1.3), (y2 - y1) * draw.between(0.7, 1.3)]
      const [x, y] = [draw.next() * (width - w), draw.next() * (height - h)]
      const box: Xyxy = [x, y, x + w, y + h]
      return x >= 0 && y >= 0 && placed.every((own) => iou(own, box) < 0.1) ? box : undefined
    })
    if (!added) return
    placed.push(added)
    for (const region of thing.regions)
      out.push({ region: { ...region, xyxy: added, area: null }, wrong: 'extra' })
  })
  return { regions: out.map(({ region }) => region), wrong: out.map(({ wrong }) => wrong), removed }
}

function thingsOf(regions: readonly Region[]): Thing[] {
  const things = new Map<string, { xyxy: Xyxy; regions: Region[] }>()
  for (const region of regions) {
    const thing = things.get(region.xyxy.join()) ?? { xyxy: region.xyxy, regions: [] }
    things.set(region.xyxy.join(), thing)
    thing.regions.push(region)
  }
  return [...things.values()]
}

const sharesPhrase = (a: Thing, b: Thing) =>
  a.regions.some(({ phrase }) => b.regions.some((other) => other.phrase === phrase))

/** A box moved by up to half its size, and scaled by up to 1.6 either way, each side by itself. */
function movedBox(
  [x1, y1, x2, y2]: Xyxy,
  draw: ReturnType<typeof random>,
  size: { readonly width: number; readonly height: number },
): Xyxy | undefined {
  const [w, h] = [x2 - x1, y2 - y1]
  const [sx, sy] = [1.6 ** draw.between(-1, 1), 1.6 ** draw.between(-1, 1)]
  const [cx, cy] = [(x1 + x2) / 2 + w * draw.between(-0.5, 0.5), (y1 + y2) / 2 + h * draw.between(-0.5, 0.5)]
  return clipBox([cx - (w * sx) / 2, cy - (h * sy) / 2, cx + (w * sx) / 2, cy + (h * sy) / 2], size)
}

function tries<T>(make: () => T | undefined): T | undefined {
  for (let left = 100; left > 0; left--) {
    const made = make()
    if (made !== undefined) return made
  }
  return undefined
}
