import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { openNotices } from '../../../src/pipeline/queue/notices.js'
import type { Connection } from '../../../src/pipeline/queue/queue-address.js'

const address = { url: 'redis://:pa55@host', shown: 'redis://host' }

function open() {
  const told: string[] = []
  const redis = new EventEmitter()
  const notices = openNotices((text) => told.push(text), redis as unknown as Connection, address)
  return { told, redis, notices }
}

describe('what a person is told of a queue', () => {
  it('is said once, without secrets', () => {
    const { told, notices } = open()
    for (const text of ['at https://me:pa55@host/x', 'other', 'at https://me:pa55@host/x', 'other'])
      notices.tellOnce(text)
    expect(told).toEqual(['at https://host/x', 'other'])
  })

  it('is remembered to an end', () => {
    const { told, notices } = open()
    for (let index = 0; index < 1000; index++) notices.tellOnce(`${index}`)
    notices.tellOnce('0')
    expect(told).toHaveLength(1000)
    notices.tellOnce('one more')
    notices.tellOnce('one more')
    notices.tellOnce('0')
    expect(told.slice(1000)).toEqual(['one more', '0'])
  })

  it('is that Redis is away, once, and that it is back', () => {
    const { told, redis } = open()
    redis.emit('ready')
    expect(told).toEqual([])
    for (let time = 0; time < 2; time++) {
      redis.emit('reconnecting')
      expect(told).toEqual(['Redis at redis://host is away; going on when it is back.'])
      for (const event of ['reconnecting', 'ready', 'ready']) redis.emit(event)
      expect(told.splice(0).slice(1)).toEqual(['Redis at redis://host is back.'])
    }
  })

  it('is that nobody takes the tasks of a resource, at the second look, until somebody does', () => {
    const { told, notices } = open()
    notices.tellWorkers('gpu', 0, 3)
    notices.tellWorkers('cpu', 0, 4)
    expect(told).toEqual([])
    for (let look = 0; look < 3; look++) notices.tellWorkers('gpu', 0, 5)
    const lonely = (tasks: number) =>
      `No worker takes gpu tasks, and ${tasks} wait: start groundmill worker --take gpu with this queue.`
    expect(told).toEqual([lonely(5)])
    notices.tellWorkers('gpu', 1, 5)
    notices.tellWorkers('gpu', 0, 6)
    expect(told).toHaveLength(1)
    notices.tellWorkers('gpu', 0, 7)
    expect(told[1]).toBe(lonely(7))
  })

  it('is nothing when it is closed, and where nobody listens', () => {
    const { told, redis, notices } = open()
    notices.close()
    notices.tellOnce('late')
    redis.emit('reconnecting')
    expect(told).toEqual([])
    openNotices(undefined, redis as unknown as Connection, address).tellOnce('to nobody')
  })
})
