import { hashJson } from '../../base/hash.js'
import { mapLimited } from '../../base/map-limited.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { doubtConfig } from '../../doubt/config.js'
import type { DoubtStages } from '../../doubt/read-doubted.js'
import { readCommit } from '../../shards/commit.js'
import type { ShardTask } from '../../shards/shard-task.js'
import { datasetShards } from './dataset-shards.js'
import { hashOfFile } from './hash-inputs.js'
import { type Dataset, needed, outputOf, type StageContext, type StageOf } from './stage-context.js'
import { shardsKind, typically } from './stage-kind.js'

/** Says what is likely to be wrong in a grounding, by what a model finds for the same phrases. */
export const doubt = shardsKind({
  name: 'doubt',
  schema: doubtConfig,
  optional: true,
  makes: 'shards',
  family: 'verdicts',
  resource: 'cpu',
  notHashed: [],
  // What errors look like is learned of the whole dataset.
  edge: () => 'all',
  looks(stage, context) {
    sourceOf(stage, context)
    return []
  },
  estimate: typically(1000),
  async offers(stage, context) {
    const { dataset, stages, missing } = sourceOf(stage, context)
    return { dataset, verdicts: stage.name, judged: stages.phrases, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, stages } = sourceOf(stage, context)
    const { storage, shards } = dataset
    const learned = memoize(async () =>
      (await import('../../doubt/learn-doubt.js')).learnDoubt(
        storage,
        shards,
        stages,
        stage.with,
        context.signal,
      ),
    )
    const all = await hashOfAll(dataset, stages)
    const prepare = async (shard: string) => ({
      inputs: {
        all,
        images: await hashOfFile(storage, 'images', null, shard),
        phrases: await hashOfFile(storage, 'phrases', stages.phrases, shard),
        grounding: await hashOfFile(storage, 'grounding', stages.grounding, shard),
        proposals: await hashOfFile(storage, 'proposals', stages.proposals, shard),
        ...(stages.verdicts !== undefined && {
          verdicts: await hashOfFile(storage, 'verdicts', stages.verdicts, shard),
        }),
      },
      work: async (task: ShardTask) => {
        const { doubtShard } = await import('../../doubt/doubt-shard.js')
        return doubtShard(task, { ...stage.with, ...stages }, learned)
      },
    })
    return datasetShards(stage, configHash, dataset, prepare)
  },
})

/** What is held against each other. */
function sourceOf(
  stage: StageOf,
  context: StageContext,
): { readonly dataset: Dataset; readonly stages: DoubtStages; readonly missing: readonly string[] } {
  const gold = needed(stage, context, ['grounding', 'phrases', 'dataset'], 'a grounding')
  const found = needed(stage, context, ['proposals', 'phrases', 'dataset'], 'proposals')
  const judged = stage.needs.flatMap((name) => {
    const output = outputOf(context, name)
    return output.verdicts === undefined ? [] : [output]
  })
  if (judged.length > 1)
    throw new UserError(
      `Stage "${stage.name}" (doubt) takes verdicts from one stage, and needs several that give them: ${judged.map(({ name }) => name).join(', ')}.`,
    )
  const [verdicts] = judged
  const isOther = (output: { readonly dataset?: Dataset }) =>
    output.dataset?.storage.url !== gold.dataset.storage.url
  const isJudged = verdicts?.judged === undefined || verdicts.judged === gold.phrases
  if (!isJudged)
    throw new UserError(
      `Stage "${stage.name}" (doubt): the verdicts "${verdicts?.name}" are of the phrases of "${verdicts?.judged}", the boxes of "${gold.name}" of those of "${gold.phrases}".`,
    )
  if (found.phrases !== gold.phrases || isOther(found) || (verdicts && isOther(verdicts)))
    throw new UserError(
      `Stage "${stage.name}" (doubt): "${gold.name}" and "${isOther(found) || found.phrases !== gold.phrases ? found.name : verdicts?.name}" are of other phrases: proposals are needed of the phrases of "${gold.phrases}", as a teach stage that needs it makes them.`,
    )
  return {
    dataset: gold.dataset,
    stages: {
      phrases: gold.phrases,
      grounding: gold.grounding,
      proposals: found.proposals,
      verdicts: verdicts?.verdicts,
    },
    missing: [...new Set([gold, found, ...judged].flatMap(({ missing }) => missing))],
  }
}

/** Hash of all that errors are learned of. */
async function hashOfAll(
  { storage, shards }: Dataset,
  { phrases, grounding, proposals, verdicts }: DoubtStages,
): Promise<string> {
  const stages = { phrases, grounding, proposals, ...(verdicts !== undefined && { verdicts }) }
  const hashes = await mapLimited(shards, (shard) =>
    Promise.all(
      Object.entries(stages).map(async ([family, name]) => {
        const of = family as keyof typeof stages
        return (await readCommit(storage, of, name, shard))?.files[of]?.sha256 ?? null
      }),
    ),
  )
  return hashJson(hashes)
}
