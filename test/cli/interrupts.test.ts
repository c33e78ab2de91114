import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readRecipe } from '../../src/world/recipe.js'
import { compiled, compiledProgram } from '../helpers/compiled.js'
import { groundmill, type Running, startGroundmill } from '../helpers/groundmill.js'
import { scansJpeg } from '../helpers/picture-bombs.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const run = join(folder, 'run')

async function until(running: Running, condition: () => boolean | Promise<boolean>): Promise<void> {
  while (running.child.exitCode === null && !(await condition())) await delay(5)
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/** What a program that asked for JSON is told. */
const toldInJson = `${JSON.stringify({ error: { message: 'interrupted; run the same command again to go on', code: 130 } })}\n`

/** The command lines of all that a process has started, and of what these have, by their ids. */
async function descendants(parent: number | undefined): Promise<Record<string, string>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found: Record<string, string> = {}
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // Fields behind the name in brackets: the state, then the parent.
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue
    found[pid] = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    Object.assign(found, await descendants(Number(pid)))
  }
  return found
}

/** Whether a process still does something: one that has ended may lie there until somebody asks how. */
async function isAlive(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
}

beforeAll(async () => {
  await makeSmallWorld(world)
  const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: [`world=${world}`] })
  await runPipeline(pipeline, run, { only: ['gold'] })
})

