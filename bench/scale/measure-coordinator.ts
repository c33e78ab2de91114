import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Engine } from '../../src/pipeline/engines/engine.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { runTasks } from '../../src/pipeline/run-tasks.js'
import { storePipeline } from '../../src/pipeline/tasks/stored-pipeline.js'
import type { TaskResult } from '../../src/pipeline/tasks/task.js'
import { openStorage } from '../../src/storage/open-storage.js'

/** A stage that makes the shards, and four that follow it shard by shard. */
const stages = 5
/** Tasks that are under way at once, as a queue would have them. */
const window = 1000

/**
 * The scheduler over so many tasks whose work is empty: it plans a list, releases tasks along the edges of the
 * DAG within the engine's window, and keeps account of each. Nothing is written but the plan.
 */
export async function measureCoordinator(folder: string, tasks: number) {
  const shards = Math.floor(tasks / stages)
  const list = join(folder, 'list.tsv')
  const lines = Array.from({ length: shards }, (_, at) => `https://example.org/${at}.jpg\ta caption\n`)
  await writeFile(list, `url\tcaption\n${lines.join('')}`)
  const words = Array.from({ length: stages - 1 }, (_, at) => ({
    ...{ name: `words-${at}`, uses: 'chunk', needs: ['web'] },
  }))
  const web = { name: 'web', uses: 'ingest', with: { format: 'tsv', path: list, shard_size: 1 } }
  const pipeline = await parsePipeline({ name: 'empty', stages: [web, ...words] })
  const result: TaskResult = {
    ...{ skipped: false, in: 1, out: 1, rejected: {}, relabelled: {}, counts: {}, failed: [], warnings: [] },
  }
  let [carried, most, now] = [0, 0, 0]
  const engine: Engine = {
    window,
    async submit() {
      carried++
      most = Math.max(most, ++now)
      await setImmediate()
      now--
      return result
    },
    close: async () => {},
  }
  const start = performance.now()
  let begun = 0
  const run = join(folder, 'run')
  await runTasks(await storePipeline(openStorage(run), pipeline), pipeline.stages, run, engine, {
    onTaskStart: () => {
      if (begun === 0) begun = performance.now()
    },
  })
  const end = performance.now()
  if (carried !== stages * shards) throw new Error(`${carried} tasks were carried of ${stages * shards}`)
  return {
    ...{ tasks: carried, seconds: (end - begun) / 1000, rate: (1000 * carried) / (end - begun) },
    ...{ planning: (begun - start) / 1000, most },
  }
}
