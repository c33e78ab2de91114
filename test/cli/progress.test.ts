import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createProgress, whileWorking } from '../../src/cli/terminal/progress.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Clears the line that stands there. */
const clear = '\r\u001b[2K'

function recorded(isTTY: boolean) {
  const lines: string[] = []
  const stream = { isTTY, columns: 200, write: (text: string) => lines.push(text) }
  return { lines, progress: createProgress(stream as unknown as NodeJS.WriteStream) }
}

it('a pipe gets a line every 20 seconds: of what, how far, how fast, how long yet', () => {
  const { lines, progress } = recorded(false)
  progress.update('label', 100, 1000)
  vi.advanceTimersByTime(19_900)
  expect(lines).toEqual([])
  progress.update('label', 140, 1000, 'device cpu')
  vi.advanceTimersByTime(100)
  expect(lines).toEqual(['· label  140/1000  2.0/s  7 min 10 s left  device cpu\n'])
  // Also while nothing comes: what takes long is not silent.
  vi.advanceTimersByTime(40_000)
  expect(lines).toHaveLength(3)
  expect(lines.at(-1)).toBe('· label  140/1000  0.7/s  21 min 30 s left  device cpu\n')
  progress.note('  a notice')
  vi.advanceTimersByTime(20_000)
  expect(lines.slice(3)).toEqual(['  a notice\n', '· label  140/1000  0.5/s  28 min 40 s left  device cpu\n'])
  progress.finish('✓ label')
  vi.advanceTimersByTime(120_000)
  expect(lines.slice(5)).toEqual(['✓ label\n'])
})

it('what is slow is told by the minute, and what has no total by how long it goes on', () => {
  const { lines, progress } = recorded(false)
  progress.update('slow', 0, 8)
  vi.advanceTimersByTime(15_000)
  progress.update('slow', 1, 8)
  vi.advanceTimersByTime(5000)
  progress.update('opening', 0, 0)
  vi.advanceTimersByTime(80_000)
  expect(lines[0]).toBe('· slow  1/8  3.0/min  2 min 20 s left\n')
  expect(lines.at(-1)).toBe('· opening  1 min 20 s so far\n')
})

it('a terminal has a bar that is drawn over, and seconds that go on where there is no share', () => {
  const { lines, progress } = recorded(true)
  progress.update('label', 1, 2)
  expect(lines.at(-1)).toBe(`${clear}${'label'.padEnd(28)}  ${'█'.repeat(12)}${'░'.repeat(12)}  1/2`)
  vi.advanceTimersByTime(60_000)
  expect(lines).toHaveLength(1)
  progress.update('opening', 0, 0)
  vi.advanceTimersByTime(3000)
  expect(lines.at(-1)).toBe(`${clear}${'opening'.padEnd(28)}  3.0 s so far`)
  progress.stop()
  expect(lines.at(-1)).toBe(clear)
})

it('what cannot say how far it is says how long it works, on standard error, and is silent after its end', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const work = whileWorking('importing', () => new Promise((done) => setTimeout(done, 45_000, 7)))
  await vi.advanceTimersByTimeAsync(45_000)
  expect(await work).toBe(7)
  vi.advanceTimersByTime(60_000)
  expect(write.mock.calls.map(([text]) => text)).toEqual([
    '· importing  20 s so far\n',
    '· importing  40 s so far\n',
  ])
  expect(out).not.toHaveBeenCalled()
})

it('a line whose work has failed says nothing more once another begins, and goes on where it is told more', () => {
  const lines: string[] = []
  const stream = { isTTY: false, write: (text: string) => lines.push(text) } as unknown as NodeJS.WriteStream
  const first = createProgress(stream)
  first.update('first', 1, 2)
  const second = createProgress(stream)
  vi.advanceTimersByTime(60_000)
  expect(lines).toEqual([])
  second.update('second', 1, 2)
  first.update('first', 2, 2)
  vi.advanceTimersByTime(20_000)
  expect(lines.map((line) => line.split('  ')[0]).sort()).toEqual(['· first', '· second'])
})
