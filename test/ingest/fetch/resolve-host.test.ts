import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { fetchConfig } from '../../../src/ingest/fetch/fetch-config.js'
import { type Answer, createResolver } from '../../../src/ingest/fetch/resolve-host.js'
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

  it('is warned of where it fails too often', () => {
    expect(dnsWarning({ lookups: 100, failures: 10 }, 0.1)).toBeUndefined()
    expect(dnsWarning({ lookups: 100, failures: 11 }, 0.1)).toMatch(/^11 of 100 look-ups .*dns\.servers/)
    expect(dnsWarning({ lookups: 0, failures: 0 }, 0)).toBeUndefined()
  })
})
