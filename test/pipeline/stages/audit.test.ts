import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { audit } from '../../../src/pipeline/stages/audit.js'
import type { StageContext, StageOutput } from '../../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { groundedDataset, type PictureSpec } from '../../helpers/grounded-dataset.js'
import { putRows, stageAs, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const dog = (x: number): PictureSpec => ({
  captions: [{ text: 'a dog', kind: 'web' }],
  regions: [{ caption: 0, start: 0, end: 5, xyxy: [x, 0, x + 20, 20], score: 0.5, origin: 'made' }],
  url: 'http://a.example/dog.jpg',
})

/** A dataset of two shards with labels `found`; the truth is `gold`, of which nothing is known to be wrong. */
async function newRun() {
  const run = openStorage(await temporaryFolder())
  const source = await groundedDataset(run.path('web'), [
    [dog(0), { ...dog(40), dropped: 'twice' }],
    [dog(0)],
  ])
  const { storage, shards } = source
  const dataset = { name: 'web', storage, shards }
  const grounded = { dataset, phrases: 'words', grounding: 'found', missing: [] }
  const outputs: StageOutput[] = [
    { name: 'kept', selection: 'once', ...grounded },
    { name: 'gold', ...grounded },
    { name: 'plain', dataset, missing: [] },
    { name: 'words', dataset, phrases: 'words', missing: [] },
  ]
  return { run, outputs, dataset }
}

/** A stage that needs the labels, and the gold where it is named. */
const stageWith = (
  config: { readonly truth: string; readonly known?: string },
  needs?: readonly string[],
) => {
  const isGold = config.truth === 'gold' || config.known === 'gold'
  return stageAs(audit, 'scores', needs ?? ['plain', 'kept', ...(isGold ? ['gold'] : [])], config)
}

const setUp = (run: Storage, outputs: readonly StageOutput[], changes: Partial<StageContext> = {}) =>
  stageContext(run, outputs, changes)

describe('a stage that audits', () => {
  it('holds labels against gold of their dataset, once', async () => {
    const { run, outputs } = await newRun()
    const { context, said } = setUp(run, outputs)
    const stage = stageWith({ truth: 'gold' })
    expect(await audit.find(stage, 'c', context)).toBeUndefined()
    const made = await audit.run(stage, 'c', context)
    // What the selection drops is no picture, and counts for the progress.
    expect(made).toMatchObject({ skipped: false, result: { pictures: 2 }, offers: { missing: [] } })
    expect(made.offers.labels).toEqual(made.result)
    expect(said.progress).toEqual([1, 2, 3].map((done) => [done, 3]))
    expect(await audit.find(stage, 'c', context)).toEqual(made.offers)
    expect((await audit.run(stage, 'c', context)).skipped).toBe(true)
    expect(await audit.find(stage, 'd', context)).toBeUndefined()
    // Without a run it is told, and kept nowhere.
    const alone = setUp(undefined as never, outputs).context
    expect(await audit.find(stage, 'c', alone)).toBeUndefined()
    expect((await audit.run(stage, 'c', alone)).result).toMatchObject({ pictures: 2 })
    const record = JSON.parse(Buffer.from((await run.read('audits/scores.json')) ?? []).toString())
    await run.write('audits/scores.json', JSON.stringify({ ...record, result: { pictures: 'two' } }))
    expect(await audit.find(stage, 'c', context)).toBeUndefined()
    expect((await audit.run(stage, 'c', context)).skipped).toBe(false)
  })

  it('is made anew where the labels, the truth or what is known has changed', async () => {
    const { run, outputs, dataset } = await newRun()
    const { context } = setUp(run, outputs)
    const truth = join(await temporaryFolder(), 'truth.json')
    const coco = {
      images: [{ id: 1, file_name: 'dog.jpg', width: 64, height: 64, caption: 'a dog' }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 20, 20], tokens_positive: [[0, 5]] }],
      categories: [{ id: 1, name: 'dog' }],
    }
    await writeFile(truth, JSON.stringify(coco))
    const stage = stageWith({ truth, known: 'gold' })
    const isMade = async () => (await audit.find(stage, 'c', context)) !== undefined
    const made = await audit.run(stage, 'c', context)
    expect(made.result).toMatchObject({ pictures: 2, picturesWithTruth: 2 })
    const inputNames = async () => {
      const bytes = (await run.read('audits/scores.json')) ?? []
      return Object.keys(JSON.parse(Buffer.from(bytes).toString()).inputs)
    }
    expect(await inputNames()).toEqual(['grounding', 'truth', 'known'])
    expect(made.result.kinds.some(({ kind }) => kind === 'known')).toBe(true)
    expect(await isMade()).toBe(true)
    await writeFile(truth, `${JSON.stringify(coco)}\n`)
    expect(await isMade()).toBe(false)
    const other = await audit.run(stage, 'c', context)
    expect(other.skipped).toBe(false)
    // Without what is known no head is.
    const unknown = await audit.run(stageWith({ truth }), 'd', context)
    expect(await inputNames()).toEqual(['grounding', 'truth'])
    expect(unknown.result.kinds.some(({ kind }) => kind === 'known')).toBe(false)
    await audit.run(stage, 'c', context)
    await putRows({ ...dataset, shards: ['00001'] }, 'phrases', 'words', 'a cat')
    expect(await isMade()).toBe(false)
  })

  it('finds words by the category of a box where it is told to', async () => {
    const { run, outputs } = await newRun()
    const { context, said } = setUp(run, outputs)
    const truth = join(await temporaryFolder(), 'truth.json')
    const image = { id: 1, file_name: 'dog.jpg', width: 64, height: 64 }
    const categories = [{ id: 1, name: 'boat' }]
    const annotations = [
      { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 20, 20] },
      { id: 2, image_id: 1, category_id: 1, bbox: [0, 0, -1, 20] },
    ]
    await writeFile(truth, JSON.stringify({ images: [image], annotations, categories }))
    await expect(audit.run(stageWith({ truth }), 'c', context)).rejects.toThrow(UserError)
    const precision = async (config: object, hash: string) => {
      const stage = stageAs(audit, 'scores', ['kept'], { truth, by: 'category', ...config })
      const { result } = await audit.run(stage, hash, context)
      return result.kinds.find(({ kind }) => kind === 'all')?.precision
    }
    expect(await precision({}, 'd')).toBe(0)
    expect(await precision({ synonyms: { boat: ['dog', 'thing'] } }, 'e')).toBe(1)
    // What the file has that cannot be used is said.
    expect(said.notices.join('\n')).toContain('malformed')
  })

  it('leaves shards out that are not there', async () => {
    const { run, outputs } = await newRun()
    const missing = outputs.map((output) => ({ ...output, missing: output.name === 'kept' ? ['00000'] : [] }))
    const { context, said } = setUp(run, missing)
    expect((await audit.run(stageWith({ truth: 'gold' }), 'c', context)).result).toMatchObject({
      pictures: 1,
    })
    expect(said.progress).toEqual([[1, 1]])
  })

  it('ends where it is told to, and is no audit where its truth has changed meanwhile', async () => {
    const { run, outputs } = await newRun()
    const stopped = setUp(run, outputs, { signal: AbortSignal.abort(new Error('enough')) })
    await expect(audit.run(stageWith({ truth: 'gold' }), 'c', stopped.context)).rejects.toThrow('enough')
    const changing = setUp(run, outputs, {
      // Another process makes a shard of the labels anew, which fails.
      progress: () => {
        const kept = outputs[0] as StageOutput
        ;(changing.context.outputs as Map<string, StageOutput>).set('kept', { ...kept, missing: ['00000'] })
      },
    })
    await expect(audit.run(stageWith({ truth: 'gold' }), 'c', changing.context)).rejects.toThrow(
      'was changed by another process meanwhile',
    )
    expect(await run.exists('audits/scores.json')).toBe(false)
  })

  it('is refused what has no grounding, and truth of another dataset or none', async () => {
    const { run, outputs } = await newRun()
    const other = await newRun()
    const { context } = setUp(run, [...outputs, { ...(other.outputs[1] as StageOutput), name: 'far' }])
    const refused = async (config: Parameters<typeof stageWith>[0], needs?: string[]) => {
      const error = await audit.find(stageWith(config, needs), 'c', context).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(UserError)
      return (error as Error).message
    }
    expect(await refused({ truth: 'far' }, ['kept', 'far'])).toContain('"far" is of another dataset')
    for (const truth of ['plain', 'words'])
      expect(await refused({ truth }, ['kept', truth])).toContain(`"${truth}" has no grounding`)
    expect(await refused({ truth: 'gold', known: 'plain' })).toContain('"plain" has no grounding')
    expect(await refused({ truth: 'gold', known: 'none' })).toContain('"none" has not run')
    expect(await refused({ truth: '/none/truth.json' })).toContain('/none/truth.json')
    // Of several that have labels it does not know which are meant.
    expect(await refused({ truth: '/t.json' }, ['kept', 'gold'])).toContain('kept, gold')
    expect(await refused({ truth: '/t.json', known: 'gold' }, ['kept', 'gold'])).toContain('/t.json')
  })
})
