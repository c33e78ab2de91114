import type { Phrase, Region, Verdict } from '../../rows/rows.js'
import { hasFamily } from '../../shards/has-family.js'
import { joinRows } from '../../shards/join-rows.js'
import { type AskedPart, askedSpan } from '../../words/asked-span.js'
import type { Span } from '../../words/name-prompt.js'
import { mendRegions, placeOf } from './mend-regions.js'
import { negativesStage } from './negatives-stage.js'
import type {
  GroundedCaption,
  GroundedPhrase,
  JudgedBox,
  Sample,
  SampleSource,
  UnsureWords,
} from './sample.js'

/**
 * The pictures of a shard with what is known of them, also those of which no caption has a box.
 *
 * @param withBytes without, samples have no bytes, and no picture is read
 * @param words which words of a caption stand for a phrase
 */
export async function* readSampleRows(
  source: SampleSource,
  shard: string,
  { withBytes, words = 'phrase' }: { readonly withBytes: boolean; readonly words?: AskedPart | undefined },
): AsyncGenerator<Sample> {
  const { storage, phrases, grounding, verdicts } = source
  const negatives = await negativesStage(source, shard)
  const isGold = await hasFamily(storage, 'negatives', grounding, shard)
  const joined = joinRows(storage, shard, {
    images: { columns: withBytes ? ['captions', 'image'] : ['captions'] },
    phrases: { stage: phrases, columns: ['phrases'] },
    grounding: { stage: grounding, columns: ['regions'] },
    negatives:
      negatives === undefined
        ? undefined
        : { stage: negatives, columns: ['negatives', 'exhaustive', 'partial'] },
    verdicts: verdicts === undefined ? undefined : { stage: verdicts, columns: ['verdicts'] },
  })
  for await (const row of joined) {
    const { captions } = row.images
    const { phrases: named } = row.phrases
    const given = { regions: row.grounding.regions, verdicts: row.verdicts?.verdicts ?? [] }
    const { regions, verdicts: said } = source.mends ? mendRegions(given, named) : given
    const grounded = captions.flatMap((caption, index): GroundedCaption[] => {
      const own = groundedPhrases(named, regions, { caption: index, words })
      return own.grounded.length === 0 ? [] : [{ ...caption, ...own }]
    })
    yield {
      key: row.key,
      bytes: 'image' in row.images ? row.images.image.bytes.slice() : new Uint8Array(),
      captions: grounded,
      mentioned: named.map(({ text }) => text),
      negatives: row.negatives?.negatives ?? [],
      // The boxes of gold are exhaustive, never those that a teacher found of its captions. Sources that were
      // read before they could say so box all that they name.
      exhaustive: row.negatives
        ? isGold && row.negatives.exhaustive
        : captions.some(({ kind }) => kind === 'categories'),
      partial: row.negatives?.partial ?? [],
      ...(row.verdicts && { judged: judgedBoxes(said, named, regions) }),
    }
  }
}

/**
 * The phrases of a caption with boxes and those without. A box may stand for a part of its phrase, as where
 * a filter trusts the head of "red dolphin" alone: then it names that part, and nobody knows whether the rest
 * of the phrase is true of it.
 *
 * @param caption index of the caption
 * @param words which words stand for a phrase whose box stands for all of it
 */
function groundedPhrases(
  phrases: readonly Phrase[],
  regions: readonly Region[],
  { caption, words }: { readonly caption: number; readonly words: AskedPart },
): Pick<GroundedCaption, 'grounded' | 'ungrounded' | 'unsure'> {
  const grounded: GroundedPhrase[] = []
  const ungrounded: GroundedCaption['ungrounded'][number][] = []
  const unsure: UnsureWords[] = []
  phrases.forEach((phrase, at) => {
    if (phrase.caption !== caption) return
    const own = regions.filter((region) => region.phrase === at)
    if (own.length === 0) {
      const [, end] = askedSpan(phrase, words)
      ungrounded.push([phrase.start, end])
    }
    for (const span of spansOf(own)) {
      const named = own.filter((region) => region.start === span[0] && region.end === span[1])
      const boxes = named.map(({ xyxy }) => xyxy)
      const isWhole = span[0] === phrase.start && span[1] === phrase.end
      const [start, end] = isWhole ? askedSpan(phrase, words) : span
      const name: Span = [start, Math.min(end, phrase.end)]
      grounded.push({ start, end, name, boxes, origins: named.map(({ origin }) => origin) })
      if (start > phrase.start) unsure.push({ start: phrase.start, end: start, boxes })
      if (end < phrase.end) unsure.push({ start: end, end: phrase.end, boxes })
    }
  })
  return { grounded, ungrounded, unsure }
}

/**
 * What verdicts say of boxes, and of phrases that miss some. A person looks at boxes one by one: of a phrase of which
 * nobody has said that its boxes are all, more may be there. What a person added is missing no more where the
 * grounding has it.
 */
function judgedBoxes(
  verdicts: readonly Verdict[],
  phrases: readonly Phrase[],
  regions: readonly Region[],
): JudgedBox[] {
  const there = new Set(regions.map(placeOf))
  const judged = verdicts.flatMap((said): JudgedBox[] => {
    const { phrase, xyxy, verdict, probability, person } = said
    const name = phrases[phrase]?.text
    if (name === undefined) return []
    if (verdict === 'add' && person && xyxy && there.has(placeOf(said))) return [{ name, xyxy, probability }]
    if (verdict === 'add' || verdict === 'incomplete') return [{ name, xyxy, probability: 'missing' }]
    return xyxy === null ? [] : [{ name, xyxy, probability }]
  })
  const ofPeople = verdicts.filter(({ person }) => person)
  const whole = new Set(ofPeople.flatMap(({ phrase, xyxy }) => (xyxy === null ? [phrase] : [])))
  const open = new Set(ofPeople.map(({ phrase }) => phrase).filter((phrase) => !whole.has(phrase)))
  const more = [...open].flatMap((phrase): JudgedBox[] => {
    const name = phrases[phrase]?.text
    return name === undefined ? [] : [{ name, xyxy: null, probability: 'missing' }]
  })
  return [...judged, ...more]
}

/** The different spans of regions, in the order in which they come. */
function spansOf(regions: readonly Region[]): (readonly [number, number])[] {
  const spans = new Map<string, readonly [number, number]>()
  for (const { start, end } of regions)
    if (!spans.has(`${start}/${end}`)) spans.set(`${start}/${end}`, [start, end])
  return [...spans.values()]
}
