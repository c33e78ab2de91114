import { random } from '../base/random.js'
import { type Turn, turnBox } from '../boxes/turn-box.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { clipBox, scaleBox } from '../boxes/xyxy.js'
import type { Caption, IgnoredRegion, NegativeRow, Phrase, Region } from '../rows/rows.js'
import { joinSpans } from '../words/join-spans.js'
import { nameInPrompt, type Span } from '../words/name-prompt.js'
import { packNames } from '../words/pack-names.js'
import type { PromptConfig } from './read/source-keys.js'
import type { GoldRegion, IgnoredBox, SourceRow } from './read/source-row.js'

export interface GoldRows {
  readonly captions: readonly Caption[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly Region[]
  /** Those that lie in the picture and have a name. */
  readonly ignored: readonly IgnoredRegion[]
  /** What is known not to be in the picture. */
  readonly absence: Omit<NegativeRow, 'key'>
  /**
   * What was left out, by reason: `degenerate_box` (outside the picture or under a pixel), `unnormalised_box`
   * (in pixels, where shares were expected), `unnamed_box` (of a name of signs alone), `bad_span`,
   * `boxed_negative` (what is said to be absent has a box).
   */
  readonly dropped: Readonly<Record<string, number>>
}

/**
 * The stored picture: its size, its pixels for one unit of the source's boxes, and where their corner lies in
 * it.
 */
export interface StoredPicture {
  readonly width: number
  readonly height: number
  readonly scale: readonly [number, number]
  readonly offset: readonly [number, number]
  /** Set where the source's boxes are in the picture as it lies in its file, before it was turned upright. */
  readonly turn?: Turn
}

/**
 * Phrases and regions of gold boxes. Boxes with spans name phrases of their captions; all boxes name their
 * category in more captions, of kind `categories`: the distinct names in the source's order joined by '. ',
 * as GLIP makes grounding of detection, as many prompts as the encoder's tokens ask for. Names that are known
 * to be absent are drawn into the prompts by the configuration's seed; they are no phrases, so training takes
 * their words for negatives.
 *
 * @param seed what makes this row's draws its own, such as its place in the source
 */
export function goldRows(
  row: Pick<
    SourceRow,
    'captions' | 'regions' | 'ignored' | 'boxUnit' | 'absent' | 'exhaustive' | 'negatives' | 'partial'
  >,
  picture: StoredPicture,
  limits: PromptConfig,
  seed: string,
): GoldRows {
  const { captions, regions: boxes, absent } = row
  const dropped: Record<string, number> = {}
  /** Names of things whose box is not kept. */
  const unboxed: string[] = []
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  const kept = (boxes ?? []).flatMap((box) => {
    const category = box.category && nameInPrompt(box.category)
    const isInPixels = row.boxUnit === 'share' && box.xyxy.some((side) => side > widestShare)
    const xyxy = isInPixels ? undefined : storedBox(box.xyxy, picture)
    if (category === '' && box.spans.length === 0) drop('unnamed_box')
    else if (xyxy) return [{ ...box, xyxy, category }]
    else drop(isInPixels ? 'unnormalised_box' : 'degenerate_box')
    unboxed.push(box.category)
    return []
  })
  const names = kept.filter(({ category }) => category !== '').sort((a, b) => a.order - b.order)
  const draw = random(limits.seed, 'absent names', seed)
  const prompts = packNames(
    names.map(({ category }) => category),
    absent.map(nameInPrompt),
    limits,
    draw,
  )
  const points = captions.map(({ text }) => [...text])

  const phrases: Phrase[] = []
  const regions: Region[] = []
  const phraseIndices = new Map<string, number>()
  const add = (caption: number, text: string, [start, end]: Span, box: GoldRegion) => {
    const { xyxy, found, head } = box
    const key = `${caption}/${start}/${end}`
    let phrase = phraseIndices.get(key)
    if (phrase === undefined) {
      phrase = phrases.push({ caption, text, start, end, head: head ?? headOf(text) }) - 1
      phraseIndices.set(key, phrase)
    }
    const { score, by } = found ?? { score: 1, by: 'gold' }
    const area = box.area === undefined ? null : box.area * pixelArea(picture)
    regions.push({ caption, phrase, start, end, xyxy, score, origin: by, area })
  }
  for (const box of kept) {
    const captionPoints = points[box.caption ?? 0] ?? []
    const sound = box.spans.filter((span) => isSound(span, captionPoints))
    for (let bad = sound.length; bad < box.spans.length; bad++) drop('bad_span')
    for (const span of joinSpans(sound, captionPoints))
      add(box.caption ?? 0, captionPoints.slice(...span).join(''), span, box)
    prompts.forEach(({ names, spans }, index) => {
      const span = spans[names.indexOf(box.category)]
      if (span) add(captions.length + index, box.category, span, box)
    })
  }
  const named = prompts.map(({ text }): Caption => ({ text, kind: 'categories' }))
  // What a box without a name is of may be anything.
  const exhaustive = row.exhaustive && dropped.unnamed_box === undefined
  const absence = absenceOf({ ...row, exhaustive, partial: [...row.partial, ...unboxed] }, phrases, drop)
  const ignored = row.ignored.flatMap((box) => ignoredRegion(box, picture))
  return { captions: [...captions, ...named], phrases, regions, ignored, absence, dropped }
}

/** Boxes in shares may lean over the border; what reaches to two times the side is in pixels. */
const widestShare = 2

/** None where the box has no name, or is not in the picture. */
function ignoredRegion(
  { category, xyxy: box, area, crowd }: IgnoredBox,
  picture: StoredPicture,
): IgnoredRegion[] {
  const xyxy = storedBox(box, picture)
  const text = nameInPrompt(category)
  if (!xyxy || text === '') return []
  const [x1, y1, x2, y2] = xyxy
  const own = (x2 - x1) * (y2 - y1)
  return [{ text, xyxy, area: area === undefined ? own : area * pixelArea(picture), crowd }]
}

/** Pixels of the stored picture, squared, for one of the unit of the source's boxes. */
const pixelArea = ({ scale: [x, y] }: StoredPicture) => x * y

/** What the source says of what is absent, by names as phrases have them, each once. */
function absenceOf(
  { exhaustive, negatives, partial }: Pick<SourceRow, 'exhaustive' | 'negatives' | 'partial'>,
  phrases: readonly Phrase[],
  drop: (reason: string) => void,
): GoldRows['absence'] {
  const clean = (names: readonly string[]) =>
    [...new Set(names.map(nameInPrompt))].filter((name) => name !== '')
  const unsure = clean(partial)
  const present = new Set([...phrases.map(({ text }) => text), ...unsure].map((text) => text.toLowerCase()))
  const kept = clean(negatives).filter((text) => {
    const isBoxed = present.has(text.toLowerCase())
    if (isBoxed) drop('boxed_negative')
    return !isBoxed
  })
  return {
    negatives: kept.map((text) => ({ text, evidence: 'verified', phrase: -1, score: null })),
    exhaustive,
    partial: unsure,
    teacher: null,
  }
}

/** The last word, lower case. */
const headOf = (text: string) => text.toLowerCase().trim().split(/\s+/).at(-1) ?? ''

/** Within the caption, and not over white space alone. */
const isSound = ([start, end]: Span, points: readonly string[]) =>
  start >= 0 && end <= points.length && points.slice(start, end).some((point) => point.trim() !== '')

/** A box of the source in pixels of the stored picture; undefined under a pixel of width or height. */
function storedBox(box: Xyxy, picture: StoredPicture): Xyxy | undefined {
  const { scale, offset, turn } = picture
  const [dx, dy] = offset
  const [left, top, right, bottom] = scaleBox(turn ? turnBox(box, turn) : box, ...scale)
  const inside = clipBox([left + dx, top + dy, right + dx, bottom + dy], picture)
  return inside && inside[2] - inside[0] >= 1 && inside[3] - inside[1] >= 1 ? inside : undefined
}
