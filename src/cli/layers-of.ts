import type { OpenDataset } from '../catalog/open-dataset.js'
import { phrasesOf } from '../catalog/phrases-of.js'
import { filterConfig, type RuleConfig } from '../filter/config.js'
import { firstRecord, proposalsBehind, rulesOf } from '../filter/filter-behind.js'
import { varyThreshold } from '../filter/vary-threshold.js'
import type { Layer } from '../inspect/layer.js'
import { openFilterStage } from '../pipeline/filter-stage.js'
import type { CommitRecord } from '../shards/commit.js'

/** What is shown of a dataset, gold first, then in the order in which its stages ran. */
export interface OpenLayers {
  readonly layers: readonly Layer[]
  /** Groundings that cannot be shown, and why. */
  readonly missing: readonly string[]
}

/** For proposals that nobody has filtered: the rules by default, behind the one that reads a detector's own labels. */
const rulesOfProposals: readonly RuleConfig[] = [
  { rule: 'label', synonyms: {} },
  ...filterConfig.parse({}).rules,
]

/** The groundings of a dataset and its proposals without one, with the rules by which their threshold can be moved. */
export async function openLayers(dataset: OpenDataset): Promise<OpenLayers> {
  const layers: Layer[] = []
  const missing: string[] = []
  const filtered = new Set<string>()
  for (const grounding of dataset.groundings) {
    try {
      if (dataset.isGold && grounding === dataset.name) layers.push(goldLayer(grounding))
      else {
        const record = await firstRecord(dataset, grounding)
        const proposals = record && (await proposalsBehind(dataset, record))
        if (proposals !== undefined) filtered.add(proposals)
        layers.push(await filterLayer(dataset, grounding, record, proposals))
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
  if (layers.length === 0) layers.push(...unfoundLayers(dataset))
  return { layers, missing }
}

/** What is shown where no teacher has looked yet: the phrases of each chunk stage, or the pictures with their captions. */
function unfoundLayers({ stages }: OpenDataset): Layer[] {
  const plain = { boxes: null, rules: null, threshold: 0, isExact: true, passing: null }
  const chunked = stages.filter(({ family }) => family === 'phrases')
  const note = 'No teacher has looked for boxes yet.'
  if (chunked.length === 0) return [{ ...plain, name: 'pictures', kind: 'pictures', phrases: null, note }]
  return chunked.map(({ stage }) => ({ ...plain, name: stage, kind: 'phrases', phrases: stage, note }))
}

function goldLayer(name: string): Layer {
  return {
    ...{ name, kind: 'gold', phrases: name, boxes: { family: 'grounding', stage: name } },
    ...{ rules: null, threshold: 0, isExact: true, note: null, passing: null },
  }
}

async function filterLayer(
  dataset: OpenDataset,
  name: string,
  record: CommitRecord | undefined,
  proposals: string | undefined,
): Promise<Layer> {
  const phrases = await phrasesOf(dataset, 'grounding', name)
  const rules = record && rulesOf(record)
  const stored = (why: string): Layer => ({
    ...{ name, kind: 'filter', phrases, boxes: { family: 'grounding', stage: name } },
    ...{ rules: rules ?? null, threshold: 0, isExact: false, passing: null },
    note: `${why}, so the threshold can only take away from the boxes that are stored: what \`groundmill filter\` keeps may differ.`,
  })
  if (!rules) return stored('This grounding was made by an older version, which did not record its rules')
  if (proposals === undefined) return stored('The proposals of this grounding are no longer there')
  return (
    (await varied(dataset, name, 'filter', rules, { phrases, proposals })) ??
    stored('Its rules ask a model, or change scores between two thresholds')
  )
}

async function proposalsLayer(dataset: OpenDataset, stage: string): Promise<Layer> {
  const phrases = await phrasesOf(dataset, 'proposals', stage)
  const layer = await varied(dataset, stage, 'proposals', rulesOfProposals, { phrases, proposals: stage })
  return {
    ...(layer as Layer),
    note: 'Proposals that no filter has been run over: shown under the rules by default.',
  }
}

/** The layer whose threshold moves, where the rules allow it. */
async function varied(
  { storage, shards }: OpenDataset,
  name: string,
  kind: 'filter' | 'proposals',
  rules: readonly RuleConfig[],
  stages: { readonly phrases: string; readonly proposals: string },
): Promise<Layer | undefined> {
  // Rules that ask a model are known without opening it.
  if (rules.some(({ rule }) => rule === 'agreement' || rule === 'clip')) return undefined
  const stage = await openFilterStage({ storage, shards }, { rules: [...rules] }, stages)
  const passing = varyThreshold(rules, await stage.tools())
  await stage.close()
  if (!passing) return undefined
  const score = rules.find((rule) => rule.rule === 'score')
  return {
    ...{ name, kind, phrases: stages.phrases, boxes: { family: 'proposals', stage: stages.proposals } },
    ...{ rules, threshold: score?.min ?? 0, isExact: true, note: null, passing },
  }
}
