import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { isPromotion } from '../../src/pipeline/promotion/is-promotion.js'
import { parsePipeline, readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readCommit } from '../../src/shards/commit.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { hashTeacher } from '../../src/teacher/open-teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { picture } from '../teacher/pictures.js'

const folder = await temporaryFolder()
/** Knows persons, dogs and traffic lights, and finds the last two in stripes. */
const model = 'test/teacher/fixtures/torchvision'
const captions = ['A puppy beside a man', 'Two stoplights above a hot dog', 'The kitchen']
// Few of a random network's boxes are sure of anything.
const rules =
  '[{rule: label}, {rule: score, min: 0.1}, {rule: nms, iou: 0.5}, {rule: number, singular: noun, fewer: keep}]'

const sizeOf = (id: number) => {
  const { width, height } = picture(id)
  return { width, height }
}

beforeAll(async () => {
  await mkdir(join(folder, 'images'))
  const images = captions.map((_, id) => ({ id, file_name: `${id}.png`, ...sizeOf(id) }))
  for (const { id, file_name, width, height } of images) {
    const raw = { width, height, channels: 3 } as const
    await writeFile(
      join(folder, 'images', file_name),
      await sharp(picture(id).data, { raw }).png().toBuffer(),
    )
  }
  const said = captions.map((caption, id) => ({ id: id + 1, image_id: id, caption }))
  await writeFile(join(folder, 'captions.json'), JSON.stringify({ images, annotations: said }))
  const categories = ['person', 'dog', 'traffic light'].map((name, id) => ({ id, name }))
  const annotations = captions.map((_, id) => ({
    ...{ id: id + 1, image_id: id, category_id: 1, bbox: [10, 8, 20, 20], area: 400, iscrowd: 0 },
  }))
  await writeFile(join(folder, 'instances.json'), JSON.stringify({ images, categories, annotations }))
})

/** What each phrase is kept for, by its label, and how many boxes it has. */
async function kept(run: string): Promise<Record<string, number>> {
  const { storage, shards } = await openDataset(join(run, 'photos'))
  const found: Record<string, number> = {}
  const parts = { phrases: { stage: 'phrases' }, grounding: { stage: 'filter' } } as const
  for (const shard of shards)
    for await (const { phrases, grounding } of joinRows(storage, shard, parts))
      for (const [at, { text }] of phrases.phrases.entries())
        found[text] = grounding.regions.filter(({ phrase }) => phrase === at).length
  return found
}

describe('pipelines/detector.yaml', () => {
  it('takes photographs with captions and a detector to shards and COCO files', async () => {
    const run = join(folder, 'run')
    const set = [
      `folder=${folder}`,
      `model=${model}`,
      `photos.instances=${folder}/instances.json`,
      `filter.rules=${rules}`,
    ]
    const pipeline = await readPipeline('pipelines/detector.yaml', { set })
    const { outcomes } = await runPipeline(pipeline, run)
    expect([...outcomes.values()].flatMap(({ failed }) => failed)).toEqual([])
    const boxes = await kept(run)
    // No category of the gold is a phrase; a puppy is a dog and one, a hot dog is none.
    expect(boxes).toEqual({ 'A puppy': 1, 'a man': 0, 'Two stoplights': 2, 'a hot dog': 0, 'The kitchen': 0 })
    const grounding = JSON.parse(await readFile(join(run, 'exports/coco/grounding.json'), 'utf8'))
    expect(grounding.annotations).toHaveLength(3)
    expect(await readdir(join(run, 'exports/shards/data'))).toHaveLength(1)
  })

  it('takes a plain folder with text files as well', async () => {
    for (const [at, caption] of captions.entries())
      await writeFile(join(folder, 'images', `${at}.txt`), caption)
    const set = [`photos={format: folder, path: ${folder}/images}`, `model=${model}`, `filter.rules=${rules}`]
    const pipeline = await readPipeline('pipelines/detector.yaml', { set })
    const run = join(folder, 'plain')
    await runPipeline(pipeline, run)
    expect(await kept(run)).toMatchObject({ 'A puppy': 1, 'Two stoplights': 2, 'a hot dog': 0 })
  })
})

describe('pipelines/own-rounds.yaml', () => {
  const set = [
    ...[`folder=${folder}`, `model=${model}`, `rounds.filter.rules=${rules}`],
    ...['photos.part={}', 'held-out.part={}'],
    'rounds.train={image_size: 64, max_tokens: 16, steps: 1, batch: 1, warmup: 0}',
  ]
  const json = async (...path: string[]) => JSON.parse(await readFile(join(folder, ...path), 'utf8'))

  it('has a detector teach a student, and decides by the labels that both give categories', async () => {
    const run = join(folder, 'rounds')
    const pipeline = await readPipeline('pipelines/own-rounds.yaml', { set, rounds: 2 })
    const only = ['round-2-label']
    const { outcomes } = await runPipeline(pipeline, run, { only })
    expect([...outcomes.values()].flatMap(({ failed }) => failed)).toEqual([])
    const hash = await hashTeacher(model)
    const { result } = await json('rounds/rounds/1.json')
    expect(result).toMatchObject({ promoted: false, teacher: { name: 'teacher', hash }, next: { hash } })
    expect(result.scores['held-out'].teacher).toMatchObject({ images: 3, categories: 1 })
    expect(result.lineage.stages['round-1-label']).toMatchObject({ model })
    // Who was not replaced teaches again.
    const { storage } = await openDataset(join(run, 'photos'))
    for (const round of [1, 2])
      expect((await readCommit(storage, 'proposals', `round-${round}-label`, '00000'))?.inputs).toMatchObject(
        {
          ...{ model: hash, teacher: 'torchvision' },
        },
      )
    // The same pictures are held out and learned from here, though no list says so.
    expect(outcomes.get('round-1-promote')?.warnings).toEqual([
      expect.stringContaining('3 of the 3 pictures of "held-out" are in "photos" as well'),
    ])
    const again = await runPipeline(pipeline, run, { only })
    expect([...again.outcomes.values()].reduce((sum, { ran }) => sum + ran, 0)).toBe(0)
  })

  it('promotes every student where that is asked for, and nothing is held out', async () => {
    const { stages, rounds } = parse(await readFile('pipelines/own-rounds.yaml', 'utf8'))
    const always = { ...rounds, held_out: [], promote: { always: true } }
    const value = {
      name: 'always',
      vars: {},
      stages: stages.slice(0, 1).concat(stages.slice(2)),
      rounds: always,
    }
    // The student is that of the rounds before: only the decision is another.
    const run = join(folder, 'rounds')
    const given = set.filter((one) => !one.startsWith('held-out'))
    const pipeline = await parsePipeline(value, 'always.yaml', { set: given, rounds: 1 })
    const { outcomes } = await runPipeline(pipeline, run)
    expect([...outcomes].filter(([, { ran }]) => ran > 0).map(([name]) => name)).toEqual(['round-1-promote'])
    const { result } = await json('rounds/rounds/1.json')
    expect(isPromotion(result)).toBe(true)
    expect(result).toMatchObject({
      ...{ promoted: true, next: { name: 'round-1-student' }, teacher: { hash: await hashTeacher(model) } },
      reason: 'round-1-student is promoted without a comparison, as `always` asks for',
    })
    expect(await readFile(join(run, 'models/round-1-student/README.md'), 'utf8')).toContain(
      'this model is the next teacher',
    )
  })
})
