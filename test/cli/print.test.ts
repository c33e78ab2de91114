import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { plainText } from '../../src/base/plain-text.js'
import { query } from '../../src/cli/query.js'
import { stats } from '../../src/cli/stats.js'
import { formatTable } from '../../src/cli/terminal/format-table.js'
import { print, printExact, say } from '../../src/cli/terminal/print.js'
import { createProgress } from '../../src/cli/terminal/progress.js'
import { recordPath } from '../../src/rows/family-path.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { written } from '../helpers/written.js'

/** A title, a colour, a bell, a C1 sequence, and an end of line that begins a line of its own. */
const hostile = '\u001b]0;title\u0007\u001b[31mred\u009b2J\u202ereverse\r\n✓ all is well'
const plain = plainText(hostile)

afterEach(() => {
  vi.restoreAllMocks()
  Object.defineProperty(process.stdout, 'isTTY', { value: undefined, configurable: true })
})

/** Escape sequences, and what else a line does not have. */
const isSafe = (text: string) => text.split('\n').every((line) => plainText(line) === line)

it('whatever is printed is plain, in lines, tables, progress and on standard error', async () => {
  for (const way of [
    () => print(hostile),
    () => say(`groundmill: ${hostile}`),
    () => print(formatTable([hostile, 'b'], [[hostile, 1]])),
    () => createProgress().finish(`  warning: ${hostile}`),
  ])
    expect(isSafe(await written(way))).toBe(true)
  // A cell does not end its line either.
  expect(formatTable(['a'], [[hostile]]).split('\n')).toHaveLength(3)
  const drawn: string[] = []
  const terminal = { isTTY: true, columns: 200, write: (text: string) => drawn.push(text) }
  createProgress(terminal as unknown as NodeJS.WriteStream).update(hostile, 1, 2)
  expect(drawn[0]?.startsWith(`\r\u001b[2K${plain}`)).toBe(true)
  expect(isSafe(drawn[0]?.slice(5) ?? '')).toBe(true)
})

it('an exact output is exact in a file or a pipe, and plain on a terminal', async () => {
  expect(await written(() => printExact(hostile))).toBe(hostile)
  Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true })
  expect(isSafe(await written(() => printExact(hostile)))).toBe(true)
})

it('reasons, names and rows of a stranger reach the terminal as text', async () => {
  const url = join(await temporaryFolder(), 'd')
  const storage = openStorage(url)
  await createDataset(storage, { name: 'd', card: null, shards: ['00000'] })
  await putShard(storage, 'selection', 'dedup', '00000', [{ key: 'a', reason: hostile, duplicate_of: null }])
  const path = storage.path(recordPath('selection', 'dedup', '00000'))
  const record = JSON.parse(await readFile(path, 'utf8'))
  Object.assign(record, { in: 2, rejected: { [hostile]: 1 }, unit: hostile })
  record.stats.tallies = { [hostile]: { [hostile]: 1 }, reasons: { [hostile]: 3 } }
  await writeFile(path, JSON.stringify(record))
  const signal = new AbortController().signal
  const table = await written(() => stats(url, { top: 5 } as never, signal))
  expect(table).toContain(plain)
  expect(isSafe(table)).toBe(true)
  const ask = (format: 'table' | 'csv' | 'json' | 'jsonl') =>
    written(() => query(url, `select reason as "${hostile}" from selection`, { format, rows: 5 }, signal))
  expect(isSafe(await ask('table'))).toBe(true)
  expect(await ask('csv')).toBe(`"${hostile}"\r\n"${hostile}"\r\n`)
  for (const format of ['json', 'jsonl'] as const) {
    const text = await ask(format)
    expect(isSafe(text)).toBe(true)
    expect([JSON.parse(text)].flat()).toEqual([{ [hostile]: hostile }])
  }
  Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true })
  const shown = await ask('csv')
  expect(isSafe(shown)).toBe(true)
  expect(shown).toContain('red')
})

it('no command writes to the terminal but through these', async () => {
  const files = (await readdir('src', { recursive: true })).filter((name) => /\.tsx?$/.test(name))
  const terminal = /^cli\/terminal\/(print|progress|redrawn|interrupts)\.ts$/
  const writing = []
  for (const name of files) {
    if (terminal.test(name) || name.startsWith('api/') || name.startsWith('inspect/page/')) continue
    if (/process\.std(out|err)\.write|console\./.test(await readFile(join('src', name), 'utf8')))
      writing.push(name)
  }
  expect(writing).toEqual([])
})
