import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { chooseStage, describeStage } from '../../src/catalog/choose-stage.js'
import { datasetStatistics } from '../../src/catalog/dataset-statistics.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { query } from '../../src/cli/query.js'
import { verify } from '../../src/cli/review/verify.js'
import { overviewText } from '../../src/cli/terminal/print-overview.js'
import { datasetOutput } from '../../src/pipeline/dataset-output.js'
import { verify as kind } from '../../src/pipeline/stages/verify.js'
import { runStage } from '../../src/pipeline/tasks/run-stage.js'
import { exactStatistics } from '../../src/query/exact-statistics.js'
import { listViews } from '../../src/query/run-query.js'
import { columnName } from '../../src/query/sql.js'
import type { VerdictRow } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { boxesIn, chatServer, judgement } from '../helpers/chat-server.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'
import { stageAs, stageContext } from '../helpers/stage-context.js'

const { url, storage } = await makeSmallDataset()
const clip = join(import.meta.dirname, '../filter/fixtures/clip')
const owl = join(import.meta.dirname, '../teacher/fixtures/owlvit')
const { signal } = new AbortController()

const written: string[] = []
const take = (text: unknown, ...rest: unknown[]) => {
  for (const done of rest) if (typeof done === 'function') done()
  return Boolean(written.push(String(text)))
}
beforeAll(() => {
  vi.spyOn(process.stderr, 'write').mockImplementation(take)
  vi.spyOn(process.stdout, 'write').mockImplementation(take)
  return () => vi.restoreAllMocks()
})
const said = () => written.splice(0).join('')

async function verdictsOf(stage: string): Promise<VerdictRow[]> {
  const rows: VerdictRow[] = []
  for (const shard of (await openDataset(url)).shards)
    for await (const row of readShard(storage, 'verdicts', stage, shard)) rows.push(row as VerdictRow)
  return rows
}

const secret = 'sk-of-the-test-98765'
afterEach(() => {
  delete process.env.GROUNDMILL_TEST_KEY
})

