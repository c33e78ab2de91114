import { LruCache } from '../base/lru-cache.js'
import { iou } from '../boxes/iou.js'
import { liesIn } from '../boxes/lies-in.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { Caption, GroundingRow, Phrase, Region } from '../rows/rows.js'
import { joinRows } from '../shards/join-rows.js'
import type { Storage } from '../storage/storage.js'
import { categoryMatcher } from '../words/category-matcher.js'
import { type LabelMatcher, labelMatcher } from '../words/label-matches.js'
import { checkContrast, type FilterStages, filterParts, filterRow, labelsOfStages } from './filter-shard.js'
import type { Candidate, FilterRow } from './rule/rule.js'
import type { RuleConfig } from './rules.js'

/** A picture's proposals beside what its gold says. */
export interface GoldRow extends FilterRow {
  readonly teacher: string
  /** For each phrase its gold boxes. */
  readonly targets: readonly PhraseTargets[]
  /** Gold boxes of the picture that some phrase asks for, each once, as text. */
  readonly asked: ReadonlySet<string>
}

/** Gold boxes that boxes of a phrase may find; undefined where gold does not know it: they are not judged. */
export interface PhraseTargets {
  readonly boxes: readonly Xyxy[] | undefined
  /** For boxes that have the name in the phrase for a label, of the span where they have it. */
  named(start: number, end: number): readonly Xyxy[] | undefined
  /** Areas, such as crowds, in which a box that finds nothing is not judged. */
  readonly unsure: readonly Xyxy[]
}

export interface GoldStages {
  readonly rules: readonly RuleConfig[]
  readonly phrases: string
  readonly proposals: string
  readonly others?: FilterStages['others']
  readonly verdicts?: FilterStages['verdicts']
  readonly gold: Gold
}

/** A grounding that is taken for the truth, and the stage of the phrases that it points to. */
export interface Gold {
  readonly grounding: string
  readonly phrases: string
  /** Words name gold's boxes by their category. */
  readonly byCategory?: { readonly synonyms: Readonly<Record<string, readonly string[]>> }
}

/** The IoU with a gold box from which on a box is right. */
const minRightIou = 0.5

/**
 * The rows of a shard with gold. A phrase's gold is that of the same span of the same caption; where gold has
 * no such span, that of all its phrases with the same head noun: "a brown dog" is right where gold says
 * "dog". A category counts by its whole name: "a dog" is no "hot dog". A box that has a part of the phrase for
 * a label is judged by that part in the same way. Where words name by category (`gold.byCategory`), a phrase's
 * gold is all boxes of the categories that it can mean, and the boxes of one that means none are wrong.
 *
 * @throws UserError where the shards do not belong together, or the teacher was not asked what a rule reads
 */
export async function* rowsWithGold(
  storage: Storage,
  shard: string,
  stages: GoldStages,
): AsyncGenerator<GoldRow> {
  const { gold } = stages
  const filter = { ...stages, rules: [...stages.rules] }
  const parts = {
    ...filterParts(filter),
    goldPhrases: { family: 'phrases', stage: gold.phrases, columns: ['phrases'] },
    goldImages: { family: 'images', columns: ['captions'] },
    goldRegions: { family: 'grounding', stage: gold.grounding, columns: ['regions', 'ignored'] },
  } as const
  const targetsOf = goldTargets(gold.byCategory)
  await checkContrast({ storage, shard }, filter)
  const labels = await labelsOfStages({ storage, shard }, filter)
  for await (const row of joinRows(storage, shard, parts)) {
    const { candidates, image, teacher } = filterRow({ storage, shard }, filter, row, labels)
    const { goldPhrases, goldRegions, goldImages } = row
    const told = { ...goldPhrases, ...goldRegions, ...goldImages }
    const targets = targetsOf(image.phrases, told)
    const asked = new Set(targets.flatMap(({ boxes = [] }) => boxes.map((box) => box.join())))
    yield { candidates, image, teacher, targets, asked }
  }
}

