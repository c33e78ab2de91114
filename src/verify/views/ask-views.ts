import { clipBox, unscaleBox, type Xyxy } from '../../boxes/xyxy.js'
import type { Picture } from '../../pictures/picture.js'
import type { Caption, Phrase } from '../../rows/rows.js'
import type { DetectOptions, Query, Teacher } from '../../teacher/teacher.js'
import { flipWords } from '../../train/examples/flip-words.js'
import { joinNames, type Span } from '../../words/name-prompt.js'
import { sameText } from '../../words/same-text.js'
import { type ChangedPicture, mirrored, shrunk } from './turned-picture.js'

/** Ways in which a teacher is asked about a picture. */
export interface ViewOptions extends DetectOptions {
  readonly flip: boolean
  /** Shares of its sides to which the picture is shrunk, a view each. */
  readonly scales: readonly number[]
  /** Texts in which a phrase is asked for without its caption, a view each; {} is the phrase. */
  readonly templates: readonly string[]
}

/** A box that was found in a view. */
export interface ViewBox {
  /** Pixels of the stored picture. */
  readonly xyxy: Xyxy
  readonly score: number
  readonly label: string | null
}

/** Of each phrase of a picture, the boxes that a view has, best first. */
export type ViewAnswer = readonly (readonly ViewBox[])[]

/** A query of a view, and for each of its spans the phrases that it stands for. */
interface ViewQuery extends Query {
  readonly occurrences: readonly (readonly number[])[]
  back(box: Xyxy): Xyxy
}

/**
 * Asks a teacher about the phrases of a picture in several views: each caption with its phrases as it is, on the
 * mirrored picture (where left and right change places in the words too) and on smaller ones; and the
 * phrases without their captions. A detector with a fixed list of labels answers no words: it has no views of other
 * words, nor has a network that was tuned to one prompt.
 *
 * @returns the answer of each view, that of the captions on the picture itself first
 */
export async function askViews(
  teacher: Teacher,
  picture: Picture,
  captions: readonly Pick<Caption, 'text'>[],
  phrases: readonly Phrase[],
  { flip, scales, templates, ...options }: ViewOptions,
): Promise<ViewAnswer[]> {
  const whole: ChangedPicture = { picture, back: (box) => box }
  const plain = captionTexts(captions, phrases)
  const readsWords = teacher.labels === undefined && teacher.prompt === undefined
  const views: (readonly ViewQuery[])[] = [
    shownOn(whole, plain),
    ...(flip
      ? [
          shownOn(
            mirrored(picture),
            plain.map((text) => ({ ...text, ...flipWords(text) })),
          ),
        ]
      : []),
    ...scales.map((share) => shownOn(shrunk(picture, share), plain)),
    ...(readsWords ? templates : []).map((template) =>
      shownOn(whole, namedTexts(phrases, teacher.takesTemplates ? '{}' : template, teacher)),
    ),
  ]
  const inTemplates = readsWords && teacher.takesTemplates ? templates : []
  const ordinary = views.slice(0, views.length - inTemplates.length).flat()
  const found = ordinary.length > 0 ? [...(await teacher.detect(ordinary, options))] : []
  // A text of its own each: what stands around a phrase would not be read.
  for (const [at, template] of inTemplates.entries()) {
    const own = views[views.length - inTemplates.length + at] ?? []
    if (own.length > 0) found.push(...(await teacher.detect(own, { ...options, templates: [template] })))
  }
  let first = 0
  return views.map((own) => {
    const answer = phrases.map((): ViewBox[] => [])
    for (const [at, { picture: seen, occurrences, back }] of own.entries())
      for (const { phrase, xyxy, score, label = null } of found[first + at] ?? []) {
        const inside = clipBox(xyxy, seen)
        const box = inside && clipBox(back(inside), picture)
        if (!box) continue
        const stored = unscaleBox(box, picture.scale)
        for (const index of occurrences[phrase] ?? []) answer[index]?.push({ xyxy: stored, score, label })
      }
    first += own.length
    for (const boxes of answer) boxes.sort((a, b) => b.score - a.score)
    return answer
  })
}

/** A text, where the phrases are in it, and which. */
interface AskedText {
  readonly text: string
  readonly spans: readonly Span[]
  readonly occurrences: readonly (readonly number[])[]
}

const shownOn = ({ picture, back }: ChangedPicture, texts: readonly AskedText[]): ViewQuery[] =>
  texts.map(({ text, spans, occurrences }) => ({ picture, back, text, phrases: spans, occurrences }))

/** Each caption with its phrases, equal spans once. */
function captionTexts(captions: readonly Pick<Caption, 'text'>[], phrases: readonly Phrase[]): AskedText[] {
  return captions.flatMap(({ text }, caption) => {
    const bySpan = new Map<string, { readonly span: Span; readonly indices: number[] }>()
    for (const [index, { caption: own, start, end }] of phrases.entries()) {
      if (own !== caption) continue
      const known = bySpan.get(`${start}/${end}`)
      if (known) known.indices.push(index)
      else bySpan.set(`${start}/${end}`, { span: [start, end], indices: [index] })
    }
    const all = [...bySpan.values()]
    return all.length === 0
      ? []
      : [{ text, spans: all.map(({ span }) => span), occurrences: all.map(({ indices }) => indices) }]
  })
}

/** The phrases each in a template, joined as names are, in as many texts as the model has room for. */
function namedTexts(
  phrases: readonly Phrase[],
  template: string,
  { tokensOf, maxTokens }: Pick<Teacher, 'tokensOf' | 'maxTokens'>,
): AskedText[] {
  const before = [...(template.split('{}')[0] as string)].length
  const byText = new Map<
    string,
    { readonly name: string; readonly length: number; readonly indices: number[] }
  >()
  for (const [index, { text }] of phrases.entries()) {
    const known = byText.get(sameText(text))
    const name = template.replace('{}', () => text)
    if (known) known.indices.push(index)
    else byText.set(sameText(text), { name, length: [...text].length, indices: [index] })
  }
  type Named = typeof byText extends Map<string, infer One> ? One : never
  const groups: Named[][] = []
  for (const one of byText.values()) {
    const group = groups.at(-1)
    const longer = [...(group ?? []), one].map(({ name }) => name)
    if (group && tokensOf(joinNames(longer).text) <= maxTokens) group.push(one)
    else groups.push([one])
  }
  return groups.map((group) => {
    const { text, spans } = joinNames(group.map(({ name }) => name))
    return {
      text,
      spans: spans.map(([start], at): Span => {
        const from = start + before
        return [from, from + (group[at] as Named).length]
      }),
      occurrences: group.map(({ indices }) => indices),
    }
  })
}
