import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { grain } from '../helpers/odd-images.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const run = join(folder, 'run')
await mkdir(join(folder, 'images'))
const [one, two] = [await grain().jpeg().toBuffer(), await grain().jpeg().toBuffer()]
for (const [name, bytes] of Object.entries({
  a: one,
  b: two,
  again: one,
  empty: await grain().jpeg().toBuffer(),
}))
  await writeFile(join(folder, 'images', `${name}.jpg`), bytes)
const names = ['a', 'b', 'again', 'empty']
await writeFile(
  join(folder, 'instances.json'),
  JSON.stringify({
    images: names.map((name, id) => ({
      id,
      file_name: `${name}.jpg`,
      width: 80,
      height: 60,
      caption: 'a dog',
    })),
    categories: [{ id: 1, name: 'dog' }],
    annotations: [0, 1, 2].map((image_id) => ({ image_id, category_id: 1, bbox: [8, 6, 40, 30] })),
  }),
)
const path = join(folder, 'pipeline.yaml')
await writeFile(
  path,
  `
name: boxes
stages:
  - name: photos
    uses: ingest
    with: { format: coco, images: "${join(folder, 'images')}", instances: "${join(folder, 'instances.json')}" }
  - name: once
    uses: dedup
    needs: [photos]
  - name: boxes
    uses: export
    needs: [once]
    with: { format: yolo }
`,
)
const go = async (set: string[] = []) =>
  (await runPipeline(await readPipeline(path, { set }), run)).outcomes.get('boxes')
const exported = async (out: string) => JSON.parse(await readFile(join(out, 'export.json'), 'utf8'))

it('a stage exports the gold of a dedup stage, once, and again where it is told to do otherwise', async () => {
  expect(await go()).toMatchObject({ ran: 1, skipped: 0, failed: [] })
  const out = join(run, 'exports', 'boxes')
  expect((await readdir(join(out, 'labels/train/00000'))).sort()).toEqual(['a.txt', 'b.txt'])
  expect(await readFile(join(out, 'labels/train/00000/b.txt'), 'utf8')).toBe('0 0.35 0.35 0.5 0.5\n')
  expect((await exported(out)).leftOut.images).toEqual({ duplicate_bytes: 1, no_region: 1 })
  expect(await go()).toMatchObject({ ran: 0, skipped: 1 })
  // A picture without a region may stay; a duplicate never does.
  expect(await go(['boxes.keep_empty=true'])).toMatchObject({ ran: 1, skipped: 0 })
  expect((await exported(out)).written.images).toBe(3)
  expect((await exported(out)).leftOut.images).toEqual({ duplicate_bytes: 1 })
})

it('the command exports the same, and the gold as it was before', async () => {
  const [thinned, whole] = [join(folder, 'thinned'), join(folder, 'whole')]
  const command = async (stage: string, out: string) =>
    (
      await startGroundmill(['export', join(run, 'photos'), '--as', stage, '--format', 'yolo', '-o', out])
        .ended
    ).code
  expect(await command('once', thinned)).toBe(0)
  expect((await exported(thinned)).leftOut.images).toEqual({ duplicate_bytes: 1, no_region: 1 })
  expect(await command('photos', whole)).toBe(0)
  expect((await exported(whole)).leftOut.images).toEqual({ no_region: 1 })
  expect((await exported(whole)).written.images).toBe(3)
})
