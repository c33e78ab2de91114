import { counted } from '../base/counted.js'
import { nameList } from '../base/name-list.js'
import { didYouMean } from '../base/nearest-name.js'
import { UserError } from '../base/user-error.js'
import type { FunnelStage } from './funnel.js'
import type { OpenDataset } from './open-dataset.js'

/** What of a dataset a command works on. */
export type WorkedOn = 'grounding' | 'proposals' | 'phrases' | 'negatives' | 'verdicts'

/** What makes each of them where there is none yet. */
const madeBy: Readonly<Record<WorkedOn, string>> = {
  grounding: 'a filter stage, or an ingest stage with boxes,',
  proposals: 'a teach stage',
  phrases: 'a chunk stage',
  negatives: 'a mine stage',
  verdicts: 'a verify stage',
}

export interface ChooseOptions {
  /** As it is named by the user. */
  readonly requested?: string | undefined
  /** How it is named, for messages: `--grounding STAGE`. */
  readonly option: string
  /** What something else is already. */
  readonly except?: readonly string[]
}

/** The stages of a dataset that gave it groundings (gold under the dataset's own name), proposals or phrases. */
export function stagesWith({ stages, name, isGold, groundings }: OpenDataset, what: WorkedOn): string[] {
  if (what === 'grounding') return [...groundings]
  const made = stages.filter(({ family }) => family === what).map(({ stage }) => stage)
  return what === 'phrases' && isGold ? [name, ...made] : made
}

/**
 * The stage that a command works on: the one that is requested, else the only one that there is. This is the rule of
 * all commands: where several fit, nothing is guessed.
 *
 * @throws UserError that lists those there are where it is none of them, where there is none, or where there are
 * several and none is requested
 */
export function chooseStage(
  dataset: OpenDataset,
  what: WorkedOn,
  { requested, option, except = [] }: ChooseOptions,
): string {
  const { url } = dataset
  const all = stagesWith(dataset, what)
  if (requested !== undefined) {
    if (all.includes(requested)) return requested
    const list = all.length > 0 ? `it has: ${nameList(all)}.` : `it has none: run ${madeBy[what]} first.`
    throw new UserError(
      `${url} has no ${what} ${JSON.stringify(requested)}; ${list}${didYouMean(requested, all)}`,
    )
  }
  const fitting = all.filter((stage) => !except.includes(stage))
  const [only] = fitting
  if (only !== undefined && fitting.length === 1) return only
  if (only === undefined)
    throw new UserError(
      `${url} has no ${what}${all.length > 0 ? ` besides ${nameList(all)}` : ` yet: run ${madeBy[what]} first`}.`,
    )
  throw new UserError(
    `${url} has ${what} of several stages: ${listed(fitting.map((stage) => describeStage(dataset, what, stage)))}. Name one: ${option}.`,
  )
}

const mostListed = 20

const listed = (stages: readonly string[]): string =>
  stages.length > mostListed
    ? `${stages.slice(0, mostListed).join('; ')} and ${stages.length - mostListed} more`
    : stages.join('; ')

/** A stage and how much it has, for a line that says what a command works on: `filter (547 regions of 65 pictures)`. */
export function describeStage(dataset: OpenDataset, what: WorkedOn, stage: string): string {
  const size = sizeOf(dataset, what, stage)
  return size === undefined ? stage : `${stage} (${size})`
}

/** The same with the dataset's name before it, as `photos:filter, 547 regions of 65 pictures`. */
export function describeChosen(dataset: OpenDataset, what: WorkedOn, stage: string): string {
  const size = sizeOf(dataset, what, stage)
  return `${dataset.name}:${stage}${size === undefined ? '' : `, ${size}`}`
}

function sizeOf({ stages, name, isGold }: OpenDataset, what: WorkedOn, stage: string): string | undefined {
  const of = (family: FunnelStage['family']) =>
    stages.find((entry) => entry.family === family && entry.stage === stage)
  const isOwn = isGold && stage === name
  const entry = isOwn ? of('images') : (of(what) ?? of('selection'))
  if (!entry) return undefined
  const { counts } = entry.stats
  if (what === 'grounding') {
    const { regions = isOwn ? undefined : entry.out, grounded_images: images } = counts
    const text =
      regions === undefined
        ? undefined
        : `${counted(regions, 'region')}${images === undefined ? '' : ` of ${counted(images, 'picture')}`}`
    return isOwn ? (text === undefined ? 'gold' : `gold, ${text}`) : text
  }
  if (what === 'proposals')
    return counts.proposals === undefined ? undefined : counted(counts.proposals, 'proposal')
  if (what === 'phrases') return counts.phrases === undefined ? undefined : counted(counts.phrases, 'phrase')
  if (what === 'verdicts') return counted(counts.verdicts ?? entry.out, 'verdict')
  return `${entry.out} negatives`
}
