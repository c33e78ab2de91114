import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { thisProcess } from '../../src/base/process-identity.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import type { Pipeline } from '../../src/pipeline/stages/pipeline-config.js'
import type { PresenceRecord } from '../../src/pipeline/tasks/presence-record.js'
import { presenceFolder } from '../../src/pipeline/tasks/read-presences.js'
import { storePipeline } from '../../src/pipeline/tasks/stored-pipeline.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { madeOnce } from './made-once.js'
import { smallWorld } from './small-world.js'
import { temporaryFolder } from './temporary-folder.js'

/** A run of three shards whose crawl is done; of `chunk` and `teacher` nothing is. */
export interface WatchedRun {
  readonly run: Storage
  readonly hash: string
  /** Makes `chunk` too. */
  chunk(): Promise<void>
  /** Notes down what a process says of itself; by default this one, which waits. */
  present(name: string, change?: Partial<PresenceRecord>): Promise<void>
}

async function smallPipeline(folder: string): Promise<Pipeline> {
  const world = await smallWorld()
  const source = `{ format: coco, images: ${world}/gold/images, instances: ${world}/gold/annotations.json, shard_size: 12 }`
  const file = join(folder, 'small.yaml')
  await writeFile(
    file,
    `name: small
stages:
  - { name: gold, uses: ingest, with: ${source} }
  - { name: chunk, uses: chunk, needs: [gold] }
  - { name: teacher, uses: train, needs: [gold], with: { steps: 10 } }
`,
  )
  return readPipeline(file)
}

const crawled = madeOnce('crawled-run', async (folder) => {
  await runPipeline(await smallPipeline(await temporaryFolder()), folder, { only: ['gold'] })
})

/** @param url of the run; a temporary folder by default */
export async function watchedRun(url?: string): Promise<WatchedRun> {
  const folder = await temporaryFolder()
  const pipeline = await smallPipeline(folder)
  const place = url ?? join(folder, 'run')
  const run = openStorage(place)
  const made = openStorage(await crawled())
  for (const name of await made.list('.')) await run.write(name, (await made.read(name)) ?? '')
  const hash = await storePipeline(run, pipeline)
  return {
    run,
    hash,
    chunk: async () => void (await runPipeline(pipeline, place, { only: ['chunk'] })),
    async present(name, change) {
      const now = new Date().toISOString()
      const record: PresenceRecord = {
        ...thisProcess,
        kind: 'worker',
        pipeline: hash,
        since: now,
        beat: now,
        rows: 0,
        tasks: { made: 0, skipped: 0, failed: 0 },
        rate: 0,
        failed: [],
        ...change,
      }
      await run.write(`${presenceFolder}/${name}.json`, JSON.stringify(record))
    },
  }
}
