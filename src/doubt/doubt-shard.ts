import type { RejectRow, VerdictRow } from '../rows/rows.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { addVerdicts, rowStats } from '../statistics/row-stats.js'
import type { DoubtConfig } from './config.js'
import type { DoubtModel } from './doubt-model.js'
import { pictureDoubts } from './picture-doubts.js'
import { type DoubtStages, readDoubted } from './read-doubted.js'

/**
 * Writes what is likely to be wrong in a shard as verdicts: every box of a phrase that the model can be asked for
 * has one, with the probability that it is right, and what is missing is added.
 *
 * @param learn gives what was learned of the dataset; not called where the shard is already made
 */
export async function doubtShard(
  task: ShardTask,
  config: DoubtConfig & DoubtStages,
  learn: () => Promise<DoubtModel>,
): Promise<ShardResult> {
  const { storage, shard, stage, signal, onProgress } = task
  return runShardTask(task, 'verdicts', async (write): Promise<ShardOutput> => {
    const model = await learn()
    const stats = rowStats('verdicts')
    const rejects: RejectRow[] = []
    let boxes = 0
    let left = 0
    let done = 0
    async function* rows(): AsyncGenerator<VerdictRow> {
      for await (const { picture, teacher } of readDoubted(storage, shard, config, signal)) {
        const judge = `${stage} of ${teacher}`
        const { verdicts, unasked } = pictureDoubts(picture, model, { ...config, judge })
        boxes += picture.boxes.length
        left += unasked
        if (unasked > 0) {
          const detail = `${unasked} of ${picture.boxes.length} boxes: no label of ${teacher} means their phrase`
          rejects.push({ key: picture.key, url: null, reason: 'not_asked', detail })
        }
        addVerdicts(stats, verdicts)
        onProgress?.(++done)
        yield { key: picture.key, verdicts }
      }
    }
    const file = await write('verdicts', rows())
    const { phrases, grounding, proposals, verdicts } = config
    return {
      files: { verdicts: file, rejects: await write('rejects', rejects) },
      unit: 'boxes',
      in: boxes,
      out: boxes - left,
      rejected: left > 0 ? { not_asked: left } : {},
      stats: stats.build(),
      config: { judge: 'doubt', phrases, grounding, proposals, ...(verdicts !== undefined && { verdicts }) },
    }
  })
}