/** What gold says of a picture. */
export interface Told {
  readonly captions: readonly Pick<Caption, 'kind'>[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly Pick<Region, 'phrase' | 'xyxy'>[]
  readonly ignored?: GroundingRow['ignored']
}

/** Sets of categories whose matchers are kept: pictures have few different ones, and a matcher is slow to make. */
const mostMatchers = 500

/** Makes a function that gives for each phrase its gold boxes, as `rowsWithGold` says. */
export function goldTargets(
  byCategory: Gold['byCategory'],
): (phrases: readonly Phrase[], told: Told) => PhraseTargets[] {
  const matchers = new LruCache<string, LabelMatcher>({ maxSize: mostMatchers })
  const matcherOf = (categories: readonly string[]) => {
    const name = JSON.stringify(categories)
    const known = matchers.get(name)
    if (known) return known
    const made = byCategory
      ? categoryMatcher({ categories, common: true, ...byCategory })
      : labelMatcher(categories)
    matchers.set(name, made)
    return made
  }
  return (phrases, told) => targetsOf(phrases, told, matcherOf, byCategory !== undefined)
}

function targetsOf(
  phrases: readonly Phrase[],
  { phrases: gold, regions, ignored, captions }: Told,
  matcherOf: (categories: readonly string[]) => LabelMatcher,
  isByCategory: boolean,
): PhraseTargets[] {
  const spans = new Map<string, Xyxy[]>()
  const heads = new Map<string, Xyxy[]>()
  const categories = new Map<string, Xyxy[]>()
  gold.forEach(({ caption, start, end, head, text }, index) => {
    const boxes = regions.filter(({ phrase }) => phrase === index).map(({ xyxy }) => xyxy)
    spans.set(`${caption}/${start}/${end}`, boxes)
    const isCategory = captions[caption]?.kind === 'categories'
    const [known, name] = isCategory ? [categories, text] : [heads, head.toLowerCase()]
    known.set(name, distinct([...(known.get(name) ?? []), ...boxes]))
  })
  const isOf = matcherOf([...categories.keys()])
  return phrases.map((phrase): PhraseTargets => {
    const { caption, start, end, head } = phrase
    const own = [...categories].filter(([name]) => isOf(name, phrase)).map(([, boxes]) => boxes)
    const written = heads.get(head)
    const isKnown = own.length > 0 || written !== undefined || isByCategory
    const known = isKnown ? distinct([...(written ?? []), ...own.flat()]) : undefined
    const unsure = (ignored ?? []).flatMap(({ text, xyxy }) => (isOf(text, phrase) ? [xyxy] : []))
    const named = (from: number, to: number) => spans.get(`${caption}/${from}/${to}`) ?? known
    return { boxes: named(start, end), named, unsure }
  })
}

/** Boxes, each once. */
const distinct = (boxes: readonly Xyxy[]): Xyxy[] => [
  ...new Map(boxes.map((box) => [box.join(), box])).values(),
]

/** A box, and whether it is right. */
export interface JudgedBox<B> {
  readonly box: B
  readonly right: boolean
  /** The gold box that it found. */
  readonly target?: Xyxy
}

/**
 * Judges the boxes of the phrases that gold knows: from the best on, each may take one gold box of its phrase
 * that no better one has, so that a second box of one thing is wrong.
 *
 * @param boxes best first
 */
export function judgeBoxes<
  B extends Pick<Candidate, 'phrase' | 'xyxy'> & {
    readonly relabelled?: { readonly start: number; readonly end: number }
  },
>(boxes: readonly B[], targets: GoldRow['targets']): JudgedBox<B>[] {
  const taken = new Map<number, Set<Xyxy>>()
  return boxes.flatMap((box): JudgedBox<B>[] => {
    const { relabelled } = box
    const own = targets[box.phrase]
    const phraseTargets = relabelled ? own?.named(relabelled.start, relabelled.end) : own?.boxes
    if (!phraseTargets) return []
    const used = taken.get(box.phrase) ?? new Set<Xyxy>()
    taken.set(box.phrase, used)
    let best: Xyxy | undefined
    let bestIou = minRightIou
    for (const target of phraseTargets) {
      const overlap = used.has(target) ? 0 : iou(box.xyxy, target)
      if (overlap < bestIou) continue
      bestIou = overlap
      best = target
    }
    if (!best) return liesIn(box.xyxy, own?.unsure ?? []) ? [] : [{ box, right: false }]
    used.add(best)
    return [{ box, right: true, target: best }]
  })
}
