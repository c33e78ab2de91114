import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { random } from '../base/random.js'
import { chooseStage, describeChosen } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { findOnly, onlyText, readOnlyKeys } from '../export/only-keys.js'
import { drawRegions } from '../render/draw-regions.js'
import { readCommit } from '../shards/commit.js'
import { joinRows } from '../shards/join-rows.js'
import { note, print, printJson } from './terminal/print.js'
import { createProgress } from './terminal/progress.js'

export interface RenderOptions {
  readonly grounding?: string
  /** How many pictures: 8 by default, with `only` all of those. */
  readonly sample?: number
  readonly seed: number
  readonly out: string
  readonly only?: string
  readonly json?: boolean
}

/** Pictures that are drawn where nothing is said. */
const few = 8

/** `groundmill render`: PNG files of random pictures with their regions. */
export async function render(dataset: string, options: RenderOptions): Promise<void> {
  const opened = await openDataset(dataset)
  const { storage, shards } = opened
  const grounding = chooseStage(opened, 'grounding', {
    requested: options.grounding,
    option: '--grounding STAGE',
  })
  note(`drawing ${describeChosen(opened, 'grounding', grounding)}`)
  const only = options.only === undefined ? undefined : await readOnlyKeys(opened, options.only)
  const rows: { shard: string; row: number }[] = []
  const made: { shard: string }[] = []
  for (const shard of shards) {
    const file = (await readCommit(storage, 'grounding', grounding, shard))?.files.grounding
    if (!file) continue
    made.push({ shard })
    if (!only) for (let row = 0; row < file.rows; row++) rows.push({ shard, row })
  }
  if (only) note(onlyText(await findOnly({ storage, grounding }, made, only, (place) => rows.push(place))))
  const chosen = random(options.seed)
    .shuffle(rows)
    .slice(0, options.sample ?? (only ? rows.length : few))
  await makeFolder(options.out)
  const files: string[] = []
  const progress = createProgress()
  for (const shard of shards) {
    const wanted = new Set(chosen.filter((row) => row.shard === shard).map(({ row }) => row))
    if (wanted.size === 0) continue
    const parts = {
      images: { columns: ['image', 'width', 'height', 'captions'] },
      grounding: { stage: grounding },
    } as const
    for await (const { key, row, images, grounding: own } of joinRows(storage, shard, parts)) {
      if (!wanted.delete(row)) continue
      const { image, captions, width, height } = images
      const title = `${key}  ${width} x ${height}  ${grounding}`
      const path = join(options.out, `${key}.png`)
      const drawing = { bytes: image.bytes, width, height, captions, regions: own.regions, title }
      await writeFile(path, await drawRegions(drawing))
      files.push(path)
      progress.update(options.out, files.length, chosen.length)
      if (wanted.size === 0) break
    }
  }
  progress.stop()
  if (options.json) printJson({ dataset, grounding, files })
  else print(files.join('\n'))
}
