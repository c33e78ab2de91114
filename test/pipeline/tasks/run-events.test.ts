import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type EndedTask, taskMetrics } from '../../../src/pipeline/tasks/metrics.js'
import type { PresenceChange } from '../../../src/pipeline/tasks/presence.js'
import { joinEvents, meteredEvents, presentEvents } from '../../../src/pipeline/tasks/run-events.js'
import type { StageEvents } from '../../../src/pipeline/tasks/run-stage.js'
import { noSums } from '../../../src/pipeline/tasks/shard-sums.js'

const web = { name: 'web', uses: 'ingest', needs: [], with: {} }
const words = { ...web, name: 'words' }
const made = { ...noSums, skipped: false }

describe('events', () => {
  it('are told to all who want them, in their order', () => {
    const told: string[] = []
    const first: StageEvents = {
      onProgress: (_, done, total, note) => void told.push(`first ${done} of ${total} ${note}`),
      onNotice: (_, text) => void told.push(`first ${text}`),
      onTrainStart: () => void told.push('first trains'),
      onTaskStart: (_, shard) => void told.push(`first begins ${shard}`),
      onTaskProgress: (_, shard, done) => void told.push(`first ${shard} at ${done}`),
      onTaskEnd: (_, shard) => void told.push(`first ends ${shard}`),
    }
    const second: StageEvents & { readonly me: string } = {
      me: 'second',
      onTaskStart(_, shard) {
        told.push(`${this.me} begins ${shard}`)
      },
    }
    const all = joinEvents(second, {}, first)
    all.onTaskStart?.(web, '0')
    all.onTaskProgress?.(web, '0', 3, 4)
    all.onTaskEnd?.(web, '0', made)
    all.onProgress?.(web, 1, 2, 'half')
    all.onNotice?.(web, 'on a cpu')
    all.onTrainStart?.(web, { resumed: 0 } as never)
    expect(told).toEqual([
      ...['second begins 0', 'first begins 0', 'first 0 at 3', 'first ends 0'],
      ...['first 1 of 2 half', 'first on a cpu', 'first trains'],
    ])
  })
})

describe('the presence of a run', () => {
  const said = (isCarried: boolean) => {
    const changes: PresenceChange[] = []
    const update = (change: PresenceChange) => void changes.push(change)
    const events = presentEvents({ update, close: async () => {} }, isCarried)
    events.onTaskStart?.(web, '0')
    events.onTaskProgress?.(web, '0', 3, 4)
    events.onTaskEnd?.(web, '0', made)
    events.onTaskEnd?.(web, '1', { ...made, skipped: true })
    events.onTaskEnd?.(web, undefined, new Error('gone'))
    return changes
  }
  const failed = { ended: { stage: 'web', shard: undefined }, outcome: 'failed', error: 'gone' }

  it('says what it does', () => {
    expect(said(false)).toEqual([
      { task: { stage: 'web', shard: '0' } },
      { task: { stage: 'web', shard: '0', done: 3, total: 4 } },
      { ended: { stage: 'web', shard: '0' }, outcome: 'made' },
      { ended: { stage: 'web', shard: '1' }, outcome: 'skipped' },
      failed,
    ])
  })

  it('says only what was set aside where others do it', () => {
    expect(said(true)).toEqual([failed])
  })
})

describe('the metrics of a run', () => {
  it('count tasks under way, and how those ended that have', () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1000)
    onTestFinished(() => clock.mockRestore())
    const ended: EndedTask[] = []
    const underWay: Readonly<Record<string, number>>[] = []
    const metrics = taskMetrics()
    const events = meteredEvents({
      ...metrics,
      ended: (task) => void ended.push(task),
      underWay: (counts) => void underWay.push(counts),
    })
    events.onTaskStart?.(web, '0')
    events.onTaskStart?.(words, '0')
    clock.mockReturnValue(3000)
    events.onTaskStart?.(web, undefined)
    events.onTaskEnd?.(web, '0', { ...made, out: 5, rejected: { dns: 1 } })
    clock.mockReturnValue(3500)
    events.onTaskEnd?.(words, '0', { ...made, skipped: true })
    events.onTaskEnd?.(web, undefined, new Error('gone'))
    expect(underWay).toEqual([
      ...[{ web: 1 }, { web: 1, words: 1 }, { web: 2, words: 1 }],
      ...[
        { web: 1, words: 1 },
        { web: 1, words: 0 },
        { web: 0, words: 0 },
      ],
    ])
    expect(ended).toEqual([
      { stage: 'web', state: 'made', seconds: 2, rows: 5, rejected: { dns: 1 } },
      { stage: 'words', state: 'skipped', seconds: 2.5, rows: 0, rejected: {} },
      { stage: 'web', state: 'failed', seconds: 0.5 },
    ])
    // What was put back has not ended; what nobody has begun took no time.
    events.onTaskStart?.(web, '1')
    events.onTaskEnd?.(web, '1', new DOMException('put back', 'AbortError'))
    expect(ended).toHaveLength(3)
    events.onTaskEnd?.(web, '0', made)
    expect(ended.at(-1)).toMatchObject({ stage: 'web', seconds: 0 })
    expect(underWay.at(-2)).toEqual({ web: 0, words: 0 })
  })
})