describe('a stage verify', () => {
  it('is the same by hand and in a pipeline, and is shown with the dataset', async () => {
    const options = { judge: 'clip', model: clip, as: 'checked', set: ['context=0'] }
    await verify(`${url}:round-1`, options, signal)
    const printed = said()
    expect(printed).toContain('asking')
    expect(printed).toMatch(/✓ checked {2}\d+ of \d+ boxes judged: (\d+ accepted, )?\d+ rejected, /)
    const dataset = await openDataset(url)
    const output = await datasetOutput(dataset, 'grounding', 'round-1')
    const place = { outputs: new Map([['round-1', output]]) }
    const config = { judge: 'clip', model: clip, context: 0 }
    const { outcome, result } = await runStage(kind, stageAs(kind, 'checked', ['round-1'], config), place)
    expect(outcome).toMatchObject({ ran: 0, skipped: dataset.shards.length })

    expect(chooseStage(dataset, 'verdicts', { option: '--verdicts' })).toBe('checked')
    expect(describeStage(dataset, 'verdicts', 'checked')).toBe(`checked (${result.out} verdicts)`)
    expect(await datasetOutput(dataset, 'verdicts', 'checked')).toMatchObject({ verdicts: 'checked' })
    const overview = overviewText(datasetStatistics(dataset.name, dataset.stages, { top: 5 }), dataset.stages)
    expect(overview).toMatch(/verdicts \(checked\) .*rejected; by clip/)
    const exact = await exactStatistics(storage, { top: 5 })
    const stage = exact.stages.find(({ family }) => family === 'verdicts')
    expect(stage?.counts).toEqual(result.counts)
    const other = { ...config, template: 'a {}' }
    const again = await runStage(kind, stageAs(kind, 'checked', ['round-1'], other), place)
    expect(again.outcome.ran).toBe(dataset.shards.length)
    expect(again.output).toMatchObject({ verdicts: 'checked', missing: [] })
  })

  it('asks a teacher again in other views', async () => {
    await verify(
      `${url}:label-1`,
      { judge: 'views', model: owl, as: 'views', set: ['max_boxes=1', 'templates=[]'] },
      signal,
    )
    expect(said()).toMatch(/✓ views {2}\d+ of \d+ boxes judged: .*max_boxes/s)
    const verdicts = (await verdictsOf('views')).flatMap((row) => row.verdicts)
    expect(new Set(verdicts.map(({ judge }) => judge))).toEqual(new Set(['owlvit']))
    // The boxes are a guesser's, so that the network finds few of them.
    const boxes = verdicts.filter(({ xyxy }) => xyxy)
    expect(boxes.length).toBeGreaterThan(10)
    expect(boxes.every(({ probability }) => probability >= 0 && probability <= 1)).toBe(true)
    expect(verdicts.some(({ xyxy, verdict }) => !xyxy && /complete/.test(verdict))).toBe(true)
    const [shard = ''] = (await openDataset(url)).shards
    const record = await readCommit(storage, 'verdicts', 'views', shard)
    expect(record?.inputs.teacher).toBe('owlvit')
  })

  it('asks a server, and its key is in nothing that is written', async () => {
    process.env.GROUNDMILL_TEST_KEY = secret
    const { url: server, requests } = await chatServer((request) =>
      judgement(Array(boxesIn(request)).fill(true), { complete: false }),
    )
    const options = { judge: 'endpoint', model: 'seer', as: 'asked' }
    const set = [`url=${server}`, 'key_env=GROUNDMILL_TEST_KEY', 'side=64']
    await verify(`${url}:round-2`, { ...options, set, json: true }, signal)
    const printed = said()
    expect(printed).toContain(
      `${7 * requests.length} completion tokens, ${100 * requests.length} prompt tokens, ${requests.length} requests`,
    )
    expect(requests.every(({ headers }) => headers.authorization === `Bearer ${secret}`)).toBe(true)
    expect(printed).toContain(`"requests":${requests.length}}`)
    expect(printed).not.toContain(secret)
    const names = await readdir(url, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile())
    for (const { parentPath, name } of files)
      expect((await readFile(join(parentPath, name))).includes(secret), name).toBe(false)
    const asked = requests.length
    // Where the server is changes nothing of what it says.
    const { url: elsewhere } = await chatServer(() => undefined)
    await verify(`${url}:round-2`, { ...options, set: [`url=${elsewhere}`, 'side=64'] }, signal)
    expect(said()).toContain('already done')
    expect(requests.length).toBe(asked)
  })

  it('is queried by the columns that are listed; of several stages that is said', async () => {
    const asking = (sql?: string) => query(url, sql, { format: 'csv', rows: 5 }, signal)
    const lines = await listViews(storage)
    for (const { name, columns } of lines.filter(({ name }) => /^(verdicts|phrases)$/.test(name))) {
      const names = columns.map((column) => columnName(column.name)).join(', ')
      await asking(`select ${names} from ${name} where stage = 'none'`)
    }
    expect(said()).toMatch(/,at,/)
    await query(url, undefined, { format: 'table', rows: 5 }, signal)
    expect(said()).toMatch(/\nverdicts .* judge, person, reason, "at", x1/)
    await asking('select count(*) from verdicts')
    expect(said()).toMatch(/verdicts has the rows of \d+ stages, .*checked.*asked/)
  })

  it.each([
    ['round-1', { judge: 'clp', set: [] }, /--judge clp: judge: "clp" is not one of .*clip/],
    ['round-1', { judge: 'clip', set: [] }, /--judge clip: model: it is missing/],
    ['round-1', { judge: 'clip', model: '/nowhere', set: [] }, /\/nowhere/],
    [
      'round-1',
      { judge: 'network', set: [] },
      /--judge network asks a model: name its folder, --model FOLDER/,
    ],
    [
      'round-9',
      { judge: 'clip', model: clip, set: [] },
      /no grounding and no proposals "round-9"; it has: .*round-2/,
    ],
    [
      'round-1',
      { judge: 'endpoint', model: 'm', set: ['url=http://u:p@x/v1'] },
      /url: expected the base address/,
    ],
  ])('about %s with %j is refused', async (asked, options, message) => {
    await expect(verify(`${url}:${asked}`, { as: 'x', ...options }, signal)).rejects.toThrow(message)
  })

  it('needs boxes of one dataset and of the same phrases', async () => {
    const dataset = await openDataset(url)
    const outputs = await Promise.all([
      datasetOutput(dataset, 'grounding', 'round-1'),
      datasetOutput(dataset, 'grounding', 'round-2'),
      datasetOutput(dataset, 'grounding', 's'),
      datasetOutput(dataset, 'proposals', 'label-2'),
      datasetOutput(dataset, 'phrases', 'chunk'),
    ])
    const { context } = stageContext(undefined, outputs)
    const config = { judge: 'clip', model: clip }
    const offers = (...needs: readonly string[]) => kind.offers(stageAs(kind, 'x', needs, config), context)
    expect(await offers('round-1', 'label-2')).toMatchObject({ verdicts: 'x', missing: [] })
    const without = stageContext(
      undefined,
      outputs.map((output, at) => ({ ...output, missing: ['00000', `0000${at}`] })),
    )
    const stage = stageAs(kind, 'x', ['round-1', 'label-2'], config)
    expect((await kind.offers(stage, without.context)).missing).toEqual(['00000', '00003'])
    await expect(offers('chunk')).rejects.toThrow(
      '(verify) needs a stage that gives a grounding or proposals',
    )
    await expect(offers('round-1', 'round-2')).rejects.toThrow('takes grounding from one stage')
    await expect(offers('s', 'label-2')).rejects.toThrow('"s" and "label-2" are of other phrases')
  })
})
