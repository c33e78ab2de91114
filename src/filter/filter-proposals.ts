import { zip } from '../base/zip.js'
import type { PhraseDisagreement } from '../rows/rows.js'
import { createRule, type Step } from './create-rule.js'
import { clipBoxes } from './rule/clip-boxes.js'
import type { Candidate, FilterImage, FilterRow } from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import type { RuleConfig } from './rules.js'

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
  const steps = rules.map((config) => createRule(config, tools))
  return (proposals, image) => {
    const passage = begin(proposals, image)
    for (const step of steps) {
      if (!('rule' in step)) throw new Error(`the rule ${step.reason} asks a model: createRowFilter runs it`)
      compare(passage, step, image)
      advance(passage, step, step.rule(passage.kept, image))
    }
    return passage
  }
}

/** A filter of several pictures at once. */
export type RowFilter = ((rows: readonly FilterRow[]) => Promise<Filtered[]>) & {
  /** Whether a rule asks a model: several pictures then go through together. */
  readonly asksModel: boolean
}

/**
 * The same over several pictures, with rules that ask a model: these are asked for all the pictures at once.
 */
export function createRowFilter(rules: readonly RuleConfig[], tools?: RuleTools): RowFilter {
  const steps: Step[] = rules.map((config) => createRule(config, tools))
  const filter = async (rows: readonly FilterRow[]) => {
    const passages = rows.map(({ candidates, image }) => ({ passage: begin(candidates, image), image }))
    for (const step of steps) {
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
  return Object.assign(filter, { asksModel: steps.some((step) => 'model' in step) })
}

/** What the rules so far have kept of a picture's boxes, and how many they dropped. */
interface Passage {
  kept: readonly Candidate[]
  readonly dropped: Record<string, number>
  disagreement?: readonly PhraseDisagreement[]
}

function begin(proposals: readonly Candidate[], image: FilterImage): Passage {
  const kept = clipBoxes(proposals, image).sort(bestFirst)
  const outside = proposals.length - kept.length
  return { kept, dropped: outside > 0 ? { outside } : {} }
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
