import { cp, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { checkStage, findFaults } from '../../../src/pipeline/plan/check-stages.js'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../../src/pipeline/run-pipeline.js'
import { teach } from '../../../src/pipeline/stages/teach.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const fixture = (name: string) => fileURLToPath(new URL(`../../teacher/fixtures/${name}`, import.meta.url))
const folder = await temporaryFolder()
const list = join(folder, 'pairs.csv')
const rows = Array.from({ length: 30 }, (_, row) => `http://127.0.0.1:1/${row}.jpg,a dog ${row}`)
await writeFile(list, `url,caption\n${rows.join('\n')}\n`)

const crawl = { name: 'web', uses: 'ingest', with: { format: 'csv', path: list } }
const words = { name: 'words', uses: 'chunk', needs: ['web'] }
const label = (more: object) => ({ name: 'label', uses: 'teach', needs: ['words'], with: more })
const kept = (rules: readonly object[]) => ({
  ...{ name: 'kept', uses: 'filter', needs: ['label'], with: { rules } },
})

const pipelineOf = (...stages: readonly object[]) => parsePipeline({ name: 'p', stages })
/** The faults of a pipeline, as `stage, key: message`. */
async function faultsOf(...stages: readonly object[]): Promise<string[]> {
  const pipeline = await pipelineOf(...stages)
  const faults = await findFaults(pipeline.stages, openStorage(join(folder, 'run')))
  return faults.map(({ stages: [stage], key = 'needs', message }) => `${stage}, ${key}: ${message}`)
}

describe('before the first stage', () => {
  it('all that is wrong is told at once, with stage and key, and nothing is made or fetched', async () => {
    const empty = await temporaryFolder()
    await writeFile(join(empty, 'file'), 'x')
    await mkdir(join(empty, 'other'))
    await writeFile(join(empty, 'other', 'mine.txt'), 'x')
    const pipeline = await pipelineOf(
      crawl,
      words,
      label({ model: join(empty, 'nosuch') }),
      kept([
        { rule: 'calibrate', file: join(empty, 'none.json') },
        { rule: 'clip', model: join(empty, 'noclip'), min: 0.2 },
      ]),
      { name: 'student', uses: 'train', needs: ['kept'], with: { preset: 'huge' } },
      { name: 'again', uses: 'train', needs: ['kept'], with: { init: join(empty, 'noinit') } },
      { name: 'out', uses: 'export', needs: ['kept'], with: { format: 'hf', out: join(empty, 'other') } },
      { name: 'in', uses: 'export', needs: ['kept'], with: { format: 'hf', out: join(empty, 'file', 'a') } },
      { name: 'right', uses: 'audit', needs: ['kept'], with: { truth: join(empty, 'file') } },
    )
    const before = await readdir(empty, { recursive: true })
    const run = join(empty, 'runs', 'a')
    const error = await runPipeline(pipeline, run).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UserError)
    const { message } = error as Error
    for (const [stage, key, what] of [
      ['label', 'model', 'nosuch is not a model folder'],
      ['kept', 'rules (calibrate)', 'none.json'],
      ['kept', 'rules (clip)', 'noclip has no vision_model.onnx'],
      ['student', 'preset', 'Unknown preset "huge"'],
      ['again', 'init', 'noinit'],
      ['out', 'out', 'other is there and holds no export'],
      ['in', 'out', 'a part of this path is a file'],
      ['right', 'truth', 'file is not JSON'],
    ] as const)
      expect(message).toMatch(new RegExp(`^ {2}${stage}, ${key.replace(/[()]/g, '\\$&')}: .*${what}`, 'm'))
    expect(message).toContain('8 things are to be mended')
    expect(await readdir(empty, { recursive: true })).toEqual(before)
  })

  it('stages that are not given what they need are told of, and not those behind them', async () => {
    expect(
      await faultsOf(crawl, { ...label({}), needs: ['web'] }, kept([]), {
        ...{ name: 'student', uses: 'train', needs: ['kept', 'web'] },
        with: { vocabulary: ['nosuch'] },
      }),
    ).toEqual([
      'label, needs: Stage "label" (teach) needs a stage that gives a model.',
      'student, needs: Stage "student" cannot train on "web": it has no boxes. Name its filter stage.',
    ])
  })

  it('what stages of the run make is not asked for: models, exports that are read back', async () => {
    const gold = join(folder, 'gold.json')
    const image = { id: 1, file_name: 'a.jpg', width: 9, height: 9, caption: 'a dog' }
    const annotations = [{ id: 1, image_id: 1, bbox: [1, 1, 5, 5], category_id: 1 }]
    await writeFile(
      gold,
      JSON.stringify({ images: [image], annotations, categories: [{ id: 1, name: 'dog' }] }),
    )
    const out = join(folder, 'later')
    expect(
      await faultsOf(
        { name: 'gold', uses: 'ingest', with: { format: 'coco', instances: gold, images: folder } },
        { name: 'teacher', uses: 'train', needs: ['gold'] },
        crawl,
        words,
        { ...label({ model: 'teacher' }), needs: ['words', 'teacher'] },
        { ...kept([]), name: 'kept' },
        { name: 'out', uses: 'export', needs: ['kept'], with: { format: 'coco', out } },
        { name: 'back', uses: 'ingest', with: { format: 'coco', instances: join(out, 'a.json') } },
      ),
    ).toEqual([])
  })

  it('a source is opened, its columns and its folder of pictures are looked for', async () => {
    const at = await temporaryFolder()
    const write = async (name: string, text: string) => {
      await writeFile(join(at, name), text)
      return join(at, name)
    }
    const source = (more: object) => ({ name: 'web', uses: 'ingest', with: more })
    const images = Array.from({ length: 20 }, (_, id) => ({
      ...{ id, file_name: `${id}.jpg`, width: 9, height: 9, caption: 'a dog' },
    }))
    const captions = await write('captions.json', JSON.stringify({ images, annotations: [] }))
    const cases = [
      [{ format: 'tsv', path: join(at, 'nosuch.tsv') }, 'nosuch.tsv: there is no such file'],
      [{ format: 'csv', path: await write('other.csv', 'link,words\na,b\n') }, 'has no column'],
      [{ format: 'csv', path: await write('none.csv', 'url,caption\n') }, 'has no rows'],
      [{ format: 'parquet', path: await write('no.parquet', 'hello') }, 'no.parquet'],
      [{ format: 'coco', captions, images: join(at, 'photos') }, 'photos: there is no such file or folder'],
      [{ card: 'nosuchcard' }, 'nosuchcard'],
    ] as const
    for (const [config, message] of cases) {
      const faults = await faultsOf(source(config))
      expect(faults).toHaveLength(1)
      expect(faults[0]).toContain(message)
    }
    // Pictures that are not there are rejects: a folder may hold a few of those that a list names.
    await mkdir(join(at, 'photos'))
    expect(await faultsOf(source({ format: 'coco', captions, images: join(at, 'photos') }))).toEqual([])
  })

  it('a model that is cut short, or lacks a file, is told without opening it', async () => {
    const at = await temporaryFolder()
    const copy = async (name: string) => {
      const path = join(at, `${name}-${Math.random()}`)
      await cp(fixture(name), path, { recursive: true })
      return path
    }
    expect(await faultsOf(crawl, words, label({ model: fixture('grounding-dino') }))).toEqual([])
    const cut = await copy('grounding-dino')
    const model = join(cut, 'onnx', 'model.onnx')
    await truncate(model, (await readFile(model)).length - 100)
    const pointer = await copy('grounding-dino')
    await writeFile(
      join(pointer, 'onnx', 'model.onnx'),
      'version https://git-lfs.github.com/spec/v1\noid …\n',
    )
    for (const path of [cut, pointer])
      expect(await faultsOf(crawl, words, label({ model: path }))).toEqual([
        expect.stringContaining('is cut short, or is no ONNX model'),
      ])
  })

  it('a detector with labels whose labels no rule reads is told of before it is asked', async () => {
    const detector = label({ model: fixture('torchvision') })
    expect(await faultsOf(crawl, words, detector, kept([{ rule: 'score', min: 0.4 }]))).toEqual([
      expect.stringMatching(/^kept, rules: Proposals "label" are of a detector with a fixed list of labels/),
    ])
    expect(await faultsOf(crawl, words, detector, kept([{ rule: 'label' }]))).toEqual([])
    // Where groundings alone are compared nobody looks at the proposals.
    const [one, other] = ['one', 'other'].map((name) => ({ ...kept([{ rule: 'label' }]), name }))
    const compared = {
      ...kept([{ rule: 'consensus', of: ['one', 'other'] }]),
      needs: ['label', 'one', 'other'],
    }
    expect(await faultsOf(crawl, words, detector, one!, other!, compared)).toEqual([])
  })

  it('a run is not made in the folder of pictures that it reads', async () => {
    const at = await temporaryFolder()
    await writeFile(join(at, 'a.jpg'), '')
    await writeFile(join(at, 'a.txt'), 'a dog')
    const { stages } = await pipelineOf({ name: 'web', uses: 'ingest', with: { format: 'folder', path: at } })
    const messages = async (run: string) =>
      (await findFaults(stages, openStorage(run))).map(({ message }) => message)
    expect(await messages(at)).toEqual([
      expect.stringContaining('is read from, and is the folder of the run'),
    ])
    expect(await messages(join(at, 'run'))).toEqual([])
  })

  it('a model is not trained over what is somebody’s own', async () => {
    const run = await temporaryFolder()
    await mkdir(join(run, 'models', 'student'), { recursive: true })
    await writeFile(join(run, 'models', 'student', 'model.onnx'), 'mine')
    const student = { name: 'student', uses: 'train', needs: ['kept'], with: {} }
    const { stages } = await pipelineOf(crawl, words, label({ model: fixture('detr') }), kept([]), student)
    const faults = await findFaults(stages, openStorage(run))
    expect(faults.map(({ stages, key }) => [...stages, key])).toContainEqual(['student', 'model'])
  })

  it('an engine of other machines is not refused for what this one lacks; a slice not for others’ work', async () => {
    const pipeline = await pipelineOf(crawl, words, label({ model: join(folder, 'nosuch') }))
    const notices: string[] = []
    const away = new Error('submitted')
    const engine = {
      ...{ window: 1, isElsewhere: true, close: async () => {} },
      submit: async () => Promise.reject(away),
    }
    const onNotice = (_: unknown, text: string) => notices.push(text)
    const run = join(folder, 'queued')
    await expect(runPipeline(pipeline, run, { engine, onNotice })).resolves.toMatchObject({ failed: 1 })
    expect(notices).toEqual([expect.stringMatching(/^not found here.*label, model: .*nosuch/)])
  })
})

it('a command of one stage is told the same', async () => {
  const dataset = { name: 'd', storage: openStorage(join(folder, 'd')), shards: [] }
  const stage = { name: 'label', needs: ['words'], with: { model: 'nosuch' } }
  const outputs = new Map([['words', { name: 'words', dataset, phrases: 'words', missing: [] }]])
  await expect(checkStage(teach, stage, { outputs })).rejects.toThrow(
    'label, model: nosuch is not a model folder',
  )
})
