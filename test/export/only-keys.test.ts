import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDataset } from '../../src/catalog/check-dataset.js'
import type { Finding } from '../../src/catalog/finding.js'
import { writeSelection } from '../../src/shards/selections.js'
import { exportTo, groundedDataset } from '../helpers/grounded-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
const fresh = () => join(folder, String(count++))
const captions = [{ text: 'a dog', kind: 'web' as const }]
const region = {
  ...{ caption: 0, start: 2, end: 5, score: 0.7, origin: 'round-1' },
  xyxy: [4, 5, 24, 40] as const,
}
const picture = { captions, regions: [region] }
const url = fresh()
const source = await groundedDataset(url, [
  [picture, picture],
  [picture, { ...picture, dropped: 'twin' }],
])
await writeSelection(source.storage, { name: 'some', keys: ['000010000', '000000001', '000990000'] })

async function keysOf(out: string) {
  const lines = (await readFile(join(out, 'grounding.jsonl'), 'utf8')).trim().split('\n')
  return lines.map((line) => /(\d{9})\./.exec(String(JSON.parse(line).filename))?.[1])
}

describe('an export of some pictures', () => {
  it('has those of a selection, and says which were not found', async () => {
    const out = fresh()
    const { report } = await exportTo(source, out, { format: 'odvg', only: 'some' })
    expect(await keysOf(out)).toEqual(['000000001', '000010000'])
    expect(report.only).toEqual({ name: 'some', asked: 3, found: 2, missing: ['000990000'] })
    expect(report.leftOut.images).toEqual({ not_selected: 2 })
    expect(JSON.parse(await readFile(join(out, 'export.json'), 'utf8')).only).toEqual(report.only)
  })

  it('is another one with other keys, and the same wherever they are read from', async () => {
    const out = fresh()
    const { report: all } = await exportTo(source, fresh(), { format: 'odvg' })
    const { report } = await exportTo(source, out, { format: 'odvg', only: 'some' })
    expect(report.hash).not.toBe(all.hash)
    for (const [name, text] of [
      ['lines.txt', '000000001\r\n\n 000990000 \n000010000\n000000001'],
      ['list.json', '["000990000", "000010000", "000000001"]'],
      ['object.json', '{ "keys": ["000010000", "000990000", "000000001"] }'],
    ] as const) {
      const path = join(folder, name)
      await writeFile(path, text)
      expect((await exportTo(source, out, { format: 'odvg', only: path })).skipped).toBe(true)
    }
    const path = join(folder, 'other.txt')
    await writeFile(path, '000000000')
    await expect(exportTo(source, out, { format: 'odvg', only: path })).rejects.toThrow('with other options')
    const { report: other } = await exportTo(source, fresh(), { format: 'odvg', only: path })
    expect(other.only).toEqual({ name: 'other.txt', asked: 1, found: 1, missing: [] })
    // What a selection has of a dropped picture stays dropped.
    await writeFile(path, '000010001\n000010000')
    const { report: dropped } = await exportTo(source, fresh(), { format: 'odvg', only: path })
    expect([dropped.written.images, dropped.leftOut.images]).toEqual([1, { not_selected: 2, twin: 1 }])
  })

  it('is refused with a reason where the list is none', async () => {
    const file = async (text: string) => {
      const path = join(folder, `bad-${count++}.txt`)
      await writeFile(path, text)
      return path
    }
    for (const [only, message] of [
      ['other', /has no selection "other", and there is no such file; it has: some/],
      [join(folder, 'nowhere.txt'), /Cannot read .*nowhere\.txt/],
      [await file(''), /lists no pictures/],
      [await file('../x'), /cannot be the key of a picture/],
      [await file('{"keys": 3}'), /is no list of pictures: keys/],
      [await file('['), /is not JSON/],
      [await file('000990001'), /None of 1 picture of .* such as 000990001/],
    ] as const)
      await expect(exportTo(source, fresh(), { format: 'odvg', only })).rejects.toThrow(message)
  })
})

it('a check knows selections, and tells of those that are damaged', async () => {
  const findings: Finding[] = []
  const find = async () => {
    findings.length = 0
    await checkDataset(source.storage, {
      ...{ mend: false, deep: false },
      onFinding: (finding) => findings.push(finding),
    })
    return findings.map(({ kind, name }) => [kind, name])
  }
  expect(await find()).toEqual([])
  await mkdir(join(url, 'selections'), { recursive: true })
  await writeFile(join(url, 'selections', 'broken.json'), '{"keys":')
  await writeFile(join(url, 'selections', 'Notes.txt'), 'x')
  expect((await find()).sort()).toEqual([
    ['foreign', 'selections/Notes.txt'],
    ['wrong', 'selections/broken.json'],
  ])
})
