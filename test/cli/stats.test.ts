import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ColumnStatistics, LabelStatistics } from '../../src/catalog/dataset-statistics.js'
import { exactStatistics } from '../../src/query/exact-statistics.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCommand } from '../helpers/run-command.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let url: string
beforeAll(async () => {
  url = (await makeSmallDataset()).url
})

const json = async (...args: string[]) => {
  const { code, out, err } = await runCommand('stats', url, ...args, '--json')
  expect(code, err).toBe(0)
  expect(out.match(/\n/g)).toHaveLength(1)
  return JSON.parse(out)
}

describe('groundmill stats', () => {
  it('answers most questions in twenty lines, of numbers that are what they say', async () => {
    const { code, out } = await runCommand('stats', url)
    expect(code).toBe(0)
    const [block = ''] = out.split('\n\n')
    expect(block.split('\n').length).toBeLessThanOrEqual(20)
    expect(block).toMatch(/^s: 30 pictures, 30 captions and 30 prompts of category names, \d+\.\d MB\n/)
    expect(block).toMatch(/\nround-2 +proposals +\d+ +\d+ +\d+ {2}score \d+\n/)
    const { stages } = await exactStatistics(openStorage(url), { top: 5 })
    const { statistics = [] } = stages.find(({ stage }) => stage === 'chunk') ?? {}
    const texts = statistics.find(({ column_name }) => column_name === 'phrase_texts')
    const { count, n_unique } = (texts as ColumnStatistics).column_statistics as LabelStatistics
    expect(n_unique).toBeLessThan(count)
    expect(block).toContain(`\nphrases (chunk)      ${count}; ${n_unique} different; `)
    expect(block).toMatch(
      /\nregions \(round-2\) +\d+ in \d+ of 30 pictures; from guesser-2; score quartiles ~0\.\d\d, ~0/,
    )
    expect(out).toMatch(/--all/)
  })

  it('draws, of all, the funnel, the sources, the rounds, a bar a bin, and the words', async () => {
    const names = join(await temporaryFolder(), 'names.txt')
    await writeFile(names, 'tree\nno such thing\n')
    const { code, out } = await runCommand('stats', url, '--all', '--vocabulary', names, '--top', '3')
    expect(code).toBe(0)
    expect(out).toMatch(/^dataset +stage +unit +in +out/)
    expect(out).toMatch(/\nsource +pictures +captions [^\n]*\n[^\n]*\ns +30 +60 /)
    expect(out).toMatch(/\ns +round-1 +guesser-1 +\d+ +\d+ [^\n]*\ns +round-2 +guesser-2 /)
    const heads = out.match(/\n {2}heads: \d+, \d+ different, \d+ seen once\n {4}\w+ \d+, \w+ \d+, \w+ \d+\n/)
    expect(heads).not.toBeNull()
    expect(out).toMatch(/vocabulary: [01] of 2 categories seen \(1 have names of several words/)
    // The longest bar is that of the highest bin, and every other is as long as its share of it.
    const score =
      /round-1: 3 shards[\s\S]*?\n {2}score: score; [\d.]+ to [\d.]+, mean [\d.]+ ± [\d.]+, median ~[\d.]+\n((?: {4}.*\n)+)/.exec(
        out,
      )?.[1] ?? ''
    const bars = score
      .trimEnd()
      .split('\n')
      .map((line) => /([█▏▎▍▌▋▊▉]*) *(\d+) {2}[\d.]+ %$/.exec(line) as RegExpExecArray)
    expect(bars.length).toBeGreaterThan(5)
    const highest = Math.max(...bars.map(([, , count]) => Number(count)))
    for (const [, bar, count] of bars)
      expect(Math.abs(bar.length - (30 * Number(count)) / highest)).toBeLessThanOrEqual(1)
  })

  it('gives the same numbers as JSON, from the records and exact in one shape', async () => {
    const summed = await json()
    const exact = await json('--exact')
    expect(summed.datasets[0].exact).toBe(false)
    expect(exact.datasets[0].exact).toBe(true)
    expect(exact.funnel).toEqual(summed.funnel)
    expect(exact.datasets[0].counts).toEqual(summed.datasets[0].counts)
    type Stage = {
      stage: string
      statistics: { column_name: string; column_statistics: { histogram?: object } }[]
    }
    const shape = ({ stages }: { stages: Stage[] }) =>
      stages.map(({ stage, statistics }) => [
        stage,
        statistics
          .filter(({ column_name }) => column_name !== 'dropped')
          .map(({ column_name, column_statistics }) => [
            column_name,
            Object.keys(column_statistics),
            column_statistics.histogram,
          ])
          .sort(),
      ])
    expect(shape(exact.datasets[0])).toEqual(shape(summed.datasets[0]))
  })

  it('refuses a vocabulary that is not there', async () => {
    const { code, out, err } = await runCommand('stats', url, '--vocabulary', join(url, 'none'))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^groundmill: Cannot read the vocabulary .*none: there is no such file or folder\.$/m)
  })
})
