import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, type onTestFinished } from 'vitest'

/** A Redis of a test's own, on loopback. */
export interface RedisServer {
  readonly url: string
  /** Ends it at once, as a power cut does. */
  kill(): Promise<void>
  /** Starts it again, over the same append-only file. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  empty(): Promise<void>
  /** All that it has written to the disk. */
  written(): Promise<string>
}

/** Whether Debian's `redis-server` is here; says so once where it is not. */
export const hasRedis = ((): boolean => {
  try {
    execFileSync('redis-server', ['--version'])
    return true
  } catch {
    process.stderr.write('redis-server is not installed: the tests of the queue are skipped.\n')
    return false
  }
})()

/**
 * Starts a server in a temporary folder as the queue wants it.
 *
 * @param atEnd ends it: with the tests of a file, or inside of a test `onTestFinished`
 */
export async function redisServer(atEnd: typeof onTestFinished = afterAll): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'groundmill-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  let watcher: ChildProcess | undefined
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const options = { port, dir: folder, bind: '127.0.0.1', appendonly: 'yes', appendfsync: 'everysec' }
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
      child = spawn(
        'redis-server',
        [...args, '--save', '', '--maxmemory-policy', 'noeviction', '--rdbcompression', 'no'],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      // Ends it where this process, or this thread of it, ends without a word: then the pipe is closed.
      watcher = spawn('sh', ['-c', `read _; kill -9 ${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
      watcher.unref()
      for await (const text of child.stdout as AsyncIterable<Buffer>)
        if (text.toString().includes('Ready to accept connections')) break
      child.stdout?.destroy()
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      watcher?.kill('SIGKILL')
      child.kill('SIGKILL')
      await ended
    },
    async empty() {
      await server.kill()
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true })
    },
    async written() {
      const names = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = names.filter((name) => name.isFile())
      return (
        await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))
      ).join()
    },
  }
  await server.start()
  atEnd(async () => {
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  })
  return server
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
