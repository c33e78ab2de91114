import { hashJson } from '../base/hash.js'
import { parseConfig } from '../base/parse-config.js'
import { UserError } from '../base/user-error.js'
import { openDataset } from '../catalog/open-dataset.js'
import { readCommit } from '../shards/commit.js'
import { teachConfig, teachNotHashed } from '../teacher/config.js'
import { openTeacher } from '../teacher/open-teacher.js'
import { teachShard } from '../teacher/teach-shard.js'
import { setOptions } from './set-options.js'
import { createProgress, duration } from './terminal/progress.js'

export interface TeachOptions {
  readonly model: string
  readonly phrases: string
  readonly as: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill teach`: proposals for the phrases of a dataset. */
export async function teach(dataset: string, options: TeachOptions, signal: AbortSignal): Promise<void> {
  const config = parseConfig(teachConfig.omit({ model: true }), setOptions(options.set), '--set')
  const { storage, shards } = await openDataset(dataset)
  const progress = createProgress()
  const teacher = await openTeacher(options.model, {
    ...config,
    notice: (text) => progress.finish(`  ${text}`),
  })
  const left = new Set<string>(teachNotHashed)
  const configHash = hashJson(Object.fromEntries(Object.entries(config).filter(([key]) => !left.has(key))))
  const start = performance.now()
  const sums = { phrases: 0, found: 0, proposals: 0 }
  try {
    for (const [index, shard] of shards.entries()) {
      const images = await readCommit(storage, 'images', null, shard)
      const phrases = await readCommit(storage, 'phrases', options.phrases, shard)
      if (!images?.files.images || !phrases?.files.phrases) {
        throw new UserError(
          `${dataset}: shard ${shard} has no images or no phrases "${options.phrases}": run those stages first.`,
        )
      }
      const rows = images.files.images.rows
      const task = {
        storage,
        stage: options.as,
        shard,
        configHash,
        inputs: {
          images: images.files.images.sha256,
          phrases: phrases.files.phrases.sha256,
          model: teacher.hash,
          teacher: teacher.name,
        },
        signal,
        onProgress: (done: number) => progress.update(`shard ${index + 1} of ${shards.length}`, done, rows),
      }
      const { record } = await teachShard(task, { ...config, phrases: options.phrases }, async () => teacher)
      sums.phrases += record.in
      sums.found += record.out
      sums.proposals += record.stats.counts.proposals ?? 0
    }
  } finally {
    await teacher.close()
  }
  const seconds = (performance.now() - start) / 1000
  progress.finish(
    `✓ ${options.as}  ${sums.proposals} boxes for ${sums.found} of ${sums.phrases} phrases, ${duration(seconds)}`,
  )
  if (options.json)
    process.stdout.write(`${JSON.stringify({ dataset, stage: options.as, ...sums, seconds })}\n`)
}
