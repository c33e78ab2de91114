import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openQueueEngine } from '../../src/pipeline/queue/queue-engine.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { until } from '../helpers/queue-tasks.js'
import { hasRedis, redisServer } from '../helpers/redis-server.js'
import { runCommand } from '../helpers/run-command.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

const pipelineOf = (world: string) => `
name: gold
stages:
  - name: gold
    uses: ingest
    with:
      format: coco
      images: ${world}/gold/images
      instances: ${world}/gold/annotations.json
      shard_size: 4
  - name: phrases
    uses: chunk
    needs: [gold]
`

const filesOf = async (run: string) =>
  (await readdir(run, { recursive: true })).filter((name) => name.endsWith('.parquet')).sort()

describe.skipIf(!hasRedis)('groundmill worker and groundmill queue', async () => {
  if (!hasRedis) return
  const { url } = await redisServer()
  const worker = (...args: string[]) => {
    const running = startGroundmill(['worker', ...args], { env: { ...process.env, GROUNDMILL_QUEUE: url } })
    onTestFinished(() => void running.child.kill('SIGKILL'))
    return running
  }

  it('make what one process makes, and say who does what', async () => {
    const world = join(folder, 'world')
    await makeSmallWorld(world)
    await writeFile(join(folder, 'pipeline.yaml'), pipelineOf(world))
    const pipeline = await readPipeline(join(folder, 'pipeline.yaml'), {})
    await runPipeline(pipeline, join(folder, 'alone'))

    const first = worker('--json')
    await until(() => first.err().includes('takes fetch, cpu, gpu'))
    const status = await runCommand('queue', 'status', '--queue', url, '--json')
    const { queue, resources } = JSON.parse(status.out)
    expect(queue).toBe(url)
    expect(Object.keys(resources)).toEqual(['fetch', 'cpu', 'gpu'])
    expect(resources.cpu).toMatchObject({ waiting: 0, active: 0, failed: 0, oldest: null })
    expect(resources.gpu.workers).toEqual([expect.stringMatching(new RegExp(`-${first.child.pid}$`))])
    expect((await runCommand('queue', 'status', '--queue', url)).out).toContain('takes fetch, cpu, gpu')

    const engine = await openQueueEngine({ url, pipeline })
    onTestFinished(() => engine.close())
    const { failed, outcomes } = await runPipeline(pipeline, join(folder, 'queued'), { engine })
    expect(failed).toBe(0)
    expect(await filesOf(join(folder, 'queued'))).toEqual(await filesOf(join(folder, 'alone')))
    first.signal('SIGTERM')
    const { code, out } = await first.ended
    expect(code).toBe(130)
    const made = [...outcomes.values()].reduce((sum, { ran }) => sum + ran, 0)
    expect(JSON.parse(out)).toEqual({ made, skipped: 0, failed: 0, 'put-back': 0, left: 0 })
  })

  it('refuse what they do not know in one line', async () => {
    const unknown = await worker('--take', 'cpu,tpu').ended
    expect(unknown).toMatchObject({ code: 2, out: '' })
    expect(unknown.err).toBe('groundmill: --take cpu,tpu: there is no "tpu"; there are: fetch, cpu, gpu.\n')
    const nowhere = await runCommand('queue', 'status', '--queue', 'redis://me:pa55word@127.0.0.1:1')
    expect(nowhere.code).toBe(2)
    expect(nowhere.err).toMatch(/^groundmill: Redis at redis:\/\/127.0.0.1:1 does not answer/)
    expect(nowhere.err).not.toContain('pa55word')
  })
})
