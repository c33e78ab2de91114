import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { planText } from '../../../src/cli/terminal/print-plan.js'
import { diskWarning } from '../../../src/pipeline/plan/disk-warning.js'
import { planRun } from '../../../src/pipeline/plan/plan-run.js'
import type { RunPlan } from '../../../src/pipeline/plan/run-plan.js'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../../src/pipeline/run-pipeline.js'
import type { Stage } from '../../../src/pipeline/stages/pipeline-config.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { grain } from '../../helpers/odd-images.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const model = fileURLToPath(new URL('../../teacher/fixtures/torchvision', import.meta.url))
const folder = await temporaryFolder()
const run = join(folder, 'run')
const images = join(folder, 'images')
const captions = join(folder, 'captions.json')
await mkdir(images)
let bytes = 0
for (let id = 0; id < 7; id++) {
  const picture = await grain().jpeg().toBuffer()
  bytes += picture.length
  await writeFile(join(images, `${id}.jpg`), picture)
}
async function list(count: number) {
  const entries = Array.from({ length: count }, (_, id) => ({
    ...{ id, file_name: `${id}.jpg`, width: 80, height: 60, caption: `a brown dog ${id}` },
  }))
  await writeFile(captions, JSON.stringify({ images: entries, annotations: [] }))
}
await list(7)

const pipeline = (set: readonly string[] = []) =>
  parsePipeline(
    {
      name: 'planned',
      stages: [
        { name: 'photos', uses: 'ingest', with: { format: 'coco', images, captions, shard_size: 3 } },
        { name: 'words', uses: 'chunk', needs: ['photos'] },
        { name: 'label', uses: 'teach', needs: ['words'], with: { model, floor: 0 } },
        { name: 'kept', uses: 'filter', needs: ['label'], with: { rules: [{ rule: 'label' }] } },
        { name: 'out', uses: 'export', needs: ['kept'], with: { format: 'coco', keep_empty: true } },
      ],
    },
    'p',
    { set },
  )
const plan = async (set: readonly string[] = []) => planRun(await pipeline(set), run)
/** Of each stage how much is made, and how many pictures are to be worked on. */
const shown = ({ stages }: RunPlan) => stages.map(({ done, total, toDo }) => `${done}/${total} ${toDo}`)
/** Every file below the run with the time of its last change. */
const files = async () => {
  const names = (await readdir(folder, { recursive: true })).sort()
  return Promise.all(names.map(async (name) => `${name} ${(await stat(join(folder, name))).mtimeMs}`))
}

it('a plan says what there is to be made of what, and writes nothing', async () => {
  const before = await files()
  const first = await plan()
  expect(shown(first)).toEqual(['0/3 7', '0/3 7', '0/3 7', '0/3 7', '0/1 7'])
  const { stages, disk, faults } = first
  expect(faults).toEqual([])
  // The pictures as they are, and as they are exported; what else there is is guessed.
  expect(stages[0]?.disk).toEqual({ bytes, from: 'source' })
  expect(stages[4]?.disk).toEqual({ bytes: bytes + 7000, from: 'typical' })
  expect(disk.needed).toBeGreaterThan(2 * bytes)
  expect(disk.free).toBeGreaterThan(disk.needed)
  expect(stages[2]?.model).toEqual({ folder: model, family: 'torchvision-detector', labels: 3 })
  expect(stages.some(({ seconds }) => seconds !== undefined)).toBe(false)
  expect(await files()).toEqual(before)

  await runPipeline(await pipeline(), run)
  const made = await files()
  const all = await plan()
  expect(shown(all)).toEqual(['3/3 0', '3/3 0', '3/3 0', '3/3 0', '1/1 0'])
  expect(all.disk.needed).toBe(0)
  expect(planText(all)).not.toMatch(/anew|~\d|TOO LITTLE/)

  // Of another configuration: the stage and what is made of it.
  const other = await plan(['label.floor=0.2'])
  expect(shown(other)).toEqual(['3/3 0', '3/3 0', '0/3 7', '0/3 7', '0/1 7'])
  expect(other.stages[2]?.anew).toEqual(['3 of 3 shards: changed: floor (was 0, is 0.2)'])
  expect(other.stages[3]?.anew).toEqual(['3 of 3 shards: what it is made of is made anew'])
  expect(other.stages[2]?.seconds).toBeGreaterThan(0)
  expect(other.stages[2]?.disk.from).toBe('measured')
  expect(planText(other)).toContain('label: 3 of 3 shards: changed: floor (was 0, is 0.2)')

  // Another model in the same place, and shards that are not there.
  const moved = await plan([
    `label.model=${fileURLToPath(new URL('../../teacher/fixtures/detr', import.meta.url))}`,
  ])
  expect(moved.stages[2]?.anew).toEqual(['3 of 3 shards: what it is made of has changed: model, teacher'])
  await rm(join(run, 'photos', 'proposals', 'label', '00001.json'))
  expect(shown(await plan())).toEqual(['3/3 0', '3/3 0', '2/3 3', '2/3 3', '0/1 7'])
  expect(planText(await plan())).toContain('gone on with (3 pictures)')

  // The source has one picture less: the last shard alone is made anew.
  await list(6)
  const less = await plan()
  expect(less.stages[0]).toMatchObject({ total: 2, done: 2, pictures: 6 })
  await list(7)
  expect((await files()).filter((line) => !made.includes(line) && !line.startsWith('captions'))).toEqual(
    (await files()).filter(
      (line) =>
        /proposals\/label |^(images|captions)/.test(line) &&
        !made.includes(line) &&
        !line.startsWith('captions'),
    ),
  )
})

it('what would stop a stage is in the plan too', async () => {
  const { faults, stages } = await planRun(
    await pipeline(['label.model=nosuch', 'photos.captions=none.json']),
    run,
  )
  expect(faults.map(({ stages: names, key }) => [names, key])).toEqual([
    [['photos'], 'source'],
    [['label'], 'model'],
  ])
  expect(stages[0]).toMatchObject({ done: 0 })
  expect(stages[0]?.total).toBeUndefined()
  expect(stages[2]?.model).toEqual({ folder: 'nosuch' })
})

it('where the disk is too small for what is to be made, the plan and the run say so, once', async () => {
  const { stages } = await pipeline()
  const planned = await planRun({ name: 'p', stages }, join(folder, 'wide'))
  expect(planText({ ...planned, disk: { needed: 2e15, free: 1e9 } })).toContain(
    'about 2.0 PB would be needed, 1.0 GB are free: TOO LITTLE',
  )
  const warned = async (free: number, url: string) => {
    const notices: string[] = []
    const events = { onNotice: (_: unknown, text: string) => void notices.push(text) }
    const { onPlanned } = diskWarning(stages, openStorage(url), events, async () => free)
    for (let time = 0; time < 2; time++) onPlanned?.(stages[0] as Stage, 7)
    // It is looked for beside the work.
    await delay(300)
    return notices
  }
  const { needed } = planned.disk
  expect(await warned(needed + 10, join(folder, 'wide'))).toEqual([])
  expect(await warned(needed - 10, join(folder, 'wide'))).toEqual([
    expect.stringMatching(/^warning: what is still to be made takes about .* kB, and .* kB are free/),
  ])
  // What is there takes nothing any more.
  expect(await warned(0.8 * needed, run)).toEqual([])
})
