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
import { phraseKey } from './picture-truth.js'

/**
 * The picture's categories and others that it lacks, in random order.
 *
 * Lacking are all other names of an exhaustive picture's source, and of another picture those alone that are
 * known to be absent. A name of which more may be there than is boxed does not count.
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
  return withoutPartial(namedText(draw.shuffle(fittingNames(names, limit))), sample)
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
  return withoutPartial({ ...written, ignored }, sample)
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
  const named = new Set([
    ...sample.captions.flatMap(({ kind, text }) => (kind === 'categories' ? namesOf(text) : [])),
    ...sample.mentioned,
    ...sample.partial,
  ])
  const names = sample.exhaustive
    ? all
    : new Set(sample.negatives.flatMap(({ text, evidence }) => (evidence === 'attribute' ? [] : [text])))
  return [...names].filter((name) => !named.has(name))
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

/** Names of which the picture may hold more than is boxed do not count: what is not boxed is no negative. */
export function withoutPartial(written: GroundedText, { partial }: Pick<Sample, 'partial'>): GroundedText {
  if (partial.length === 0) return written
  const keys = new Set(partial.map(phraseKey))
  const points = [...written.text]
  const spans = written.phrases
    .map(({ span }) => span)
    .filter(([start, end]) => keys.has(phraseKey(points.slice(start, end).join(''))))
  return { ...written, ignored: [...written.ignored, ...spans] }
}
