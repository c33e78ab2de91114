import type { Random } from '../../base/random.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import { splitNames } from '../../words/name-prompt.js'
import type { GroundedCaption, Sample } from '../samples/sample.js'
import {
  fittingNames,
  type GroundedText,
  type NamedPhrase,
  namedText,
  type PromptLimit,
} from './grounded-text.js'

/**
 * The picture's categories and others that it lacks, in random order.
 *
 * Lacking are all other names of an exhaustive picture's source, and of another picture those alone that are
 * known to be absent.
 *
 * @param all the source's names
 * @param hard the picture's hard negatives for this prompt
 */
export function categoryPrompt(
  caption: GroundedCaption,
  sample: Sample,
  { all, hard }: { readonly all: readonly string[]; readonly hard: readonly string[] },
  draw: Random,
  limit: PromptLimit,
): GroundedText {
  const present = boxesByName([caption])
  const absent = draw.shuffle(absentNames(sample, all))
  const shown = draw.shuffle([...present.keys()])
  const lacking = new Set([...hard, ...absent.slice(0, draw.integer(absent.length + 1))])
  const names = [...shown, ...lacking].map((name): NamedPhrase => ({ name, boxes: present.get(name) ?? [] }))
  return namedText(draw.shuffle(fittingNames(names, limit)))
}

/**
 * All names that a network is prompt-tuned for, in their order. Those that the picture lacks are negatives,
 * those of which nobody knows do not count.
 */
export function tunedPrompt(sample: Sample, names: readonly string[]): GroundedText {
  const present = boxesByName(sample.captions.filter(({ kind }) => kind === 'categories'))
  const written = namedText(names.map((name) => ({ name, boxes: present.get(name) ?? [] })))
  const absent = new Set(absentNames(sample, names))
  const unknown = names.map((name) => !present.has(name) && !absent.has(name) && !isDrawnAbsent(sample, name))
  const ignored = written.phrases.filter((_, index) => unknown[index]).map(({ span }) => span)
  return { ...written, ignored }
}

/** Names that ingest drew into prompts as known to be absent: they are there, and are no phrases. */
function isDrawnAbsent({ captions, mentioned }: Sample, name: string): boolean {
  return (
    !mentioned.includes(name) &&
    captions.some(({ kind, text }) => kind === 'categories' && namesOf(text).includes(name))
  )
}

/** Names that the picture is known to lack, in the order of `all` where it is exhaustive. */
function absentNames(sample: Sample, all: readonly string[]): string[] {
  const named = [
    ...sample.captions.flatMap(({ kind, text }) => (kind === 'categories' ? namesOf(text) : [])),
    ...sample.mentioned,
    ...sample.partial,
  ]
  const taken = new Set(named.map((name) => name.toLowerCase()))
  const names = sample.exhaustive
    ? all
    : new Set(sample.negatives.flatMap(({ text, evidence }) => (evidence === 'attribute' ? [] : [text])))
  return [...names].filter((name) => !taken.has(name.toLowerCase()))
}

const namesOf = (text: string) => splitNames(text).map(({ name }) => name)

/** The boxes of the names of captions, by the name; of equal names in one caption the last. */
function boxesByName(captions: readonly GroundedCaption[]): Map<string, readonly Xyxy[]> {
  const found = new Map<string, readonly Xyxy[]>()
  for (const { text, grounded } of captions) {
    const points = [...text]
    for (const { start, end, boxes } of grounded) found.set(points.slice(start, end).join(''), boxes)
  }
  return found
}
