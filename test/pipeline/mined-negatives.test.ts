import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('a training that needs a stage of mined negatives', () => {
  it('reads them with the boxes of their dataset, and is made again where they change', async () => {
    const folder = await temporaryFolder()
    await makeSmallWorld(join(folder, 'world'))
    const gold = join(folder, 'world/gold')
    const run = async (needs: string, max: number) => {
      const path = join(folder, 'pipeline.yaml')
      await writeFile(
        path,
        `name: p
stages:
  - name: gold
    uses: ingest
    with: { format: coco, images: "${gold}/images", instances: "${gold}/annotations.json", limit: 6 }
  - { name: hard, uses: mine, needs: [gold], with: { model: none, max: ${max} } }
  - { name: more, uses: mine, needs: [gold], with: { model: none } }
  - name: model
    uses: train
    needs: [${needs}]
    with:
      steps: 1
      batch: 2
      threads: 1
      augment: { categories: 1, hard_negatives: 9 }
`,
      )
      const pipeline = await readPipeline(path)
      const { failed } = await runPipeline(pipeline, join(folder, 'run'))
      if (failed > 0) return failed
      const { inputs } = JSON.parse(await readFile(join(folder, 'run/models/model/record.json'), 'utf8'))
      return inputs.gold as string
    }
    const plain = await run('gold', 4)
    const four = await run('gold, hard', 4)
    const five = await run('gold, hard', 5)
    expect(new Set([plain, four, five]).size).toBe(3)
    await expect(run('gold, hard, more', 4)).rejects.toThrow(
      /Stage "model" \(train\) takes negatives of "gold" from one stage, and needs several.*: hard, more/,
    )
  })
})
