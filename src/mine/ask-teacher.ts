import type { Picture } from '../pictures/picture.js'
import type { Negative } from '../rows/rows.js'
import type { Query, Teacher } from '../teacher/teacher.js'
import { labelMatcher } from '../words/label-matches.js'
import { joinNames } from '../words/name-prompt.js'
import { namedThing } from './named-thing.js'

/** What of a teacher is asked. */
export type Asked = Pick<Teacher, 'detect' | 'tokensOf' | 'maxTokens' | 'labels'>

/** A prompt of phrases, and which of the picture's they are. */
export interface NegativePrompt extends Omit<Query, 'picture'> {
  readonly indices: readonly number[]
}

/** The phrases as prompts, each of as many as the model has room for, in their order. */
export function negativePrompts(
  texts: readonly string[],
  { tokensOf, maxTokens }: Pick<Teacher, 'tokensOf' | 'maxTokens'>,
): NegativePrompt[] {
  const groups: number[][] = []
  const namesOf = (group: readonly number[]) => group.map((index) => texts[index] ?? '')
  for (const index of texts.keys()) {
    const group = groups.at(-1)
    if (group && tokensOf(joinNames(namesOf([...group, index])).text) <= maxTokens) group.push(index)
    else groups.push([index])
  }
  return groups.map((indices) => {
    const { text, spans } = joinNames(namesOf(indices))
    return { text, phrases: spans, indices }
  })
}

/**
 * Asks a teacher for phrases that name nothing in a picture. The score of each is that of its best box; 0
 * where it has none of `floor` or more.
 */
export async function askForNegatives(
  picture: Picture,
  negatives: readonly Negative[],
  teacher: Asked,
  floor: number,
): Promise<number[]> {
  const texts = negatives.map(({ text }) => text)
  const prompts = negativePrompts(texts, teacher)
  const scores = texts.map(() => 0)
  if (prompts.length === 0) return scores
  const answers = await teacher.detect(
    prompts.map(({ text, phrases }) => ({ picture, text, phrases })),
    // One box is enough to be wrong.
    { floor, nms: 0.6, max_boxes: 1 },
  )
  const isNamed = isOf(teacher.labels ?? [])
  for (const [at, { indices }] of prompts.entries())
    for (const { phrase, score, label } of answers[at] ?? []) {
      const index = indices[phrase]
      if (index === undefined) continue
      // A detector with a fixed list of labels proposes each box for every phrase.
      if (label !== undefined && !isNamed(label, texts[index] ?? '')) continue
      scores[index] = Math.max(scores[index] ?? 0, score)
    }
  return scores
}

const none: ReadonlySet<string> = new Set()

/** Whether a label is the thing that a text names: of a compound ("hot dog") no label of fewer words is. */
function isOf(labels: readonly string[]): (label: string, text: string) => boolean {
  const matches = labelMatcher(labels)
  return (label, text) => {
    const words = namedThing(text, none).noun.split(' ')
    const isWhole = label.split(/[\s_-]+/u).length >= words.length
    return isWhole && matches(label, { text, head: words.at(-1) ?? '' })
  }
}
