import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { fetchConfig } from '../../../src/ingest/fetch/fetch-config.js'
import {
  type Answer,
  createResolver,
  firstAddress,
  isNoSuchHost,
} from '../../../src/ingest/fetch/resolve-host.js'
import { dnsWarning } from '../../../src/ingest/watch-success.js'

const config = (given: object = {}) => fetchConfig.parse({ dns: given }).dns
const never = () => false
const failing = (code: string) => async (): Promise<Answer> => {
  throw Object.assign(new Error(code), { code })
}

describe('a resolver', () => {
  it('asks for a host once while its answer holds, and again after', async () => {
    let [asked, time] = [0, 0]
    const lookup = async () => {
      asked++
      await delay(5)
      return { addresses: ['1.1.1.1'], ttl: asked === 1 ? 0.05 : 60 }
    }
    const resolver = createResolver(config({ cache_s: 1 }), never, lookup, () => time)
    const all = await Promise.all([1, 2, 3].map(() => resolver.resolve('a.example')))
    expect(all).toEqual([['1.1.1.1'], ['1.1.1.1'], ['1.1.1.1']])
    await resolver.resolve('a.example')
    expect(asked).toBe(1)
    time = 49
    await resolver.resolve('a.example')
    expect(asked).toBe(1)
    time = 50
    await resolver.resolve('a.example')
    expect(asked).toBe(2)
  })

  it('holds no answer longer than it is told to', async () => {
    let [asked, time] = [0, 0]
    const lookup = async () => {
      asked++
      return { addresses: ['1.1.1.1'], ttl: 1e6 }
    }
    const resolver = createResolver(config({ cache_s: 1 }), never, lookup, () => time)
    await resolver.resolve('a.example')
    time = 999
    await resolver.resolve('a.example')
    expect(asked).toBe(1)
    time = 1000
    await resolver.resolve('a.example')
    expect(asked).toBe(2)
  })

  it('has no more look-ups under way than it may', async () => {
    let [now, most] = [0, 0]
    const resolver = createResolver(config({ lookups: 3 }), never, async () => {
      most = Math.max(most, ++now)
      await delay(5)
      now--
      return { addresses: ['1.1.1.1'], ttl: 60 }
    })
    await Promise.all(Array.from({ length: 20 }, (_, index) => resolver.resolve(`${index}.example`)))
    expect(most).toBe(3)
  })

  it('remembers that a host does not exist, and asks again where a name server failed', async () => {
    const none = createResolver(config(), never, failing('ENOTFOUND'))
    const broken = createResolver(config(), never, failing('ESERVFAIL'))
    for (let time = 0; time < 3; time++) {
      await expect(none.resolve('a.example')).rejects.toThrow('ENOTFOUND')
      await expect(broken.resolve('a.example')).rejects.toThrow('ESERVFAIL')
    }
    expect(none.counts).toEqual({ lookups: 1, failures: 0 })
    expect(broken.counts).toEqual({ lookups: 3, failures: 3 })
  })

  it('gives what was thrown, also where it is remembered', async () => {
    const error = Object.assign(new Error('none'), { code: 'ENODATA' })
    let time = 0
    const lookup = async (): Promise<Answer> => {
      throw error
    }
    const resolver = createResolver(config({ failure_cache_s: 2 }), never, lookup, () => time)
    for (time of [0, 1999]) await expect(resolver.resolve('a.example')).rejects.toBe(error)
    expect(resolver.counts.lookups).toBe(1)
    time = 2000
    await expect(resolver.resolve('a.example')).rejects.toBe(error)
    expect(resolver.counts).toEqual({ lookups: 2, failures: 0 })
  })

  it('knows that the name servers are in trouble where 32 look-ups in a row fail', async () => {
    let code: string | undefined = 'ETIMEOUT'
    const resolver = createResolver(config(), never, async () => {
      if (code !== undefined) throw Object.assign(new Error(code), { code })
      return { addresses: ['1.1.1.1'], ttl: 0 }
    })
    const ask = async (times: number) => {
      for (let time = 0; time < times; time++) await resolver.resolve('a.example').catch(() => {})
    }
    await ask(31)
    expect(resolver.isFailing).toBe(false)
    await ask(1)
    expect(resolver.isFailing).toBe(true)
    code = undefined
    await ask(1)
    expect(resolver.isFailing).toBe(false)
    code = 'ETIMEOUT'
    await ask(31)
    expect(resolver.isFailing).toBe(false)
    await ask(1)
    expect(resolver.isFailing).toBe(true)
    // That a host does not exist is an answer.
    code = 'ENOTFOUND'
    await resolver.resolve('b.example').catch(() => {})
    expect(resolver.isFailing).toBe(false)
  })

  it('asks for nothing when it is closed', async () => {
    let asked = 0
    const resolver = createResolver(config(), never, async () => {
      asked++
      return { addresses: [], ttl: 60 }
    })
    resolver.close()
    await expect(resolver.resolve('a.example')).rejects.toMatchObject({ syscall: 'query' })
    expect(asked).toBe(0)
  })

  it('is warned of where it fails too often', () => {
    expect(dnsWarning({ lookups: 100, failures: 10 }, 0.1)).toBeUndefined()
    expect(dnsWarning({ lookups: 100, failures: 11 }, 0.1)).toMatch(/^11 of 100 look-ups .*dns\.servers/)
    expect(dnsWarning({ lookups: 0, failures: 0 }, 0)).toBeUndefined()
  })
})

