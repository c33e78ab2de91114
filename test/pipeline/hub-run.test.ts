import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planText } from '../../src/cli/terminal/print-plan.js'
import { planRun } from '../../src/pipeline/plan/plan-run.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { currentPipeline } from '../../src/pipeline/tasks/current-pipeline.js'
import { readCommit } from '../../src/shards/commit.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { hubHome } from '../helpers/hub-home.js'
import { grain } from '../helpers/odd-images.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const hub = await hubHome()
const folder = await temporaryFolder()
const fixture = join(import.meta.dirname, '../teacher/fixtures/torchvision')
const model = hub.add('org/detector', {
  'config.json': await readFile(join(fixture, 'config.json')),
  'onnx/model.onnx': await readFile(join(fixture, 'onnx/model.onnx')),
})
await writeFile(join(folder, 'a.jpg'), await grain().jpeg().toBuffer())
const list = (caption: string) => `url\tcaption\na.jpg\t${caption}\n`
const lists = hub.add('org/lists', { 'train.tsv': list('a brown dog') }, { type: 'dataset', isPrivate: true })
process.env.HF_TOKEN = hub.token

const pipeline = () =>
  parsePipeline(
    {
      name: 'named',
      stages: [
        {
          name: 'photos',
          uses: 'ingest',
          with: { format: 'tsv', path: 'hf://datasets/org/lists', images: folder },
        },
        { name: 'words', uses: 'chunk', needs: ['photos'] },
        { name: 'label', uses: 'teach', needs: ['words'], with: { model: 'hf://org/detector', floor: 0 } },
      ],
    },
    'p',
  )
const ran = async (run: string) => {
  const { outcomes } = await runPipeline(await pipeline(), run)
  return [...outcomes.values()].map(({ ran }) => ran)
}
const commitOf = ({ branches }: typeof model) => branches.get('main') as string
/** As another machine has it: nothing in the cache, and nothing remembered. */
const elsewhere = async () => {
  process.env.HF_HOME = await temporaryFolder()
}

test('a run is of the commits that it was begun with, on every machine; another one of those that are there then', async () => {
  const run = join(folder, 'run')
  const first = { model: commitOf(model), lists: commitOf(lists) }
  const planned = await planRun(await pipeline(), run)
  expect(planned.faults).toEqual([])
  expect(planned.fetches.map(({ address }) => address)).toEqual([
    `hf://datasets/org/lists@${first.lists}`,
    `hf://org/detector@${first.model}`,
  ])
  expect(planText(planned)).toContain('fetched from the Hub, for it is not on this machine')
  expect(hub.requests.some(({ isCdn, path }) => isCdn || path.endsWith('train.tsv'))).toBe(false)
  expect(await readdir(folder)).not.toContain('run')

  expect(await ran(run)).toEqual([1, 1, 1])
  const storage = openStorage(join(run, 'photos'))
  const record = (family: 'images' | 'proposals', stage: string) =>
    readCommit(storage, family, stage, '00000')
  expect((await record('images', 'photos'))?.config?.source).toBe(`hf://datasets/org/lists@${first.lists}`)
  const proposals = await record('proposals', 'label')
  expect(proposals?.config?.model).toBe(`hf://org/detector@${first.model}`)
  expect(proposals?.inputs.teacher).toBe('detector')
  // Workers are given the pipeline with its commits.
  const stored = await currentPipeline(openStorage(run), [])
  expect(JSON.stringify(stored?.pipeline)).toContain(`hf://org/detector@${first.model}`)

  hub.commit(model, {
    'config.json': (await readFile(join(fixture, 'config.json'), 'utf8')).replace('{', '{ '),
  })
  hub.commit(lists, { 'train.tsv': list('two cats') })
  await elsewhere()
  expect(await ran(run)).toEqual([0, 0, 0])
  const other = join(folder, 'other')
  expect(await ran(other)).toEqual([1, 1, 1])
  const made = await readCommit(openStorage(join(other, 'photos')), 'proposals', 'label', '00000')
  expect(made?.config?.model).toBe(`hf://org/detector@${commitOf(model)}`)
  expect(made?.inputs.model).not.toBe(proposals?.inputs.model)

  // The token is in nothing that a run leaves.
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      expect(await readFile(join(entry.parentPath, entry.name), 'latin1')).not.toContain(hub.token)
})

test('what a card names on the Hub is of one commit too', async () => {
  const card = join(folder, 'card.yaml')
  await writeFile(
    card,
    `name: listed\ntitle: Listed\nhomepage: https://listed.example\nformat: tsv\npath: hf://datasets/org/lists\nimages: ${folder}\nlicense: CC0-1.0\n`,
  )
  const stages = [{ name: 'photos', uses: 'ingest', with: { card } }]
  const carded = () => parsePipeline({ name: 'carded', stages }, 'p')
  const run = join(folder, 'carded')
  const first = commitOf(lists)
  await runPipeline(await carded(), run)
  const record = await readCommit(openStorage(join(run, 'photos')), 'images', 'photos', '00000')
  expect(record?.config?.source).toBe(`hf://datasets/org/lists@${first}`)
  hub.commit(lists, { 'train.tsv': list('a third caption') })
  await elsewhere()
  const { outcomes } = await runPipeline(await carded(), run)
  expect(outcomes.get('photos')?.ran).toBe(0)
})
