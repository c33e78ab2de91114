import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SortedLines } from '../../../src/base/files/sorted-lines.js'
import { random } from '../../../src/base/random.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()

async function sorted(lines: readonly (readonly [number, string])[], most?: number) {
  const all = new SortedLines(join(folder, 'list.jsonl'), most)
  for (const [rank, line] of lines) await all.add(rank, line)
  const aside = await readdir(folder)
  const chunks: Uint8Array[] = []
  for await (const chunk of all.read()) chunks.push(chunk)
  await all.close()
  expect(await readdir(folder)).toEqual([])
  return { text: Buffer.concat(chunks).toString('utf8'), aside }
}

it('lines are in the order of their ranks, equal ones as they came, also where few are held', async () => {
  const stream = random('lines', 1)
  // More than the 128 runs that are merged at once; line separators of Unicode, which are no line breaks.
  const lines = Array.from({ length: 6000 }, (_, at): [number, string] => [
    stream.integer(50) / 7,
    `${at} ${'é\u2028'.repeat(stream.integer(30))}`,
  ])
  // One line that is longer than what is read at once.
  lines.push([3, 'x'.repeat(200_000)], [Number.EPSILON, ''])
  const expected = [...lines]
    .sort(([a], [b]) => b - a)
    .map(([, line]) => `${line}\n`)
    .join('')
  const small = await sorted(lines, 1000)
  expect(small.aside).toHaveLength(1)
  expect(small.text === expected).toBe(true)
  const held = await sorted(lines)
  expect(held.aside).toEqual([])
  expect(held.text === expected).toBe(true)
  expect((await sorted([])).text).toBe('')
})