describe('Ctrl-C', () => {
  it('stops the making of a world, which goes on when it is run again', async () => {
    const recipe = await readRecipe('datasets/toy.yaml')
    const file = join(folder, 'recipe.yaml')
    await writeFile(file, stringify({ ...recipe, splits: { gold: 400, web: 20, known: 2, novel: 2 } }))
    const made = join(folder, 'made')
    const args = ['world', 'make', made, '--recipe', file, '--json']
    const running = startGroundmill(args)
    await until(running, async () => (await readdir(join(made, 'gold/images')).catch(() => [])).length > 5)
    running.signal('SIGINT')
    const { code, out, err } = await running.ended
    expect({ code, out, err }).toEqual({
      code: 130,
      out: toldInJson,
      err: 'interrupted; run the same command again to go on\n',
    })
    expect((await readdir(join(made, 'gold/images'))).length).toBeLessThan(400)
    const again = await groundmill(...args)
    expect({ code: again.code, out: again.out }).toEqual({
      code: 0,
      out: `${JSON.stringify({ folder: made, skipped: false })}\n`,
    })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'or %s stops a crawl that waits for its web',
    async (signal) => {
      let asked = 0
      const silent = createServer(() => asked++).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const pipeline = join(folder, 'crawl.yaml')
      const base = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`
      // Longer than this test may take: nothing but the signal ends it.
      const fetch = `{ allow_hosts: ["${base}"], timeout_ms: 900000, headers_timeout_ms: 900000 }`
      await writeFile(
        pipeline,
        `name: crawl
stages: [{ name: web, uses: ingest, with: { format: tsv, path: ${world}/web/pairs.tsv, base_url: "${base}", fetch: ${fetch} } }]`,
      )
      const out = join(folder, `crawl-${signal}`)
      const running = startGroundmill(['run', pipeline, '--dataset', out, '--json'])
      await until(running, () => asked > 0)
      running.signal(signal)
      const ended = await running.ended
      silent.close()
      expect({ code: ended.code, out: ended.out }).toEqual({ code: 130, out: toldInJson })
      expect(await readdir(join(out, 'web/images'))).toEqual([])
    },
    60_000,
  )

  it('stops training with a checkpoint', async () => {
    const model = join(folder, 'model')
    const running = startGroundmill(['train', join(run, 'gold'), '-o', model, '--set', 'batch=2'])
    await until(running, () => isThere(join(`${model}.partial`, 'metrics.jsonl')))
    running.signal('SIGINT')
    const { code } = await running.ended
    expect(code).toBe(130)
    expect(await isThere(join(`${model}.partial`, 'checkpoint.safetensors'))).toBe(true)
    expect(await isThere(model)).toBe(false)
    expect(await isThere(`${model}.lock`)).toBe(false)
  })

  it('given twice ends at once, though not where npm sends the same one on', async () => {
    // Work that never hears of the signal.
    const script = `
      import { listenForInterrupts } from './src/cli/terminal/interrupts.js'
      const signal = listenForInterrupts()
      signal.addEventListener('abort', () => setTimeout(() => console.log('still there'), 600))
      setInterval(() => {}, 1000)
      console.log('begun')
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    const ended = once(child, 'exit')
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
    })
    while (!said.includes('begun')) await delay(5)
    child.kill('SIGINT')
    child.kill('SIGINT')
    while (child.exitCode === null && !said.includes('still there')) await delay(5)
    expect(child.exitCode).toBe(null)
    child.kill('SIGINT')
    // For which shells show 130.
    expect(await ended).toEqual([null, 'SIGINT'])
  })

  it('given twice ends at once where a decoder is at work that nothing stops', async () => {
    const script = `
      import sharp from 'sharp'
      import { listenForInterrupts } from './${compiled}/cli/terminal/interrupts.js'
      import { scansJpeg } from './${compiledProgram('helpers/picture-bombs')}'
      listenForInterrupts().addEventListener('abort', () => console.log('told'))
      for (let at = 0; at < 4; at++) sharp(scansJpeg(4000, 4000, 30_000)).raw().toBuffer()
      console.log('begun')
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    await once(child.stdout, 'data')
    await delay(500)
    expect(child.exitCode).toBe(null)
    child.kill('SIGTERM')
    // Its pictures take it longer than this test may take.
    expect(await ended).toEqual([null, 'SIGINT'])
  })

  it.each([[], ['--workers', '2']])(
    'given twice ends a crawl while pictures are decoded, %s',
    async (...options) => {
      const slow = scansJpeg(9000, 9000, 100)
      const server = createServer((socket) => {
        socket.once('data', (text) => {
          const isPicture = String(text).includes('.jpg')
          socket.write(`HTTP/1.1 ${isPicture ? 200 : 404} OK\r\nConnection: close\r\n`)
          socket.write(`Content-Length: ${isPicture ? slow.length : 0}\r\n\r\n`)
          socket.end(isPicture ? slow : '')
        })
        socket.on('error', () => {})
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      const name = `slow${options.length}`
      const [list, pipeline] = [join(folder, `${name}.tsv`), join(folder, `${name}.yaml`)]
      const rows = Array.from({ length: 30 }, (_, at) => `${base}${at}.jpg\tcaption\n`)
      await writeFile(list, `url\tcaption\n${rows.join('')}`)
      await writeFile(
        pipeline,
        `name: slow
stages: [{ name: web, uses: ingest, with: { format: tsv, path: ${list}, fetch: { allow_hosts: ["${base}"] } } }]`,
      )
      const running = startGroundmill(['run', pipeline, '--dataset', join(folder, name), ...options])
      const begun = (of: readonly string[]) => of.some((command) => command.includes('decode-child'))
      await until(running, async () => begun(Object.values(await descendants(running.child.pid))))
      await delay(300)
      const started = await descendants(running.child.pid)
      const decoders = Object.entries(started).filter(([, command]) => begun([command]))
      // Their pictures take them longer than this test may take.
      for (const [pid] of decoders) process.kill(Number(pid), 'SIGSTOP')
      const ended = once(running.child, 'exit')
      running.signal('SIGTERM')
      // It may be a while until a busy machine lets it be heard.
      await delay(1500)
      expect(running.child.exitCode).toBe(null)
      running.signal('SIGTERM')
      expect(await ended).toEqual([null, 'SIGINT'])
      server.close()
      for (const [pid] of decoders) process.kill(Number(pid), 'SIGCONT')
      // Whatever they are at.
      for (const pid of Object.keys(started)) while (await isAlive(pid)) await delay(20)
    },
  )
})

describe('a reader who has enough', () => {
  it.each([['stats', run], ['stats', run, '--json'], ['--help']])(
    'ends groundmill %s without a word',
    async (...args) => {
      const running = startGroundmill(args)
      running.child.stdout?.destroy()
      const { code, err } = await running.ended
      expect({ code, err }).toEqual({ code: 0, err: '' })
    },
  )
})

describe('a folder that may not be written to', () => {
  // Root may write anywhere: a test as root has to be someone else, who must be able to read the program.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const canRead = spawnSync(process.execPath, ['--import', 'tsx', '-e', '0'], nobody).status === 0

  it.skipIf(!canRead)(
    'is named, with what can be done',
    async () => {
      await chmod(folder, 0o755)
      const closed = join(folder, 'closed')
      await mkdir(closed, { mode: 0o555 })
      const pictures = join(folder, 'pictures')
      await mkdir(pictures)
      await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } }).toFile(
        join(pictures, 'a.jpg'),
      )
      await writeFile(join(pictures, 'a.txt'), 'a red square\n')
      const pipeline = join(folder, 'pictures.yaml')
      await writeFile(
        pipeline,
        `name: p\nstages: [{ name: web, uses: ingest, with: { format: folder, path: ${pictures} } }]`,
      )
      const shut = `${closed} cannot be written to. Change its permissions, or name another place.`
      for (const [args, message] of [
        [
          ['run', pipeline, '--dataset', join(closed, 'a/b')],
          `Nothing was made yet: dataset: ${join(closed, 'a/b')}: ${shut}`,
        ],
        [
          ['world', 'make', join(closed, 'world')],
          expect.stringMatching(/^No permission for .*closed\S*: change its permissions, or name/),
        ],
        [
          ['train', join(run, 'gold'), '-o', join(closed, 'model'), '--set', 'steps=1'],
          `${join(closed, 'model')}: ${shut}`,
        ],
      ] as const) {
        const { code, err } = await startGroundmill(args, nobody).ended
        const [said] = /(?<=^groundmill: ).*/m.exec(err) ?? []
        expect(said, args.join(' ')).toEqual(message)
        expect(code, args[0]).toBe(2)
      }
    },
    60_000,
  )
})
