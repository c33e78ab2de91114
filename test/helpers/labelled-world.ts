import { join } from 'node:path'
import { random } from '../../src/base/random.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import type { GroundingRow, Region } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { makeWorld } from '../../src/world/make-world.js'
import { readRecipe } from '../../src/world/recipe.js'

/**
 * A toy web with its truth as gold, phrases "words" of its captions, and labels "found" of a teacher that is
 * right more often where it is surer, and of known things; beside it "gold", whose nouns are known.
 */
export async function labelledWorld(folder: string, scenes: number) {
  const world = join(folder, 'world')
  const recipe = await readRecipe('datasets/toy.yaml')
  await makeWorld({ ...recipe, splits: { gold: 40, web: scenes, known: 1, novel: 1, attributes: 1 } }, world)
  const source = (split: string, file: string, images: string) => ({
    name: split,
    uses: 'ingest',
    with: { format: 'coco', images: join(world, images, 'images'), instances: join(world, images, file) },
  })
  const pipeline = await parsePipeline({
    name: 'labelled',
    stages: [
      source('gold', 'annotations.json', 'gold'),
      { ...source('web', 'truth.json', 'web') },
      { name: 'words', uses: 'chunk', needs: ['web'] },
    ],
  })
  const run = join(folder, 'run')
  const { failed } = await runPipeline(pipeline, run)
  if (failed > 0) throw new Error('the pipeline failed')
  await label(join(run, 'web'))
  return { run, web: join(run, 'web'), gold: join(run, 'gold'), truth: join(world, 'web/truth.json') }
}

async function label(url: string): Promise<void> {
  const { storage, shards } = await openDataset(url)
  for (const shard of shards) {
    const rows: GroundingRow[] = []
    const parts = {
      images: { columns: ['captions'] },
      phrases: { stage: 'words', columns: ['phrases'] },
      grounding: { stage: 'web', columns: ['regions'] },
    } as const
    for await (const { key, images, phrases, grounding } of joinRows(storage, shard, parts)) {
      const draw = random('labels', key)
      const boxes = [...new Map(grounding.regions.map(({ xyxy }) => [xyxy.join(), xyxy])).values()]
      // What is found in one picture is easy or hard together.
      const ease = draw.next()
      const regions = phrases.phrases.flatMap(({ caption, start, end }, phrase): Region[] => {
        // The prompts of names that gold has are not the web's captions.
        if (images.captions[caption]?.kind === 'categories') return []
        const own = grounding.regions.filter(
          (region) => region.caption === caption && region.start === start && region.end === end,
        )
        return own.flatMap(({ xyxy }): Region[] => {
          const score = Math.fround(0.3 + 0.65 * draw.next())
          if (draw.next() < 0.15) return []
          const isRight = draw.next() < 0.5 * score + 0.5 * ease
          const [x1, y1, x2, y2] = isRight ? xyxy : draw.pick(boxes)
          const moved = [x1, y1, x2, y2].map((side) => Math.fround(side + draw.between(0, 2)))
          const box = moved as unknown as Region['xyxy']
          return [{ caption, phrase, start, end, xyxy: box, score, origin: 'made' }]
        })
      })
      rows.push({ key, regions })
    }
    const phrases = (await readCommit(storage, 'phrases', 'words', shard))?.files.phrases?.sha256 ?? ''
    const stats = { counts: {}, histograms: {}, tallies: {} }
    const counts = { unit: 'rows', in: rows.length, out: rows.length, rejected: {}, stats }
    const task = { storage, stage: 'found', shard, configHash: 'c', inputs: { phrases } }
    await runShardTask(task, 'grounding', async (write) => ({
      files: { grounding: await write('grounding', rows) },
      ...counts,
    }))
  }
}
