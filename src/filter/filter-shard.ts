import { areaOf } from '../boxes/iou.js'
import { readShard } from '../shards/read-shard.js'
import type { GroundingRow, RejectRow } from '../shards/rows.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { statsBuilder } from '../shards/stats.js'
import { writeShard } from '../shards/write-shard.js'
import { UserError } from '../user-error.js'
import type { FilterConfig } from './config.js'
import { createFilter } from './filter-proposals.js'

const scoreEdges = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
const shareEdges = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5]
const regionEdges = [1, 2, 3, 5, 10]

/**
 * Applies the rules to a shard's proposals; what they keep is its grounding. The teacher is not asked again, and no
 * picture is read. Boxes that a rule drops are counted by its name, with one reject row a picture and reason.
 *
 * @throws UserError where the shards do not belong together
 */
export async function filterShard(
  task: ShardTask,
  config: FilterConfig & { readonly phrases: string; readonly proposals: string },
): Promise<ShardResult> {
  return runShardTask(task, 'grounding', async (): Promise<ShardOutput> => {
    const { storage, stage, shard, signal, onProgress } = task
    const filter = createFilter(config.rules)
    const readsLabels = config.rules.some(({ rule }) => rule === 'label')
    const stats = statsBuilder()
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    let [done, all, out] = [0, 0, 0]

    async function* rows(): AsyncGenerator<GroundingRow> {
      for await (const { image, phraseRow, proposalRow } of joinedRows(task, config)) {
        signal?.throwIfAborted()
        const { key, width, height } = image
        const { phrases } = phraseRow
        const { teacher } = proposalRow
        const proposals = proposalRow.proposals.map((proposal) => ({
          ...proposal,
          label: proposal.label ?? null,
        }))
        if (!readsLabels && proposals.some(({ label }) => label !== null)) {
          throw new UserError(
            `Proposals "${config.proposals}" are of a detector with a fixed list of labels, which proposes every box for every phrase: put \`{ rule: label }\` first among the filter's rules.`,
          )
        }
        const { kept, dropped } = filter(proposals, { width, height, phrases })
        all += proposals.length
        out += kept.length
        for (const [reason, count] of Object.entries(dropped)) {
          rejected[reason] = (rejected[reason] ?? 0) + count
          rejects.push({ key, url: null, reason, detail: `${count} of ${proposals.length} boxes` })
        }
        stats.observe('regions_an_image', regionEdges, kept.length)
        if (kept.length > 0) stats.count('grounded_images')
        stats.count('regions', kept.length)
        const regions = kept.map(({ phrase, xyxy, score }) => {
          const { caption, start, end, head } = phrases[phrase]
          stats.observe('score', scoreEdges, score)
          stats.observe('area_share', shareEdges, areaOf(xyxy) / (width * height))
          stats.tally('heads', head)
          return { caption, phrase, start, end, xyxy, score, origin: teacher }
        })
        yield { key, regions }
        done++
        onProgress?.(done)
      }
    }
    const file = await writeShard(storage, 'grounding', stage, shard, rows())
    const rejectFile = await writeShard(storage, 'rejects', stage, shard, rejects)
    return {
      files: { grounding: file, rejects: rejectFile },
      unit: 'proposals',
      in: all,
      out,
      rejected,
      stats: stats.build(),
    }
  })
}

/** The rows of a shard's three families, image by image. */
async function* joinedRows(
  { storage, shard }: ShardTask,
  stages: { readonly phrases: string; readonly proposals: string },
) {
  const apart = new UserError(
    `${storage.url}: shard ${shard} of phrases "${stages.phrases}" or proposals "${stages.proposals}" does not match its images: run those stages again.`,
  )
  const columns = ['key', 'width', 'height'] as const
  const phrases = readShard(storage, 'phrases', stages.phrases, shard)
  const proposals = readShard(storage, 'proposals', stages.proposals, shard)
  try {
    for await (const image of readShard(storage, 'images', null, shard, { columns })) {
      const phraseRow = (await phrases.next()).value
      const proposalRow = (await proposals.next()).value
      if (phraseRow?.key !== image.key || proposalRow?.key !== image.key) throw apart
      if (proposalRow.proposals.some(({ phrase }) => !phraseRow.phrases[phrase])) throw apart
      yield { image, phraseRow, proposalRow }
    }
    if (!(await phrases.next()).done || !(await proposals.next()).done) throw apart
  } finally {
    await phrases.return()
    await proposals.return()
  }
}
