import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { zip } from '../base/zip.js'
import { unscaleBox } from '../boxes/xyxy.js'
import type { Picture } from '../pictures/picture.js'
import type { Phrase } from '../rows/rows.js'
import type { DetectOptions, PhraseDetection, Teacher } from '../teacher/teacher.js'
import { isSameName, type LabelMatcher, labelMatcher } from '../words/label-matches.js'
import { joinNames, type NamePrompt } from '../words/name-prompt.js'
import type { Detection } from './box-table.js'

/** A prompt of names of categories. */
export interface CategoryPrompt extends NamePrompt {
  /** For each span the index of its category; -1 for a name that does not count. */
  readonly categories: readonly number[]
}

/**
 * Category names joined by '. ', as many as asked and as fit. A long vocabulary (LVIS' 1203) takes as many
 * prompts as it needs; their boxes are merged by score alone, as in the official evaluation. A prompt-tuned
 * model is asked for its own prompt.
 *
 * @throws UserError where a prompt-tuned model does not know a category
 */
export function promptsOf(
  categories: readonly string[],
  maxNames: number,
  teacher: Pick<Teacher, 'tokensOf' | 'maxTokens' | 'prompt'>,
): CategoryPrompt[] {
  const { prompt } = teacher
  if (prompt) {
    const unknown = categories.find((name) => !prompt.includes(name))
    if (unknown !== undefined)
      throw new UserError(
        `The model was prompt-tuned for ${nameList(prompt)}; it does not know "${unknown}".`,
      )
    return [{ ...joinNames(prompt), categories: prompt.map((name) => categories.indexOf(name)) }]
  }
  const prompts: CategoryPrompt[] = []
  let names: string[] = []
  const flush = (next: number) => {
    const first = next - names.length
    if (names.length > 0)
      prompts.push({ ...joinNames(names), categories: names.map((_, index) => first + index) })
    names = []
  }
  categories.forEach((name, index) => {
    const longer = joinNames([...names, name]).text
    if (names.length === maxNames || (names.length > 0 && teacher.tokensOf(longer) > teacher.maxTokens))
      flush(index)
    names.push(name)
  })
  flush(categories.length)
  return prompts
}

/**
 * Boxes of the categories of one prompt in some pictures, in pixels of the stored ones.
 *
 * @returns with the place of each box's picture among `pictures` as its image
 */
export async function detectCategories(
  teacher: Pick<Teacher, 'detect'>,
  pictures: readonly Picture[],
  { text, spans, categories: categoryOf }: CategoryPrompt,
  categories: readonly string[],
  config: DetectOptions,
): Promise<Detection[]> {
  const queries = pictures.map((picture) => ({ picture, text, phrases: spans }))
  const found = await teacher.detect(queries, config)
  return zip(pictures, found).flatMap(([{ scale }, boxes], image) =>
    boxes.flatMap((box) => {
      const category = categoryOf[box.phrase]
      if (category === undefined)
        throw new Error(`a box is of phrase ${box.phrase} of a prompt that has ${spans.length}`)
      const name = categories[category]
      // Names that do not count have -1 for their category.
      if (name === undefined) return []
      // A detector with a fixed list proposes every box for each name; a category is that of its own name.
      if (box.label !== undefined && !isSameName(box.label, name)) return []
      const [x1, y1, x2, y2] = unscaleBox(box.xyxy, scale)
      const bbox = [x1, y1, x2 - x1, y2 - y1] as const
      return [{ image, category, bbox, score: box.score }]
    }),
  )
}

/** Boxes of a picture that count in COCO's numbers, as GLIP and most detectors give them. */
export const boxesOfPicture = 100

/** The best boxes of each picture, best first; equal ones as they came. */
export function bestOfPictures(found: readonly Detection[], most: number): Detection[] {
  const taken = new Map<number, number>()
  return [...found]
    .sort((a, b) => b.score - a.score)
    .filter(({ image }) => {
      const count = (taken.get(image) ?? 0) + 1
      taken.set(image, count)
      return count <= most
    })
}

/**
 * Whether a box is for a phrase: a detector with a fixed list proposes every box for each. Of its labels that
 * name the phrase the longest is meant, as in the filter's rule `label`.
 */
export function isMeant({ labels = [] }: Pick<Teacher, 'labels'>) {
  const matches: LabelMatcher = labelMatcher(labels)
  return ({ label }: PhraseDetection, phrase: Pick<Phrase, 'text' | 'head'>): boolean =>
    label === undefined || matches(label, phrase)
}
