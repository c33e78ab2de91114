import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DiskFullError } from '../../src/base/disk-full.js'
import { failedReason, reasonError } from '../../src/pipeline/queue/queue-job.js'
import { endsStage, errorOf, failureOf } from '../../src/pipeline/tasks/task-error.js'
import { withRetries } from '../../src/pipeline/tasks/with-retries.js'
import { readCommit } from '../../src/shards/commit.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { compiledMain } from '../helpers/compiled.js'
import { imageServer } from '../helpers/image-server.js'
import { nodeFlags } from '../helpers/node-flags.js'
import { hasRedis, redisServer } from '../helpers/redis-server.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const full = (code: string) => Object.assign(new Error(`${code}: no space, write`), { code })

describe.each(['ENOSPC', 'EDQUOT'])('a disk that answers %s', (code) => {
  it('is not tried again', async () => {
    let tries = 0
    const work = async () => {
      tries++
      throw new Error('could not be written', { cause: full(code) })
    }
    await expect(withRetries(work)).rejects.toThrow('could not be written')
    expect(tries).toBe(1)
  })

  it('is one for other processes too, and sets no shard aside', () => {
    const failure = failureOf(full(code))
    expect(failure.kind).toBe('disk')
    expect(failure.message).toMatch(/make room, and run the same command again/)
    for (const error of [errorOf(failure), reasonError(failedReason(failure))]) {
      expect(error).toBeInstanceOf(DiskFullError)
      expect(error.message).toBe(failure.message)
      expect(endsStage(error)).toBe(true)
    }
    expect(endsStage(new Error('of one shard'))).toBe(false)
  })
})

/** Runs a command whose folder `disk` is a disk of its own of some size, and leaves what is on it in `left`. */
async function onSmallDisk(
  kilobytes: number,
  disk: string,
  left: string,
  args: readonly string[],
  /** Of Redis, where a worker on the same disk does the tasks. */
  queue = '',
) {
  await mkdir(disk, { recursive: true })
  const script = `mount -t tmpfs -o size="$1"k tmpfs "$2" && shift && disk=$1 left=$2 && shift 2 || exit 99
[ -z "$GROUNDMILL_QUEUE" ] || { "$1" "$2" "$3" worker & worker=$!; }
"$@"; code=$?
[ -z "$worker" ] || { kill $worker; wait $worker; }
cp -a "$disk" "$left"; exit $code`
  const child = spawn(
    'unshare',
    [
      ...['-rm', 'sh', '-c', script, 'sh', String(kilobytes), disk, left],
      ...[process.execPath, ...nodeFlags, compiledMain, ...args],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, GROUNDMILL_QUEUE: queue } },
  )
  let err = ''
  child.stderr.on('data', (text) => {
    err += text
  })
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve)
    child.once('error', () => resolve(null))
  })
  return { code, err }
}

const canMount = await (async () => {
  const child = spawn('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' })
  return new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
})()

describe.runIf(canMount)('a crawl onto a disk that gets full', async () => {
  const noise = Buffer.from(Array.from({ length: 3 * 128 * 128 }, (_, at) => (at * at * 2654435761) >>> 24))
  const picture = await sharp(noise, { raw: { width: 128, height: 128, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer()
  const rows = 120
  const { url, visits } = await imageServer(
    Object.fromEntries(
      Array.from({ length: rows }, (_, index) => [
        `/${index}.jpg`,
        (_: unknown, response: { end(bytes: Uint8Array): void }) => {
          response.end(picture)
        },
      ]),
    ),
  )
  const list = join(folder, 'list.tsv')
  const lines = Array.from({ length: rows }, (_, index) => `${url}/${index}.jpg\tpicture ${index}\n`)
  await writeFile(list, `url\tcaption\n${lines.join('')}`)
  const pipeline = join(folder, 'crawl.yaml')
  await writeFile(
    pipeline,
    `name: crawl
stages:
  - name: web
    uses: ingest
    with:
      { format: tsv, path: ${list}, shard_size: 20,
        fetch: { robots: false, concurrency: 4, allow_hosts: ["${url}"] } }
`,
  )

  it.each([
    // Shards are begun while the last rows of others are under way: what is written of them takes room, too.
    { how: 'in one process', more: [], underWay: 4, least: 1 },
    { how: 'in two processes', more: ['--workers', '2'], underWay: 2, least: 2 },
    ...(hasRedis ? [{ how: 'over a queue', more: ['--queue'], underWay: 1, least: 2 }] : []),
  ])('ends at once with what is whole, $how', async ({ how, more, underWay, least }) => {
    visits.clear()
    const left = join(folder, `left ${how}`)
    const disk = join(folder, `disk ${how}`)
    const queue = how === 'over a queue' ? (await redisServer(onTestFinished)).url : ''
    // Room for three shards of twenty pictures, and a bit.
    const room = Math.ceil((3.5 * 20 * picture.length) / 1000) + 60
    const args = ['run', pipeline, '--dataset', join(disk, 'run'), ...more]
    const { code, err } = await onSmallDisk(room, disk, left, args, queue)
    expect(err).toContain('groundmill: The disk is full: make room, and run the same command again to go on.')
    expect(err).not.toContain('set aside')
    expect(code).toBe(1)
    const asked = [...visits.values()].reduce((sum, count) => sum + count, 0)
    const made = await wholeShards(join(left, 'run'))
    expect(made).toBeGreaterThanOrEqual(least)
    // Those that are there, and those that were under way.
    expect(asked).toBeLessThanOrEqual(20 * (made + underWay))

    visits.clear()
    const again = await runCommand('run', pipeline, '--dataset', join(left, 'run'))
    expect(again.code).toBe(0)
    expect(visits.size).toBe(rows - 20 * made)
    expect(await wholeShards(join(left, 'run'))).toBe(rows / 20)
  })

  async function wholeShards(run: string) {
    const storage = openStorage(join(run, 'web'))
    let count = 0
    for (let shard = 0; shard < rows / 20; shard++)
      if (await readCommit(storage, 'images', null, String(shard).padStart(5, '0'))) count++
    return count
  }
})
