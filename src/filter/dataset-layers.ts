import { programVersion } from '../base/files/program-version.js'
import { findFirst } from '../base/find-first.js'
import { hashJson } from '../base/hash.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { phrasesOf } from '../catalog/phrases-of.js'
import { readCommit } from '../shards/commit.js'
import { labelsOf } from '../shards/recorded-labels.js'
import { proposalRules } from './config.js'
import { groundingOrigin } from './grounding-origin.js'
import { asksFrequency, fileSources, hashTools, openPlainTools } from './open-tools.js'
import type { Candidate, FilterImage } from './rule/rule.js'
import { asksModel, type RuleConfig, someRead } from './rules.js'
import { type ThresholdBox, thresholdOf, thresholdRule, varyThreshold } from './vary-threshold.js'
import { type DroppedBox, whyDropped } from './why-dropped.js'

/**
 * Boxes over the pictures of a dataset: gold, what a filter kept, or proposals that no filter has been run
 * over.
 */
export interface DatasetLayer {
  readonly name: string
  readonly kind: 'gold' | 'filter' | 'proposals'
  /** The stage whose phrases its boxes point to. */
  readonly phrases: string
  readonly boxes: { readonly family: 'proposals' | 'grounding'; readonly stage: string }
  /** The rules as they are applied, the threshold among them; null for gold, and where they are not known. */
  readonly rules: readonly RuleConfig[] | null
  /** The rule whose `min` the threshold is. */
  readonly thresholdRule: typeof thresholdRule
  /** The threshold of the rules as they are configured. */
  readonly threshold: number
  /** Whether the threshold can be lowered as well: then `passing` is given, or the boxes are gold. */
  readonly isExact: boolean
  /**
   * A hash of all that its boxes are made by, but for the rows of its stages: rules and the files that they read. null
   * where it is not known: rules that ask for other shards.
   */
  readonly madeBy: string | null
  /** What a viewer must know of the layer; null where there is nothing. */
  readonly note: string | null
  /**
   * What the rules keep of a picture's proposals, and at which thresholds; null: the boxes are those that are
   * stored.
   */
  readonly passing: ((proposals: readonly Candidate[], image: FilterImage) => readonly ThresholdBox[]) | null
  /** The proposals that the rules drop as they are configured, and why; null where it cannot be told. */
  readonly dropped:
    | ((proposals: readonly Candidate[], image: FilterImage) => readonly DroppedProposal[])
    | null
}

/** A proposal that rules drop, and the rule that does. */
export type DroppedProposal = Pick<Candidate, 'phrase' | 'xyxy' | 'score'> & Pick<DroppedBox, 'reason'>

/** The layers of a dataset, gold first, then in the order in which its stages ran. */
export interface DatasetLayers {
  readonly layers: readonly DatasetLayer[]
  /** Groundings and proposals that cannot be read, and why. */
  readonly missing: readonly string[]
}

/**
 * The groundings of a dataset and its proposals without one, with the rules by which their threshold can be
 * moved.
 */
export async function datasetLayers(dataset: OpenDataset): Promise<DatasetLayers> {
  const layers: DatasetLayer[] = []
  const missing: string[] = []
  const filtered = new Set<string>()
  for (const grounding of dataset.groundings) {
    try {
      if (dataset.isGold && grounding === dataset.name) layers.push(storedLayer(grounding, 'gold', grounding))
      else {
        const { rules, proposals } = await groundingOrigin(dataset, grounding)
        if (proposals !== undefined) filtered.add(proposals)
        layers.push(await filterLayer(dataset, grounding, rules, proposals))
      }
    } catch (error) {
      missing.push(`${grounding}: ${(error as Error).message}`)
    }
  }
  for (const { family, stage } of dataset.stages) {
    if (family !== 'proposals' || filtered.has(stage)) continue
    try {
      layers.push(await proposalsLayer(dataset, stage))
    } catch (error) {
      missing.push(`${stage}: ${(error as Error).message}`)
    }
  }
  return { layers, missing }
}

/** The boxes of a grounding as they are stored. */
function storedLayer(name: string, kind: 'gold' | 'filter', phrases: string): DatasetLayer {
  return {
    name,
    kind,
    phrases,
    boxes: { family: 'grounding', stage: name },
    rules: null,
    thresholdRule,
    threshold: 0,
    isExact: kind === 'gold',
    madeBy: hashJson('as stored'),
    note: null,
    passing: null,
    dropped: null,
  }
}

async function filterLayer(
  dataset: OpenDataset,
  name: string,
  rules: readonly RuleConfig[] | undefined,
  proposals: string | undefined,
): Promise<DatasetLayer> {
  const phrases = await phrasesOf(dataset, 'grounding', name)
  const stored = (why: string): DatasetLayer => ({
    ...storedLayer(name, 'filter', phrases),
    rules: rules ?? null,
    note: `${why}, so the threshold can only take away from the boxes that are stored: what \`groundmill filter\` keeps may differ.`,
  })
  if (!rules) return stored('This grounding was made by an older version, which did not record its rules')
  if (someRead(rules, 'verdicts') || someRead(rules, 'sources'))
    return stored('Its rules read verdicts, or the boxes of several stages')
  if (proposals === undefined) return stored('The proposals of this grounding are no longer there')
  return (
    (await movableLayer(dataset, { name, kind: 'filter', phrases, proposals, rules })) ??
    stored('Its rules ask a model, or change scores between two thresholds')
  )
}

async function proposalsLayer(dataset: OpenDataset, name: string): Promise<DatasetLayer> {
  const phrases = await phrasesOf(dataset, 'proposals', name)
  const layer = await movableLayer(dataset, {
    name,
    kind: 'proposals',
    phrases,
    proposals: name,
    rules: proposalRules,
  })
  return {
    ...(layer as DatasetLayer),
    note: 'Proposals that no filter has been run over: shown under the rules by default.',
  }
}

/** A filter over proposals. */
interface MovableLayer extends Pick<DatasetLayer, 'name' | 'kind' | 'phrases'> {
  readonly proposals: string
  readonly rules: readonly RuleConfig[]
}

/** The layer with a threshold that can be moved; undefined where the rules do not allow it. */
async function movableLayer(
  dataset: OpenDataset,
  { name, kind, phrases, proposals, rules }: MovableLayer,
): Promise<DatasetLayer | undefined> {
  // Checked before the tools are opened, since opening a model is slow.
  if (rules.some(asksModel)) return undefined
  const tools = await openPlainTools(dataset, rules, phrases)
  const passing = varyThreshold(rules, tools)
  if (!passing) return undefined
  const why = whyDropped(rules, tools)
  const dropped: DatasetLayer['dropped'] = (boxes, image) =>
    why(boxes, image).map(({ candidate, reason }) => ({ ...candidate, reason }))
  const { storage, shards } = dataset
  const labels = labelsOf(
    await findFirst(shards, (shard) => readCommit(storage, 'proposals', proposals, shard)),
  )
  return {
    name,
    kind,
    phrases,
    boxes: { family: 'proposals', stage: proposals },
    rules,
    thresholdRule,
    threshold: thresholdOf(rules),
    isExact: true,
    madeBy: asksFrequency(rules)
      ? null
      : hashJson({ programVersion, rules, tools: await hashTools(rules, fileSources), labels }),
    note: null,
    passing: labels ? (boxes, image) => passing(boxes, { ...image, labels }) : passing,
    dropped: labels ? (boxes, image) => dropped(boxes, { ...image, labels }) : dropped,
  }
}
