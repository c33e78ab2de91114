import { zip } from '../base/zip.js'
import type { PhraseDisagreement } from '../rows/rows.js'
import { createRule, type Step } from './create-rule.js'
import { clipCandidate } from './rule/clip-boxes.js'
import type { Candidate, FilterImage } from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import type { RuleConfig } from './rules.js'

/** A picture's boxes: an array, or what makes an object of a box when it is asked for. */
export interface BoxList {
  readonly length: number
  at(index: number): Candidate | undefined
  /** The same for who looks at a box and lets go of it: the next one takes its place. */
  readonly peek?: (index: number) => Candidate
}

export interface Filtered {
  /** Best first. */
  readonly kept: readonly Candidate[]
  /**
   * Boxes that each rule dropped, and `outside`: those without area in the picture. Reasons for none are
   * absent.
   */
  readonly dropped: Readonly<Record<string, number>>
  /** Where a rule compared several stages. */
  readonly disagreement?: readonly PhraseDisagreement[]
}

/** How many of the boxes that were kept each rule has left a part of their phrase for a label. */
export function relabelledBy(kept: readonly Candidate[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { relabelled } of kept)
    if (relabelled) counts[relabelled.rule] = (counts[relabelled.rule] ?? 0) + 1
  return counts
}

/**
 * A filter made of rules in their order, none of which asks a model. Boxes are clipped to the picture first.
 * The order of the proposals makes no difference, since candidates are sorted.
 */
export function createFilter(
  rules: readonly RuleConfig[],
  tools?: RuleTools,
): (proposals: readonly Candidate[], image: FilterImage) => Filtered {
  const { first, others } = stepsOf(rules, tools)
  return (proposals, image) => {
    const passage = begin(proposals, image, first)
    for (const step of others) {
      if (!('rule' in step)) throw new Error(`the rule ${step.reason} asks a model: createRowFilter runs it`)
      compare(passage, step, image)
      advance(passage, step, step.rule(passage.kept, image))
    }
    return passage
  }
}

/** A filter of several pictures at once. */
export type RowFilter = ((
  rows: readonly { readonly candidates: BoxList; readonly image: FilterImage }[],
) => Promise<Filtered[]>) & {
  /** Whether a rule asks a model: several pictures then go through together. */
  readonly asksModel: boolean
}

/**
 * The same over several pictures, with rules that ask a model: these are asked for all the pictures at once.
 */
export function createRowFilter(rules: readonly RuleConfig[], tools?: RuleTools): RowFilter {
  const { first, others } = stepsOf(rules, tools)
  const filter = async (rows: Parameters<RowFilter>[0]) => {
    const passages = rows.map(({ candidates, image }) => ({
      passage: begin(candidates, image, first),
      image,
    }))
    for (const step of others) {
      for (const { passage, image } of passages) compare(passage, step, image)
      const input = passages.map(({ passage, image }) => ({ candidates: passage.kept, image }))
      const output =
        'model' in step
          ? await step.model(input)
          : input.map(({ candidates, image }) => step.rule(candidates, image))
      for (const [{ passage }, kept] of zip(passages, output)) advance(passage, step, kept)
    }
    return passages.map(({ passage }) => passage)
  }
  return Object.assign(filter, { asksModel: others.some((step) => 'model' in step) })
}

type BoxStep = Step & Required<Pick<Step, 'keeps'>>

/** The steps with which a filter begins that decide on each box by itself, and those behind them. */
function stepsOf(rules: readonly RuleConfig[], tools?: RuleTools) {
  const steps = rules.map((config) => createRule(config, tools))
  const end = steps.findIndex(({ keeps }) => !keeps)
  const place = end === -1 ? steps.length : end
  return { first: steps.slice(0, place) as BoxStep[], others: steps.slice(place) }
}

/** What the rules so far have kept of a picture's boxes, and how many they dropped. */
interface Passage {
  kept: readonly Candidate[]
  readonly dropped: Record<string, number>
  disagreement?: readonly PhraseDisagreement[]
}

/** Clips boxes, and drops those that the first steps do: the few that are left are put in order. */
function begin(proposals: BoxList, image: FilterImage, first: readonly BoxStep[]): Passage {
  const kept: Candidate[] = []
  const drops = new Array<number>(first.length).fill(0)
  let outside = 0
  for (let index = 0; index < proposals.length; index++) {
    const proposal = proposals.peek?.(index) ?? (proposals.at(index) as Candidate)
    const box = clipCandidate(proposal, image)
    if (!box) {
      outside++
      continue
    }
    let at = 0
    while (at < first.length && (first[at] as BoxStep).keeps(box, image)) at++
    if (at === first.length) kept.push(box === proposal ? (proposals.at(index) as Candidate) : box)
    else drops[at] = (drops[at] as number) + 1
  }
  const dropped: Record<string, number> = outside > 0 ? { outside } : {}
  for (const [{ reason }, count] of zip(first, drops))
    if (count > 0) dropped[reason] = (dropped[reason] ?? 0) + count
  return { kept: kept.sort(bestFirst), dropped }
}

function compare(passage: Passage, { disagreement }: Step, image: FilterImage): void {
  if (disagreement) passage.disagreement = disagreement(passage.kept, image)
}

function advance(passage: Passage, { reason, rescores }: Step, next: readonly Candidate[]): void {
  const { kept, dropped } = passage
  if (next.length < kept.length) dropped[reason] = (dropped[reason] ?? 0) + kept.length - next.length
  passage.kept = rescores ? [...next].sort(bestFirst) : next
}

/** By score; equal scores by phrase, place, label and contrast, so that only identical proposals are tied. */
function bestFirst(a: Candidate, b: Candidate): number {
  if (a.score !== b.score) return b.score - a.score
  if (a.phrase !== b.phrase) return a.phrase - b.phrase
  for (let at = 0; at < 4; at++) {
    const difference = a.xyxy[at]! - b.xyxy[at]!
    if (difference !== 0) return difference
  }
  if (a.label !== b.label) return (a.label ?? '') < (b.label ?? '') ? -1 : 1
  return (a.contrast ?? -1) - (b.contrast ?? -1)
}
