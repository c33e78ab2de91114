import { hashJson } from '../base/hash.js'
import { readCalibration } from '../filter/calibration-file.js'
import type { FilterConfig, RuleConfig } from '../filter/config.js'
import type { RuleTools } from '../filter/create-rule.js'
import { filterShard } from '../filter/filter-shard.js'
import { headFrequency } from '../filter/head-frequency.js'
import type { ShardResult, ShardTask } from '../shards/shard-task.js'
import { hashRegionScorer, openRegionScorer } from '../teacher/region-scorer.js'
import { hashTextEncoder, openTextEncoder } from '../teacher/text-encoder.js'
import { hashOfFile } from './hash-inputs.js'
import type { Dataset } from './stage-context.js'

/** A filter over a dataset: its tools are opened when the first shard needs them, and closed with it. */
export interface FilterStage {
  /** What a shard is made of besides the configuration. */
  inputsOf(shard: string): Promise<Record<string, string>>
  work(task: ShardTask): Promise<ShardResult>
  /** What the rules need, for who applies them to rows of his own. */
  tools(): Promise<RuleTools>
  close(): Promise<void>
}

/** @throws UserError where a file or folder that a rule names is missing */
export async function openFilterStage(
  { storage, shards }: Pick<Dataset, 'storage' | 'shards'>,
  { rules }: Pick<FilterConfig, 'rules'>,
  stages: { readonly phrases: string; readonly proposals: string },
): Promise<FilterStage> {
  const frequency = rules.some(({ rule }) => rule === 'frequency_score')
    ? await headFrequency(storage, stages.phrases, shards)
    : undefined
  const shared: Record<string, string> = {}
  if (frequency) shared.frequency = hashJson([...frequency].sort())
  for (const rule of rules) {
    const made = await hashOfRule(rule)
    if (made) shared[made.name] = made.hash
  }
  const open: { close(): Promise<void> }[] = []
  let opened: Promise<RuleTools> | undefined
  const tools = () => {
    opened ??= openTools(rules, open).then((made) => ({ ...made, frequency }))
    return opened
  }
  return {
    tools,
    async inputsOf(shard) {
      return {
        ...shared,
        phrases: await hashOfFile(storage, 'phrases', stages.phrases, shard),
        proposals: await hashOfFile(storage, 'proposals', stages.proposals, shard),
      }
    },
    work: (task) => filterShard(task, { rules, ...stages }, tools),
    async close() {
      await opened?.catch(() => {})
      for (const tool of open) await tool.close()
    },
  }
}

/** Hash of what a rule reads besides its parameters. */
async function hashOfRule(
  rule: RuleConfig,
): Promise<{ readonly name: string; readonly hash: string } | undefined> {
  switch (rule.rule) {
    case 'calibrate':
      return { name: `calibrate ${rule.file}`, hash: hashJson(await readCalibration(rule.file)) }
    case 'agreement':
      return { name: `agreement ${rule.model}`, hash: await hashTextEncoder(rule.model) }
    case 'clip':
      return { name: `clip ${rule.model}`, hash: await hashRegionScorer(rule.model) }
    default:
      return undefined
  }
}

async function openTools(
  rules: readonly RuleConfig[],
  open: { close(): Promise<void> }[],
): Promise<RuleTools> {
  const kept = <T extends { close(): Promise<void> }>(tool: T) => {
    open.push(tool)
    return tool
  }
  const calibrations = new Map()
  const embedders = new Map()
  const scorers = new Map()
  for (const rule of rules) {
    if (rule.rule === 'calibrate') calibrations.set(rule.file, await readCalibration(rule.file))
    if (rule.rule === 'agreement' && !embedders.has(rule.model))
      embedders.set(rule.model, kept(await openTextEncoder(rule.model)))
    if (rule.rule === 'clip' && !scorers.has(rule.model))
      scorers.set(rule.model, kept(await openRegionScorer(rule.model)))
  }
  return { calibrations, embedders, scorers }
}
