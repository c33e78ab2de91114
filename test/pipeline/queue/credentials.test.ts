import { describe, expect, it } from 'vitest'
import { hideCredentials, refuseCredentials } from '../../../src/base/credentials.js'
import { UserError } from '../../../src/base/user-error.js'
import { loadBullMq, refuseOldVersion } from '../../../src/pipeline/queue/load-bullmq.js'
import { checkRedis, queueAddress } from '../../../src/pipeline/queue/queue-address.js'
import { failedReason, jobIdOf, reasonError } from '../../../src/pipeline/queue/queue-job.js'
import { failureOf, StageError } from '../../../src/pipeline/tasks/task-error.js'
import { tasksOf } from '../../helpers/fake-tasks.js'

describe('credentials in addresses', () => {
  it.each([
    's3://key:pa55@bucket/run',
    's3://bucket/run?endpoint=http://me:pa55@host:9000',
    's3://bucket/run?endpoint=http%3A%2F%2Fme%3Apa55%40host',
    'https://token@host/list.csv',
    'https://host/x?X-Amz-Signature=pa55&X-Amz-Date=1',
    'https://host/x?sig=pa55',
    'https://host/x?a=1&access_token=pa55',
    'https://host/x?api_key=pa55',
    'see https://host/x?AWSAccessKeyId=pa55 for it',
    'https://me:pa/55@host/x',
  ])('are refused without being told: %s', (text) => {
    const given = { stages: [{ with: { base_url: text } }] }
    expect(() => refuseCredentials(given, 'The pipeline', 'is read')).toThrow(UserError)
    expect(() => refuseCredentials(given, 'The pipeline', 'is read')).toThrow(
      /^The pipeline, stages, 0, with, base_url: /,
    )
    expect(() => refuseCredentials(given, 'The pipeline', 'is read')).not.toThrow(/pa55|pa\/55/)
  })

  it.each([
    's3://bucket/run?endpoint=http://host:9000&region=us-east-1&path_style=true',
    'runs/quickstart',
    'http://127.0.0.1:8080/a?page=2&size=large',
    'https://medium.com/@somebody/story',
    'me@host.org',
    'a monkey? key=value',
    42,
    null,
  ])('are not seen where there are none: %s', (value) => {
    expect(() => refuseCredentials({ value }, 'The pipeline', 'is read')).not.toThrow()
  })

  it.each([
    [
      'no answer from https://me:pa55@host:80/a/b?token=1#c, twice',
      'no answer from https://host:80/a/b twice',
    ],
    ['"https://host/a?b=1"', '"https://host/a"'],
    ['redis://:pa55@host:6379/1', 'redis://host:6379/1'],
    ['redis://u:p/a?55@host', 'redis://host'],
    ['row 7: is that so? yes', 'row 7: is that so? yes'],
    ['at 127.0.0.1:80 and http://127.0.0.1:80/x', 'at 127.0.0.1:80 and http://127.0.0.1:80/x'],
  ])('are taken out of a text: %s', (text, clean) => {
    expect(hideCredentials(text)).toBe(clean)
  })
})

describe('the address of a queue', () => {
  it('is given or in the environment, and shown without its password', () => {
    process.env.GROUNDMILL_QUEUE = 'rediss://:pa55@host:6380/2'
    try {
      expect(queueAddress()).toEqual({ url: 'rediss://:pa55@host:6380/2', shown: 'rediss://host:6380/2' })
      expect(queueAddress('redis://other').shown).toBe('redis://other')
    } finally {
      delete process.env.GROUNDMILL_QUEUE
    }
    expect(() => queueAddress()).toThrow(/GROUNDMILL_QUEUE/)
    expect(() => queueAddress('amqp://me:pa55@host')).toThrow(/^amqp:\/\/host is not the address of a queue/)
  })

  it('is refused where nobody answers', async () => {
    const libraries = await loadBullMq()
    const address = queueAddress('redis://me:pa55@127.0.0.1:1')
    await expect(checkRedis(libraries, address, 300)).rejects.toThrow(
      /^Redis at redis:\/\/127.0.0.1:1 does not answer \(nothing listens there\): start it, or mend the address.$/,
    )
  })
})

describe('a job', () => {
  it('has an id without colons, of its own for each task', () => {
    const [task, other] = tasksOf('s3://bucket/run', ['chunk/00000', 'chunk/00001'])
    if (!task || !other) throw new Error('no tasks')
    const id = jobIdOf(task)
    expect(id).toMatch(/^[0-9a-f]{16}\.[0-9a-f]{16}\.chunk\.00000$/)
    expect(jobIdOf({ ...task, session: 'another' })).toBe(id)
    const ids = [
      task,
      other,
      { ...task, run: 'x' },
      { ...task, pipeline: 'y' },
      { ...task, missing: { a: ['1'] } },
    ]
    expect(new Set(ids.map(jobIdOf)).size).toBe(5)
  })

  it('gives back the kind of its error', () => {
    const back = (error: Error) => reasonError(failedReason(failureOf(error)))
    expect(back(new UserError('mend it'))).toEqual(new UserError('mend it'))
    expect(back(new StageError('mend it'))).toBeInstanceOf(StageError)
    expect(back(new Error('again'))).not.toBeInstanceOf(UserError)
    expect(back(new Error('again')).message).toBe('again')
  })
})

describe('BullMQ', () => {
  it('is refused where it does not outlive an outage', () => {
    for (const version of ['5.70.1', '6.3.3', '6.6.9'])
      expect(() => refuseOldVersion(version)).toThrow(/6\.7/)
    for (const version of ['6.7.0', '6.12.0', '7.0.0']) expect(() => refuseOldVersion(version)).not.toThrow()
  })
})
