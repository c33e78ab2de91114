import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { filterConfig } from '../../src/filter/config.js'
import { filterShard } from '../../src/filter/filter-shard.js'
import { chunkShard } from '../../src/nlp/chunk-shard.js'
import { chunkConfig } from '../../src/nlp/config.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { teachConfig } from '../../src/teacher/config.js'
import { teachShard } from '../../src/teacher/teach-shard.js'
import type { Teacher } from '../../src/teacher/teacher.js'
import { ingestAll } from './ingest-all.js'
import { madeOnce } from './made-once.js'
import { smallWorld } from './small-world.js'
import { temporaryFolder } from './temporary-folder.js'

const made = madeOnce('small-dataset', async (folder) => {
  const world = await smallWorld()
  const { storage, plan } = await ingestAll(folder, {
    ...{
      format: 'coco',
      images: join(world, 'gold/images'),
      instances: join(world, 'gold/annotations.json'),
    },
    shard_size: 12,
  })
  const shards = plan.shards.map(({ shard }) => shard)
  await createDataset(storage, { name: 's', card: null, shards })
  for (const shard of shards) {
    const task = { storage, shard, configHash: 'c', inputs: {} }
    const chunked = await chunkShard({ ...task, stage: 'chunk' }, chunkConfig.parse({}))
    const phrases = chunked.record.files.phrases?.sha256 ?? ''
    for (const round of [1, 2]) {
      const taught = await teachShard(
        { ...task, stage: `label-${round}`, inputs: { phrases } },
        { ...teachConfig.parse({ model: 'none' }), phrases: 'chunk' },
        async () => guesser(round),
      )
      const inputs = { phrases, proposals: taught.record.files.proposals?.sha256 ?? '' }
      const rules = [
        { rule: 'score', min: 0.3 * round },
        { rule: 'nms', iou: 0.5 },
      ]
      await filterShard(
        { ...task, stage: `round-${round}`, inputs },
        { ...filterConfig.parse({ rules }), phrases: 'chunk', proposals: `label-${round}` },
      )
    }
  }
})

/**
 * A dataset of three shards that the stages themselves made: gold of the toy world, its captions chunked,
 * boxes of two teachers that guess, and a filter over each: `s`, `chunk`, `label-1`, `label-2`, `round-1`,
 * `round-2`.
 *
 * @param given a folder for it, outside of tests
 */
export async function makeSmallDataset(
  given?: string,
): Promise<{ readonly url: string; readonly storage: Storage }> {
  const url = join(given ?? (await temporaryFolder()), 'data')
  await cp(await made(), url, { recursive: true })
  return { url, storage: openStorage(url) }
}

/**
 * A teacher whose boxes hang on the words alone: none, one or several a phrase, with odd fractions of pixels.
 */
function guesser(seed: number): Teacher {
  return {
    ...{
      name: `guesser-${seed}`,
      hash: String(seed),
      pictureSide: 100,
      batch: 4,
      parallel: 1,
      maxTokens: 256,
    },
    tokensOf: (text) => text.length,
    detect: async (queries) =>
      queries.map(({ text, phrases }) =>
        phrases.flatMap(([start, end], phrase) =>
          Array.from({ length: (text.length + start + seed) % 4 }, (_, at) => {
            const x = ((start + 7 * seed * at) % 40) + seed / 3
            const score = ((end * 13 + at * 29 + seed * 11) % 97) / 97
            return { phrase, xyxy: [x, x / 2, x + 5 + at * 9.1, x / 2 + 20 + at], score }
          }),
        ),
      ),
    close: async () => {},
  }
}
