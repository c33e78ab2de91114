import { hashJson } from '../../base/hash.js'
import type { FilterConfig } from '../../filter/config.js'
import type { ReadStages } from '../../filter/filter-shard.js'
import {
  fileSources,
  hashTools,
  type OpenTools,
  openTools,
  requestedFrequency,
  type ToolSources,
} from '../../filter/open-tools.js'
import type { RuleTools } from '../../filter/rule/rule-tools.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import { hashOfFile } from './hash-inputs.js'
import type { Dataset } from './stage-context.js'

/** A filter over a dataset: its tools are opened when the first shard needs them, and closed with it. */
export interface FilterStage {
  /** Hashes of what a shard is made from. */
  inputsOf(shard: string): Promise<Record<string, string>>
  work(task: ShardTask): Promise<ShardResult>
  /** The tools of the rules, for a caller that applies the rules itself. */
  tools(): Promise<RuleTools>
  close(): Promise<void>
}

const encoders = () => import('../../teacher/text-encoder.js')
const scorers = () => import('../../teacher/region-scorer.js')

/** The teacher room opens the models that rules ask for. Neither room imports the other. */
export const toolSources: ToolSources = {
  ...fileSources,
  embedders: {
    check: async (path) => (await encoders()).checkTextEncoder(path),
    hash: async (path) => (await encoders()).hashTextEncoder(path),
    open: async (path) => (await encoders()).openTextEncoder(path),
  },
  scorers: {
    check: async (path) => (await scorers()).checkRegionScorer(path),
    hash: async (path) => (await scorers()).hashRegionScorer(path),
    open: async (path) => (await scorers()).openRegionScorer(path),
  },
}

/** @throws UserError where a file or folder that a rule names is missing */
export async function openFilterStage(
  { storage, shards }: Pick<Dataset, 'storage' | 'shards'>,
  { rules }: Pick<FilterConfig, 'rules'>,
  stages: ReadStages,
): Promise<FilterStage> {
  const frequency = await requestedFrequency({ storage, shards }, rules, stages.phrases)
  const shared = {
    ...(frequency && { frequency: hashJson([...frequency].sort()) }),
    ...(await hashTools(rules, toolSources)),
  }
  let opened: Promise<OpenTools> | undefined
  const tools = async () => {
    opened ??= openTools(rules, toolSources)
    return { ...(await opened).tools, frequency }
  }
  /** Hashes of further stages that are read, by their names. */
  const besides = async (shard: string) => {
    const hashes: Record<string, string> = {}
    for (const { family, stage } of stages.others ?? [])
      hashes[`${family} ${stage}`] = await hashOfFile(storage, family, stage, shard)
    for (const stage of stages.verdicts ?? [])
      hashes[`verdicts ${stage}`] = await hashOfFile(storage, 'verdicts', stage, shard)
    return hashes
  }
  return {
    tools,
    async inputsOf(shard) {
      return {
        ...shared,
        phrases: await hashOfFile(storage, 'phrases', stages.phrases, shard),
        ...(stages.proposals !== undefined && {
          proposals: await hashOfFile(storage, 'proposals', stages.proposals, shard),
        }),
        ...(await besides(shard)),
      }
    },
    work: async (task) =>
      (await import('../../filter/filter-shard.js')).filterShard(task, { rules, ...stages }, tools),
    async close() {
      const tools = await opened?.catch(() => undefined)
      await tools?.close()
    },
  }
}
