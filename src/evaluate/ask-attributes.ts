import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { unscaleBox } from '../boxes/xyxy.js'
import type { Picture } from '../pictures/picture.js'
import type { Phrase } from '../rows/rows.js'
import type { PhraseDetection, Query, Teacher } from '../teacher/teacher.js'
import type { Span } from '../words/name-prompt.js'
import type { AttributeContrast, ContrastScores } from './attribute-contrast.js'
import { isMeant } from './category-prompts.js'
import type { EvaluateConfig } from './config.js'
import { type AttributeSwap, attributeSwaps, boxKey, type PictureGold } from './swap-attributes.js'

/** A picture with what gold says of it. */
export interface GoldPicture {
  readonly picture: Picture
  readonly gold: PictureGold
}

/** A swap whose captions are to be asked: places among the queries, and the phrase's place in both. */
interface Question {
  readonly source: GoldPicture
  readonly swap: AttributeSwap
  readonly stated: number
  readonly swapped: number
  readonly asked: number
}

/**
 * Asks for the phrases of gold captions that name an attribute, with the caption as it stands and with
 * another value in it (`attributeSwaps`). Both are asked for the same phrases, all those of the caption that
 * have boxes, so that they are treated alike; captions that are too long for the model are left out.
 */
export async function askAttributes(
  teacher: Pick<Teacher, 'detect' | 'tokensOf' | 'maxTokens' | 'labels'>,
  pictures: readonly GoldPicture[],
  config: Pick<EvaluateConfig, 'nms' | 'max_boxes'>,
): Promise<AttributeContrast[]> {
  const queries: Query[] = []
  const questions = pictures.flatMap((source) => questionsOf(teacher, source, queries))
  if (questions.length === 0) return []
  // A phrase's best box counts however weak it is.
  const found = await teacher.detect(queries, { ...config, floor: 0 })
  const isFor = isMeant(teacher)
  return questions.map((question) => contrastOf(question, queries, found, isFor))
}

/** The questions of a picture; what is to be asked for them is added to `queries`. */
function questionsOf(
  teacher: Pick<Teacher, 'tokensOf' | 'maxTokens'>,
  source: GoldPicture,
  queries: Query[],
): Question[] {
  const { picture, gold } = source
  const isShort = (text: string) => teacher.tokensOf(text) <= teacher.maxTokens
  const boxed = new Set(gold.regions.map(({ phrase }) => phrase))
  /** By caption. */
  const asStated = new Map<number, number>()
  return attributeSwaps(gold).flatMap((swap): Question[] => {
    const caption = gold.phrases[swap.phrase]?.caption
    const text = gold.captions[caption ?? -1]?.text
    if (caption === undefined || text === undefined) throw new Error('a phrase is of no caption')
    if (!isShort(text) || !isShort(swap.text)) return []
    const indices = gold.phrases.flatMap((phrase, index) =>
      phrase.caption === caption && boxed.has(index) ? [index] : [],
    )
    const spans = indices.map((index): Span => {
      const { start, end } = gold.phrases[index] as Phrase
      return [start, end]
    })
    const stated = asStated.get(caption) ?? queries.push({ picture, text, phrases: spans }) - 1
    asStated.set(caption, stated)
    const swapped = queries.push({ picture, text: swap.text, phrases: spans.map(swap.spanOf) }) - 1
    return [{ source, swap, stated, swapped, asked: indices.indexOf(swap.phrase) }]
  })
}

function contrastOf(
  { source: { picture, gold }, swap, stated, swapped, asked }: Question,
  queries: readonly Query[],
  found: readonly (readonly PhraseDetection[])[],
  isFor: ReturnType<typeof isMeant>,
): AttributeContrast {
  const { head } = gold.phrases[swap.phrase] as Phrase
  const targets = gold.regions.flatMap(({ phrase, xyxy }) => (phrase === swap.phrase ? [xyxy] : []))
  const boxesOf = (query: number): readonly (readonly [box: Xyxy, score: number])[] => {
    const { text, phrases } = queries[query] as Query
    const words = [...text].slice(...(phrases[asked] as Span)).join('')
    return (found[query] ?? [])
      .filter((box) => box.phrase === asked && isFor(box, { text: words, head }))
      .map(({ xyxy, score }) => [unscaleBox(xyxy, picture.scale), score] as const)
  }
  const isTrue = (box: Xyxy) => targets.some((target) => iou(box, target) >= 0.5)
  const scoresOf = (boxes: ReturnType<typeof boxesOf>): ContrastScores => ({
    place: Math.max(0, ...boxes.map(([box, score]) => (isTrue(box) ? score : 0))),
    presence: Math.max(0, ...boxes.map(([, score]) => score)),
  })
  const boxes = boxesOf(stated)
  const [best] = boxes
  return {
    kind: swap.kind,
    stated: scoresOf(boxes),
    swapped: scoresOf(boxesOf(swapped)),
    absent: swap.absent,
    found: best !== undefined && isTrue(best[0]),
    chance: distinct(targets) / distinct(gold.regions.map(({ xyxy }) => xyxy)),
  }
}

const distinct = (boxes: readonly Xyxy[]): number => new Set(boxes.map(boxKey)).size
