import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareEntries, reviewsOf } from '../../src/review/effective-reviews.js'
import { entriesOf, readReviews } from '../../src/review/read-reviews.js'
import type { ReviewEntry } from '../../src/review/review-entry.js'
import { listReviews, reviewOfPath } from '../../src/review/review-files.js'
import { openReviewLog } from '../../src/review/review-log.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { compiled } from '../helpers/compiled.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { newEntry } from './entries.js'

const folder = await temporaryFolder()
/** A program that says of each entry that it is there, until it is killed. */
const killedChild = (path: string) => `
  import { openReviewLog } from '${resolve(compiled, 'review/review-log.js')}'
  import { openStorage } from '${resolve(compiled, 'storage/open-storage.js')}'
  const log = await openReviewLog(openStorage('${path}'), 'first', 'Ann')
  for (;;) {
    const [entry] = await log.append([${JSON.stringify(newEntry())}])
    process.stdout.write(entry.id + '\\n')
  }`
let count = 0
const newStorage = () => openStorage(join(folder, String(count++)))

describe('the log of a review', () => {
  it('keeps what two sessions write at once, in segments, in order', async () => {
    const storage = newStorage()
    const [ann, bob] = [
      await openReviewLog(storage, 'first', 'Ann'),
      await openReviewLog(storage, 'first', 'Bob'),
    ]
    const keys = Array.from({ length: 30 }, (_, at) => `p${at}`)
    const pairs = await Promise.all(
      keys.map((key) =>
        Promise.all([ann.append(Array(9).fill(newEntry({ key }))), bob.append([newEntry({ key })])]),
      ),
    )
    expect(pairs.flatMap(([, [entry]]) => entry?.id)).toEqual(keys.map((_, at) => `${bob.session}.${at + 1}`))
    const all = await readReviews(storage, 'first')
    expect(all).toHaveLength(300)
    expect(all.filter(({ reviewer }) => reviewer === 'Bob').map(({ key }) => key)).toEqual(keys)
    expect((await readdir(storage.path('reviews/first'))).sort()).toEqual(
      [`${ann.session}.0001.jsonl`, `${ann.session}.0002.jsonl`, `${bob.session}.0001.jsonl`].sort(),
    )
    expect(await listReviews(storage)).toEqual(['first'])
    expect(await readReviews(storage, 'second')).toEqual([])
  })

  it('writes what is given again once, and takes it back', async () => {
    const storage = newStorage()
    const log = await openReviewLog(storage, 'first', 'Ann')
    const again = newEntry({ id: 'tab.1' })
    const [first, twice] = await log.append([again, again])
    expect(twice).toEqual(first)
    expect(await readReviews(storage, 'first')).toHaveLength(1)
    const other = await openReviewLog(storage, 'first', 'Ann')
    expect(await other.append([again])).toEqual([first])
    expect(await readReviews(storage, 'first')).toEqual([first])
    await other.undo(first as ReviewEntry)
    expect(reviewsOf(await readReviews(storage, 'first'))).toEqual([])
  })

  it('writes what can be read behind an entry of the last day that a time can have', async () => {
    const storage = newStorage()
    const late = await openReviewLog(storage, 'first', 'Ann')
    await late.append([newEntry({ id: 'late.1', at: '9999-12-31T23:59:59.999Z' })])
    const log = await openReviewLog(storage, 'first', 'Bob')
    const [entry] = await log.append([newEntry()])
    expect(await readReviews(storage, 'first')).toContainEqual(entry)
  })

  it('supersedes what was said with a clock that goes before', async () => {
    const storage = newStorage()
    const log = await openReviewLog(storage, 'first', 'Ann')
    await log.append([newEntry({ at: '2096-01-01T00:00:00.000Z' })])
    await (await openReviewLog(storage, 'first', 'Ann')).append([newEntry({ action: 'reject' })])
    expect(reviewsOf(await readReviews(storage, 'first')).map(({ action }) => action)).toEqual(['reject'])
  })

  it('has in its folder, at every kill, all that was told to be there', async () => {
    const path = join(folder, 'killed')
    const child = spawn(process.execPath, ['--input-type=module', ...['-e', killedChild(path)]])
    let told = ''
    child.stdout.on('data', (bytes) => {
      told += bytes
      if (told.length > 600) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const ids = told.split('\n').slice(0, -1)
    const found = await readReviews(openStorage(path), 'first')
    expect(ids.length).toBeGreaterThan(20)
    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
  })

  it('tells of damaged lines, or passes over them', async () => {
    const storage = newStorage()
    const log = await openReviewLog(storage, 'first', 'Ann')
    await log.append([newEntry()])
    const good = JSON.stringify((await readReviews(storage, 'first'))[0])
    const file = 'reviews/first/x.0001.jsonl'
    const told: string[] = []
    for (const bad of [
      '{"id":',
      '{}',
      good.replace('"accept"', '"redraw"'),
      good.replace('[1,2,30,40]', '[9,9,9,9]'),
    ])
      await storage
        .write(file, `${bad}\n`)
        .then(() => readReviews(storage, 'first'))
        .then(
          () => told.push('read'),
          ({ name, message }) => told.push(`${name}: ${message.replace(storage.path(file), 'FILE')}`),
        )
    expect(told).toEqual([
      expect.stringMatching(/^UserError: FILE: line 1 is no entry of a review \(no JSON: .*Mend or remove/),
      expect.stringContaining('id: it is missing'),
      expect.stringContaining('needs `redrawn`'),
      expect.stringContaining('a box is [x1, y1, x2, y2]'),
    ])
    const notices: string[] = []
    expect(await readReviews(storage, 'first', (text) => notices.push(text))).toHaveLength(1)
    expect(notices).toHaveLength(1)
    await writeFile(storage.path(file), Buffer.from([0xff, 0xfe, 0x00]))
    await expect(readReviews(storage, 'first')).rejects.toThrow('not UTF-8')
    const many: string[] = []
    expect(entriesOf(Buffer.from('x\n'.repeat(1000)), (text) => many.push(text))).toEqual([])
    expect(many).toHaveLength(11)
    expect(many.at(-1)).toBe('990 more lines of it are no entries of a review')
  })

  it('refuses names that lead elsewhere, and reviewers of several lines', async () => {
    const storage = newStorage()
    for (const name of ['../x', 'a/b', '', 'A', 'x'.repeat(200)])
      await expect(openReviewLog(storage, name, 'Ann')).rejects.toThrow('cannot name a review')
    for (const who of ['', ' ', 'a\nb', 'x'.repeat(129)])
      await expect(openReviewLog(storage, 'first', who)).rejects.toThrow('A reviewer has a name')
    expect(reviewOfPath('reviews/../0.0001.jsonl')).toBeUndefined()
    expect(reviewOfPath('reviews/first/notes.txt')).toBeUndefined()
  })
})

describe('what holds of a review', () => {
  const entry = fc
    .record({
      number: fc.integer({ min: 1, max: 12 }),
      time: fc.integer({ min: 0, max: 6 }),
      reviewer: fc.constantFrom('Ann', 'Bob'),
      action: fc.constantFrom('accept', 'reject', 'add', 'complete', 'unseen', 'done', 'undo'),
      start: fc.integer({ min: 0, max: 1 }),
      undoes: fc.integer({ min: 1, max: 12 }),
    })
    .map(
      ({ number, time, reviewer, action, start, undoes }): ReviewEntry => ({
        ...newEntry({ phrase: { caption: 0, start, end: 5, text: 'a cat' } }),
        ...{ id: `s.${number}`, at: new Date(time).toISOString(), reviewer },
        action: action as ReviewEntry['action'],
        undoes: action === 'undo' ? `s.${undoes}` : null,
      }),
    )
  const entries = fc.uniqueArray(entry, { selector: ({ id }) => id, maxLength: 12 })

  it('is the same in any order of the entries, and read twice', () => {
    fc.assert(
      fc.property(
        entries.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          const held = reviewsOf(all)
          expect(reviewsOf([...shuffled, ...shuffled])).toEqual(held)
          expect([...held].sort(compareEntries)).toEqual(held)
          expect(held.every(({ action }) => action !== 'undo')).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is of one time by its number, that of entries which were read as well', async () => {
    const storage = newStorage()
    const at = '2024-01-01T00:00:00.000Z'
    const line = (id: string, changes: object = {}) =>
      `${JSON.stringify({ ...newEntry(), id, at, reviewer: 'Ann', ...changes })}\n`
    await storage.write(
      'reviews/first/s.0001.jsonl',
      [
        line('s.10', { action: 'reject' }),
        line('s.9'),
        line('s.1', { at: '2024-01-02T00:00:00Z', key: 'p' }),
      ].join(''),
    )
    await storage.write('reviews/first/t.0001.jsonl', line('t.1', { at: '2023-01-02T00:00:00Z', key: 'q' }))
    const all = await readReviews(storage, 'first')
    expect(all.map(({ id }) => id)).toEqual(['t.1', 's.9', 's.10', 's.1'])
    expect(reviewsOf(all).map(({ id }) => id)).toEqual(['t.1', 's.10', 's.1'])
  })

  it('is of boxes that have a width and a height', async () => {
    const storage = newStorage()
    for (const xyxy of [
      [1, 2, 1, 4],
      [1, 2, 3, 2],
    ]) {
      const entry = { ...newEntry(), id: 's.1', at: '2024-01-01T00:00:00Z', reviewer: 'Ann', xyxy }
      await storage.write('reviews/first/s.0001.jsonl', JSON.stringify(entry))
      await expect(readReviews(storage, 'first')).rejects.toThrow('x2 > x1 and y2 > y1')
    }
  })

  it('is the latest of a reviewer about a thing, and what was before where that is taken back', async () => {
    const storage = newStorage()
    const ann = await openReviewLog(storage, 'first', 'Ann')
    const bob = await openReviewLog(storage, 'first', 'Bob')
    const held = async () => {
      const all = reviewsOf(await readReviews(storage, 'first'))
      return all.map(({ reviewer, action }) => `${reviewer} ${action}`)
    }
    await ann.append([newEntry()])
    const [rejected] = await ann.append([newEntry({ action: 'reject' })])
    await ann.append([newEntry({ action: 'complete', xyxy: null })])
    expect(await held()).toEqual(['Ann reject', 'Ann complete'])
    await bob.undo(rejected as ReviewEntry)
    await bob.append([newEntry()])
    expect((await held()).sort()).toEqual(['Ann complete', 'Ann reject', 'Bob accept'])
    const undo = await ann.undo(rejected as ReviewEntry)
    expect((await held()).sort()).toEqual(['Ann accept', 'Ann complete', 'Bob accept'])
    await ann.undo(undo)
    expect((await held()).sort()).toEqual(['Ann complete', 'Ann reject', 'Bob accept'])
  })
})