describe('a host', () => {
  it('without an address is no host to connect to', () => {
    expect(firstAddress('a.example', ['1.1.1.1', '1.0.0.1'])).toBe('1.1.1.1')
    const first = () => firstAddress('a.example', [])
    expect(first).toThrow('a.example has no address')
    expect(first).toThrow(expect.objectContaining({ code: 'ENODATA' }))
  })

  it('does not exist where a look-up says so', () => {
    for (const code of ['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ENONAME']) expect(isNoSuchHost(code)).toBe(true)
    for (const code of ['ESERVFAIL', 'ETIMEOUT', '', undefined]) expect(isNoSuchHost(code)).toBe(false)
  })
})

describe('name servers', async () => {
  /** Addresses with their times to live, by host and the type of the record. */
  const records: Readonly<Record<string, readonly [string, number][]>> = {
    'four.example 1': [
      ['93.184.216.34', 300],
      ['93.184.216.35', 7],
    ],
    'four.example 28': [['2606:4700::1111', 60]],
    'six.example 28': [['2606:4700::1111', 70]],
  }
  const asked: string[] = []
  const server = createSocket('udp4')
  server.on('message', (query, { port, address }) => {
    const labels: string[] = []
    let at = 12
    for (let length = query[at++]!; length > 0; length = query[at++]!) {
      labels.push(query.toString('latin1', at, at + length))
      at += length
    }
    const host = labels.join('.')
    const type = query.readUInt16BE(at)
    asked.push(`${host} ${type}`)
    if (host === 'silent.example') return
    const found = records[`${host} ${type}`] ?? []
    const code = host === 'broken.example' ? 2 : host.startsWith('no.') ? 3 : 0
    const head = Buffer.alloc(12)
    query.copy(head, 0, 0, 2)
    for (const [place, value] of [0x8180 | code, 1, found.length, 0, 0].entries())
      head.writeUInt16BE(value, 2 + 2 * place)
    const answers = found.map(([text, ttl]) => {
      const bytes = text.includes(':')
        ? Buffer.from('26064700000000000000000000001111', 'hex')
        : Buffer.from(text.split('.').map(Number))
      const record = Buffer.alloc(12)
      record.writeUInt16BE(0xc00c)
      record.writeUInt16BE(type, 2)
      record.writeUInt16BE(1, 4)
      record.writeUInt32BE(ttl, 6)
      record.writeUInt16BE(bytes.length, 10)
      return Buffer.concat([record, bytes])
    })
    server.send(Buffer.concat([head, query.subarray(12, at + 4), ...answers]), port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => server.close())
  const servers = [`127.0.0.1:${server.address().port}`]
  const resolverOf = (given: object = {}, isLocal: (host: string) => boolean = never, now?: () => number) =>
    createResolver(config({ servers, timeout_ms: 2000, ...given }), isLocal, undefined, now)

  it('are asked for addresses of IPv4, whose shortest time to live holds', async () => {
    let time = 0
    const resolver = resolverOf({}, never, () => time)
    asked.length = 0
    const both = ['93.184.216.34', '93.184.216.35']
    expect([...(await resolver.resolve('four.example'))].sort()).toEqual(both)
    time = 6999
    await resolver.resolve('four.example')
    expect(asked).toEqual(['four.example 1'])
    time = 7000
    await resolver.resolve('four.example')
    expect(asked).toEqual(['four.example 1', 'four.example 1'])
  })

  it('are asked for addresses of IPv6 where there is none of IPv4', async () => {
    asked.length = 0
    expect(await resolverOf().resolve('six.example')).toEqual(['2606:4700::1111'])
    expect(asked).toEqual(['six.example 1', 'six.example 28'])
    await expect(resolverOf().resolve('none.example')).rejects.toMatchObject({ code: 'ENODATA' })
  })

  it('say that a host does not exist, or that they are in trouble', async () => {
    asked.length = 0
    await expect(resolverOf().resolve('no.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    expect(asked).toEqual(['no.example 1'])
    await expect(resolverOf().resolve('broken.example')).rejects.toMatchObject({ code: 'ESERVFAIL' })
  })

  it('are not asked for what is local, or has no point', async () => {
    asked.length = 0
    let time = 0
    const resolver = resolverOf(
      {},
      (host) => host === '127.0.0.9',
      () => time,
    )
    expect(await resolver.resolve('127.0.0.9')).toEqual(['127.0.0.9'])
    expect(await resolver.resolve('localhost')).not.toEqual([])
    // Not every system knows it with a point at its end.
    await resolver.resolve('localhost.').catch(() => {})
    time = 59_999
    await resolver.resolve('127.0.0.9')
    expect(resolver.counts.lookups).toBe(3)
    time = 60_000
    await resolver.resolve('127.0.0.9')
    expect(resolver.counts.lookups).toBe(4)
    expect(asked).toEqual([])
  })

  it('that are not there leave it to the system', async () => {
    const away = createSocket('udp4').bind(0, '127.0.0.1')
    await once(away, 'listening')
    const { port } = away.address()
    away.close()
    await once(away, 'close')
    const resolver = resolverOf({ servers: [`127.0.0.1:${port}`] })
    expect(await resolver.resolve('127.0.0.8')).toEqual(['127.0.0.8'])
  })

  it('that are silent are given up at the end', async () => {
    const resolver = resolverOf()
    const waits = resolver.resolve('silent.example')
    const ended = expect(waits).rejects.toMatchObject({ code: 'ECANCELLED' })
    while (!asked.includes('silent.example 1')) await delay(1)
    resolver.close()
    await ended
  })
})
