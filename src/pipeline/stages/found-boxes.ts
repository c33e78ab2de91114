import { counted } from '../../base/counted.js'
import type { ShardResult } from '../../shards/shard-task.js'

/**
 * Counts what a teacher was asked and what it found, over the shards of a stage that were made now. One that
 * finds nothing at all is most often wrong, or asked wrongly, and nothing but its numbers says so.
 */
export function foundBoxes() {
  let pictures = 0
  let phrases = 0
  let answered = 0
  return {
    /** Gives back the result. */
    add(result: ShardResult): ShardResult {
      const { record, skipped } = result
      if (!skipped) {
        pictures += record.files.proposals?.rows ?? 0
        phrases += record.in
        answered += record.out
      }
      return result
    },
    /** Whether something was asked, and nothing found. */
    isNothing: () => phrases > 0 && answered === 0,
    warning: (stage: string, teacher: string) =>
      `stage "${stage}": ${teacher} found nothing at all: no proposal for any of ${phrases} phrases in ${counted(pictures, 'picture')}. Look at how it is configured and reads pictures, or lower floor.`,
  }
}
