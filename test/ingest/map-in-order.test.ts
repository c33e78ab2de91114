import { setImmediate } from 'node:timers/promises'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { byteBudget } from '../../src/ingest/byte-budget.js'
import { imageConfig } from '../../src/ingest/image/image-config.js'
import { ingestRow } from '../../src/ingest/ingest-row.js'
import { mapInOrder, type Room } from '../../src/ingest/map-in-order.js'
import { prompt } from '../../src/ingest/read/source-keys.js'
import { sourceRow } from '../../src/ingest/read/source-row.js'

async function* numbers(count: number) {
  for (let number = 0; number < count; number++) yield number
}

/** Two items under way in room for 100 bytes, the first of which is asked for: both end when they are told to. */
async function twoUnderWay() {
  const rooms: Room[] = []
  const ends: (() => void)[] = []
  const work = async (item: number, room: Room) => {
    rooms.push(room)
    await new Promise<void>((resolve) => ends.push(resolve))
    return item
  }
  const results = mapInOrder(numbers(2), { window: 3, budget: byteBudget(100) }, work)
  const first = results.next()
  await setImmediate()
  const endBoth = () => {
    for (const end of ends) end()
    return first
  }
  const [head, other] = rooms as [Room, Room]
  return { head, other, endBoth, results }
}

describe('an item that waits for room', () => {
  it('has it when another holds less, though the first one is not done', async () => {
    const { head, other, endBoth, results } = await twoUnderWay()
    head.take(60)
    other.take(60)
    let hasRoom = false
    const waiting = other.wait(undefined).then(() => {
      hasRoom = true
    })
    await setImmediate()
    expect(hasRoom).toBe(false)
    head.take(10)
    await setImmediate()
    expect(hasRoom).toBe(true)
    await waiting
    expect(await endBoth()).toEqual({ value: 0, done: false })
    await results.return(undefined)
  })

  it('has it when its turn comes', async () => {
    const { head, other, endBoth, results } = await twoUnderWay()
    other.take(200)
    expect([head.isFree, other.isFree]).toEqual([true, false])
    expect(await endBoth()).toEqual({ value: 0, done: false })
    expect(other.isFree).toBe(true)
    await results.return(undefined)
  })
})

it('a picture counts four times while it waits for its decoder, and what is made of it as it is', async () => {
  const bytes = await sharp({ create: { width: 300, height: 20, channels: 3, background: '#123' } })
    .png()
    .toBuffer()
  const taken: number[] = []
  const room: Room = { isFree: true, wait: async () => {}, take: (held) => taken.push(held) }
  const row = sourceRow({
    mark: { at: 0, line: 1 },
    place: 'list.tsv, line 1',
    url: 'http://a.example/1.png',
    captions: [{ text: 'a blue stripe', kind: 'web' }],
  })
  const config = { prompt: prompt.parse({}), image: imageConfig.parse({}), fetch: { max_bytes: 1e6 } }
  const made = await ingestRow(row, 'key', config, { fetch: async () => ({ bytes }) }, undefined, room)
  if (made.kind !== 'row') throw new Error(made.reject.detail)
  expect(taken).toEqual([4 * bytes.length, made.image.image.bytes.length])
})
