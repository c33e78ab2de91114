import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { loadBullMq } from '../../../src/pipeline/queue/load-bullmq.js'
import {
  checkRedis,
  connectionOptions,
  openConnection,
  queueAddress,
} from '../../../src/pipeline/queue/queue-address.js'
import { connect, soon, soonDone } from '../../helpers/queue-here.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'

const check = async (url: string, waitMs: number) => checkRedis(await loadBullMq(), queueAddress(url), waitMs)

/** A server that answers like this, at its port; and how many have come to it. */
async function serve(answer: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {}).resume()
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets }
}

describe('an address', () => {
  it.each(['redis://host', 'rediss://host:6380/1', 'REDIS://host'])('is one of Redis: %s', (url) => {
    expect(queueAddress(url)).toEqual({ url, shown: url })
  })

  it.each(['http://host', 'xredis://host', 'redis:host', 'host:6379', 'redis://a b'])(
    'is none of Redis: %s',
    (url) => {
      expect(() => queueAddress(url)).toThrow(UserError)
    },
  )

  it('is what was given, though the environment has another', () => {
    process.env.GROUNDMILL_QUEUE = 'redis://other'
    onTestFinished(() => {
      delete process.env.GROUNDMILL_QUEUE
    })
    expect(queueAddress('redis://host').url).toBe('redis://host')
    expect(queueAddress('').url).toBe('redis://other')
  })
})

describe('a connection', () => {
  it('is tried again ever more seldom, and for ever', () => {
    const { retryStrategy, maxRetriesPerRequest } = connectionOptions(queueAddress('redis://host'))
    expect([1, 2, 3, 5, 10, 100, 1e9].map(retryStrategy)).toEqual([200, 400, 800, 3000, 3000, 3000, 3000])
    expect(maxRetriesPerRequest).toBeNull()
  })

  it.skipIf(!hasRedis)('outlives Redis: what is asked meanwhile waits until it is back', async () => {
    const server = await redisServer(onTestFinished)
    const { redis } = await connect(server.url)
    expect(await redis.ping()).toBe('PONG')
    await server.kill()
    const pong = redis.ping()
    await server.start()
    expect(await soonDone(pong)).toBe('PONG')
  })

  it('takes no error for the end', async () => {
    const libraries = await loadBullMq()
    const redis = openConnection(libraries, queueAddress('redis://127.0.0.1:1'))
    await new Promise<void>((resolve) => redis.once('reconnecting', () => resolve()))
    redis.disconnect()
  })
})

describe('that Redis answers', () => {
  it('is not so where nobody listens, after the time that it may take to come up', async () => {
    const begun = performance.now()
    await expect(check('redis://:pa55@127.0.0.1:1', 500)).rejects.toThrow(
      /^Redis at redis:\/\/127\.0\.0\.1:1 does not answer \(nothing listens there\)/,
    )
    expect(performance.now() - begun).toBeGreaterThan(390)
    await expect(check('redis://127.0.0.1:1', 0)).rejects.toThrow(UserError)
  })

  it('is not so where somebody listens and says nothing', async () => {
    const { host, sockets } = await serve(() => {})
    await expect(check(`redis://${host}`, 100)).rejects.toThrow(/ does not answer \(.+\): start it/)
    await soon(() => sockets[0]?.closed === true)
  })

  it('is not so at once where it speaks no TLS', async () => {
    const { host, sockets } = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(soonDone(check(`rediss://${host}`, 60_000))).rejects.toThrow(UserError)
    expect(sockets).toHaveLength(1)
  })

  describe.skipIf(!hasRedis)('with a password', async () => {
    if (!hasRedis) return
    const server = await redisServer()

    it('is so, and leaves no connection', async () => {
      const { redis } = await connect(server.url)
      const connections = async () =>
        ((await redis.client('LIST')) as string).split('\n').filter((line) => line.includes('id=')).length
      const before = await connections()
      await check(server.url, 5000)
      await check(server.url, 0)
      await soon(async () => (await connections()) === before)
    })

    it('is so where it comes up in time', async () => {
      await server.kill()
      const checked = check(server.url, 20_000)
      await new Promise((resolve) => setTimeout(resolve, 100))
      await server.start()
      await soonDone(checked)
    })

    it('is refused at once without a password, with a wrong one, and where it may do nothing', async () => {
      const { redis } = await connect(server.url)
      await redis.config('SET', 'requirepass', 'pa55')
      await redis.acl('SETUSER', 'nobody', 'on', '>pa55', '-@all')
      const host = server.url.replace('redis://', '')
      for (const who of ['', ':wr0ng@', 'nobody:pa55@']) {
        const checked = check(`redis://${who}${host}`, 60_000)
        await expect(soonDone(checked), who).rejects.toThrow(
          /^Redis at redis:\/\/127\.0\.0\.1:\d+ refuses access \(.+\): set GROUNDMILL_QUEUE/,
        )
      }
      await check(`redis://:pa55@${host}`, 5000)
    })
  })
})
