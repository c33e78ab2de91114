import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { random } from '../random.js'
import { drawRegions } from '../render/draw-regions.js'
import { readCommit } from '../shards/commit.js'
import { readDataset } from '../shards/dataset.js'
import { readShard } from '../shards/read-shard.js'
import { openStorage } from '../shards/storage.js'
import { UserError } from '../user-error.js'
import { readStats } from './read-stats.js'

export interface RenderOptions {
  readonly grounding?: string
  readonly sample: number
  readonly seed: number
  readonly out: string
  readonly json?: boolean
}

/** `groundmill render`: PNG files of random pictures with their regions. */
export async function render(dataset: string, options: RenderOptions): Promise<void> {
  const storage = openStorage(dataset)
  const { name, shards } = await readDataset(storage)
  const stages = (await readStats(dataset))
    .filter(({ family }) => family === 'grounding')
    .map(({ stage }) => stage)
  const grounding = options.grounding ?? stages.at(-1) ?? name
  const rows: { shard: string; row: number }[] = []
  for (const shard of shards) {
    const file = (await readCommit(storage, 'grounding', grounding, shard))?.files.grounding
    for (let row = 0; row < (file?.rows ?? 0); row++) rows.push({ shard, row })
  }
  if (rows.length === 0) {
    throw new UserError(
      `${dataset} has no grounding "${grounding}"; it has: ${[...new Set([name, ...stages])].join(', ')}.`,
    )
  }
  const chosen = random(options.seed).shuffle(rows).slice(0, options.sample)
  await mkdir(options.out, { recursive: true })
  const files: string[] = []
  for (const shard of shards) {
    const wanted = new Set(chosen.filter((row) => row.shard === shard).map(({ row }) => row))
    if (wanted.size === 0) continue
    const regions = readShard(storage, 'grounding', grounding, shard)
    try {
      let row = 0
      for await (const image of readShard(storage, 'images', null, shard)) {
        const own = (await regions.next()).value
        if (!wanted.delete(row++) || !own) continue
        const { key, captions, width, height } = image
        const title = `${key}  ${width} x ${height}  ${grounding}`
        const path = join(options.out, `${key}.png`)
        const drawing = { bytes: image.image.bytes, width, height, captions, regions: own.regions, title }
        await writeFile(path, await drawRegions(drawing))
        files.push(path)
        if (wanted.size === 0) break
      }
    } finally {
      await regions.return()
    }
  }
  process.stdout.write(
    options.json ? `${JSON.stringify({ dataset, grounding, files })}\n` : `${files.join('\n')}\n`,
  )
}
