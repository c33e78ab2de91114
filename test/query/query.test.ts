import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { DatasetStatistics, NumberStatistics } from '../../src/shards/dataset-statistics.js'
import { groundmill, startGroundmill } from '../helpers/groundmill.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const url = join(folder, 'run', 'gold')

beforeAll(async () => {
  await makeSmallWorld(join(folder, 'world'))
  const pipeline = join(folder, 'pipeline.yaml')
  const gold = join(folder, 'world', 'gold')
  await writeFile(
    pipeline,
    `name: small
stages:
  - name: gold
    uses: ingest
    with: { format: coco, images: "${gold}/images", instances: "${gold}/annotations.json", shard_size: 12 }
  - { name: words, uses: chunk, needs: [gold] }
  - name: label
    uses: teach
    needs: [words]
    with: { model: "${resolve('test/teacher/fixtures/owlvit')}", floor: 0.3, threads: 1 }
  - { name: strict, uses: filter, needs: [label], with: { rules: [{ rule: score, min: 0.5 }] } }
  - { name: loose, uses: filter, needs: [label], with: { rules: [{ rule: max_boxes, phrase: 3 }] } }
`,
  )
  const { code, err } = await groundmill('run', pipeline, '--dataset', join(folder, 'run'))
  expect(code, err).toBe(0)
}, 120_000)

async function ask(sql: string, ...options: string[]) {
  const { code, out, err } = await groundmill('query', url, sql, '--json', ...options)
  expect(code, err).toBe(0)
  return JSON.parse(out) as { columns: string[]; rows: unknown[][] }
}

describe('query', () => {
  it('sees every family, by stage and together', async () => {
    const { columns, rows } = await ask(
      'select stage, count(*) as regions, min(score) as least from grounding group by stage order by stage',
    )
    expect(columns).toEqual(['stage', 'regions', 'least'])
    expect(rows.map(([stage]) => stage)).toEqual(['gold', 'loose', 'strict'])
    for (const [stage, regions] of rows)
      expect((await ask(`select count(*) from grounding_${stage}`)).rows).toEqual([[regions]])
    expect(rows[2][2]).toBeGreaterThanOrEqual(0.5)
    expect((await ask('select count(*), max(caption) from captions')).rows).toEqual([[60, 1]])
  })

  it('gives regions the words of their caption, by code points', async () => {
    const { rows } = await ask(
      `select g.text, p.text from grounding_gold g join phrases_gold p using (key, phrase) where g.text <> p.text`,
    )
    expect(rows).toEqual([])
  })

  it('has the bytes of pictures only where they are asked for', async () => {
    const { code, err } = await groundmill('query', url, 'select image from images')
    expect([code, err]).toEqual([2, expect.stringMatching(/The query cannot be run: .*image/)])
    const { rows } = await ask('select image.bytes from images limit 1', '--images')
    // The first bytes of a JPEG, or of a PNG, in base64.
    expect(rows[0][0]).toMatch(/^(\/9j\/|iVBOR)/)
  })

  it('writes a table, CSV and lines of JSON', async () => {
    const sql = `select 'a "b", c' as text, 12345678901234567890::hugeint as large, [1, null] as list, null as none`
    const table = (await groundmill('query', url, sql)).out.split('\n')
    expect(table[2]).toMatch(/^a "b", c +12345678901234567000|^a "b", c +12345678901234567890 +\[1,null\]$/)
    expect((await groundmill('query', url, sql, '--format', 'csv')).out).toBe(
      'text,large,list,none\n"a ""b"", c",12345678901234567890,"[1,null]",\n',
    )
    expect(JSON.parse((await groundmill('query', url, sql, '--format', 'jsonl')).out)).toEqual({
      ...{ text: 'a "b", c', large: '12345678901234567890', list: [1, null], none: null },
    })
    const few = await groundmill('query', url, 'select key from images order by key', '--rows', '3')
    expect(few.out.trimEnd().split('\n')).toHaveLength(5)
    expect(few.err).toContain('The first 3 rows')
  })

  it('lists its views', async () => {
    const { out } = await groundmill('query', url)
    for (const name of [
      'images',
      'captions',
      'phrases_words',
      'proposals_label',
      'grounding_strict',
      'rejects',
    ])
      expect(out).toMatch(new RegExp(`^${name}: .+\n  key VARCHAR|^${name}: .+\n  stage VARCHAR`, 'm'))
  })

  it.each([
    ['create table t as select 1', 'Only SELECT is run'],
    ["copy (select 1) to 'x.csv'", 'The query cannot be run: Permission Error'],
    ['select 1; select 2', 'One SELECT is expected'],
    ["select * from read_text('/etc/hostname')", 'The query cannot be run: Permission Error'],
    ["select * from '/etc/hostname'", 'The query cannot be run'],
    ['set enable_external_access = true', 'Only SELECT is run'],
    ['select nothing from phrases', 'The query cannot be run: Binder Error'],
    ['select * from elsewhere', 'Views: images, captions'],
    ['selct 1', 'The query cannot be run: Parser Error'],
  ])('refuses %s', async (sql, message) => {
    const { code, out, err } = await groundmill('query', url, sql)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
    expect(err).not.toMatch(/\n {4}at /)
  })

  it('stops at once', async () => {
    const running = startGroundmill([
      'query',
      url,
      'select count(*) from range(100000000000) t(i) where i % 7 = 3',
    ])
    await new Promise((resolve) => setTimeout(resolve, 2000))
    running.signal('SIGINT')
    expect((await running.ended).code).toBe(130)
  })
})

describe('statistics', () => {
  const told = async (...options: string[]) => {
    const { code, out, err } = await groundmill('stats', url, '--json', ...options)
    expect(code, err).toBe(0)
    return (JSON.parse(out) as { datasets: DatasetStatistics[] }).datasets[0]
  }

  it('are the same from the records and from the rows, but for medians', async () => {
    const [records, rows] = await Promise.all([told(), told('--exact')])
    expect([records.exact, rows.exact]).toEqual([false, true])
    expect(rows.counts).toEqual(records.counts)
    expect(rows.stages.map(({ stage }) => stage)).toEqual(['gold', 'words', 'label', 'strict', 'loose'])
    let compared = 0
    for (const [at, stage] of rows.stages.entries()) {
      const other = records.stages[at]
      expect(stage.counts, stage.stage).toEqual(other.counts)
      const names = (statistics: typeof stage.statistics) => statistics.map((one) => one.column_name).sort()
      expect(names(stage.statistics), stage.stage).toEqual(names(other.statistics))
      for (const column of stage.statistics) {
        const twin = other.statistics.find(({ column_name }) => column_name === column.column_name)
        const [a, b] = [column.column_statistics, twin?.column_statistics].map((own) => {
          const { median, mean, std, estimated, ...rest } = own as NumberStatistics
          return rest
        })
        expect(a, `${stage.stage} ${column.column_name}`).toEqual(b)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(20)
  })

  it('are shown as bars, with the coverage of a vocabulary', async () => {
    const names = join(folder, 'names.txt')
    await writeFile(names, 'robot\nunicorn\n')
    const { out } = await groundmill('stats', url, '--vocabulary', names, '--top', '3')
    expect(out).toMatch(/gold: 30 images, 60 captions, \d+ phrases, \d+ regions/)
    expect(out).toMatch(/score +[ ▁▂▃▄▅▆▇█]+ {2}under 0\.05 … 0\.95 and over/)
    expect(out).toMatch(/of the vocabulary's 2 categories seen/)
  })
})
