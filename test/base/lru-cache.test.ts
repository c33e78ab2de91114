import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LruCache } from '../../src/base/lru-cache.js'

interface Value {
  readonly id: number
  readonly size: number
  readonly ttl: number
}

/** The same in the plainest way: a list in the order of use. */
function modelOf(maxSize: number, now: () => number) {
  let entries: { key: string; value: Value; expires: number }[] = []
  const gone: number[] = []
  const remove = (key: string) => {
    gone.push(...entries.filter((one) => one.key === key).map(({ value }) => value.id))
    entries = entries.filter((one) => one.key !== key)
  }
  const sizeOf = () => entries.reduce((sum, { value }) => sum + value.size, 0)
  return {
    gone,
    list: () => entries.map(({ key, value }) => [key, value] as const),
    sizeOf,
    remove,
    peek: (key: string) => entries.find((one) => one.key === key && one.expires > now())?.value,
    get(key: string) {
      const entry = entries.find((one) => one.key === key)
      if (entry && entry.expires <= now()) remove(key)
      else if (entry) entries = [...entries.filter((one) => one !== entry), entry]
      return entries.find((one) => one.key === key)?.value
    },
    set(key: string, value: Value) {
      remove(key)
      entries.push({ key, value, expires: now() + value.ttl })
      while (sizeOf() > maxSize && entries.length > 1) remove(entries[0]?.key ?? '')
    },
  }
}

/** A promise that is settled from outside. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 8 }) }),
  fc.record({
    kind: fc.constant('set' as const),
    key,
    size: fc.integer({ min: 0, max: 6 }),
    ttl: fc.integer({ min: 0, max: 20 }),
  }),
)

describe('an LRU cache', () => {
  it('does what a list in the order of use does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (steps, maxSize) => {
        let [time, id] = [0, 0]
        const now = () => time
        const model = modelOf(maxSize, now)
        const evicted: number[] = []
        const cache = new LruCache<string, Value>({
          maxSize,
          now,
          sizeOf: ({ size }) => size,
          ttlOf: ({ ttl }) => ttl,
          onEvict: (value) => evicted.push(value.id),
        })
        for (const one of steps) {
          if (one.kind === 'wait') time += one.ms
          else if (one.kind === 'get') expect(cache.get(one.key)).toEqual(model.get(one.key))
          else if (one.kind === 'delete') {
            cache.delete(one.key)
            model.remove(one.key)
          } else {
            const value = { id: id++, size: one.size, ttl: one.ttl }
            cache.set(one.key, value)
            model.set(one.key, value)
          }
          expect([...cache.entries()]).toEqual(model.list())
          for (const name of ['a', 'b', 'c', 'd', 'e']) expect(cache.peek(name)).toEqual(model.peek(name))
          expect([cache.count, cache.size]).toEqual([model.list().length, model.sizeOf()])
          expect(evicted).toEqual(model.gone)
        }
        cache.clear()
        expect([cache.count, cache.size]).toEqual([0, 0])
        expect(new Set(evicted).size).toBe(id)
      }),
      { numRuns: 150 },
    )
  })

  it('counts entries where it is told no sizes, and has no limit of time where it is told none', () => {
    const cache = new LruCache<number, string>({ maxSize: 2, now: () => Number.MAX_VALUE })
    for (const at of [1, 2, 3]) cache.set(at, `value ${at}`)
    expect([1, 2, 3].map((at) => cache.get(at))).toEqual([undefined, 'value 2', 'value 3'])
  })

  it('loads once for all who ask meanwhile, and keeps what came, also where it is undefined', async () => {
    const cache = new LruCache<string, string | undefined>({ maxSize: 10 })
    const { promise, resolve } = deferred<string | undefined>()
    let loads = 0
    const load = () => {
      loads++
      return promise
    }
    const asked = [cache.load('a', load), cache.load('a', load)]
    resolve(undefined)
    expect(await Promise.all(asked)).toEqual([undefined, undefined])
    expect(await cache.load('a', load)).toBeUndefined()
    expect(loads).toBe(1)
  })

  it('loads again after a load that failed', async () => {
    const cache = new LruCache<string, number>({ maxSize: 10 })
    const failing = () => Promise.reject(new Error('no luck'))
    const both = await Promise.allSettled([cache.load('a', failing), cache.load('a', failing)])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(cache.count).toBe(0)
    expect(await cache.load('a', async () => 7)).toBe(7)
    expect(await cache.load('a', failing)).toBe(7)
  })

  it('keeps no load that was overtaken by a set or a delete', async () => {
    const cache = new LruCache<string, string>({ maxSize: 10 })
    const later = deferred<string>()
    const old = cache.load('a', () => later.promise)
    cache.set('a', 'set')
    const deleted = cache.load('b', () => later.promise)
    cache.delete('b')
    later.resolve('loaded')
    expect(await Promise.all([old, deleted])).toEqual(['loaded', 'loaded'])
    expect([cache.get('a'), cache.get('b')]).toEqual(['set', undefined])
  })
})
