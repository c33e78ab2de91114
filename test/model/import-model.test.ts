import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { exportModelCommand } from '../../src/cli/export-model.js'
import { add } from '../../src/graph/ops/elementwise.js'
import { parameter } from '../../src/graph/ops/tensor.js'
import { floats, longs, Session } from '../../src/graph/session.js'
import { exportModel } from '../../src/model/export-model.js'
import { type ImportOptions, importModel } from '../../src/model/import-model.js'
import { parametersOf } from '../../src/model/network/parameters.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { parameterSpecs } from '../../src/model/parameter-specs.js'
import { openStartWeights, partialWeights } from '../../src/model/start-weights.js'
import { readTokenizer } from '../../src/model/word-piece.js'
import { trainConfig } from '../../src/train/config.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { trainModel } from '../../src/train/train-model.js'
import type { TrainResult } from '../../src/train/train-task.js'
import { readSafetensors, writeSafetensors } from '../../src/weights/safetensors.js'
import { smallGold } from '../helpers/small-gold.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const original = join(folder, 'original')

let source: SampleSource

/** Trains a step that is too small to change anything. */
const train = (name: string, init?: string): Promise<TrainResult> =>
  trainModel({
    name,
    folder: join(folder, name),
    config: trainConfig.parse({ steps: 1, batch: 1, learning_rate: 1e-30, ema: 0, seed: 3, license: 'mit' }),
    sources: [source],
    texts: [],
    init,
  })

const options = (changes: Partial<ImportOptions> & Pick<ImportOptions, 'checkpoints' | 'folder'>) => ({
  preset: 'toy',
  parts: ['all'] as const,
  average: false,
  allowMissing: false,
  batch: 8,
  changes: {},
  ...changes,
})

const weightsOf = async (path: string) => (await readSafetensors(join(path, 'model.safetensors'))).tensors

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength)

beforeAll(async () => {
  source = await smallGold(folder, { license: 'Apache-2.0' })
  await train('original')
})

describe('a model that is exported', () => {
  const file = join(folder, 'out', 'model.safetensors')

  it('has the official keys and layouts of PyTorch, and a card with its lineage, licence and scores', async () => {
    const scores = [
      { set: 'known', name: 'ap50', value: 0.25 },
      { set: 'novel', name: 'ap50', value: 0.125 },
    ]
    const done = await exportModel({
      folder: original,
      file,
      modulePrefix: true,
      scores,
      license: 'apache-2.0',
    })
    const { tensors } = await readSafetensors(file)
    expect(tensors.size).toBe(done.parameters)
    const weights = await weightsOf(original)
    expect([...tensors.keys()].sort()).toEqual([...weights.keys()].map((name) => `module.${name}`).sort())
    const name = 'backbone.fpn.fpn_layer2.weight'
    const [here, there] = [weights.get(name)!, tensors.get(`module.${name}`)!]
    expect(there.shape).toEqual([64, 64, 3, 3])
    // Output 5, input 7, row 1, column 2.
    expect(there.data[((5 * 64 + 7) * 3 + 1) * 3 + 2]).toBe(here.data[((5 * 3 + 1) * 3 + 2) * 64 + 7])

    const card = await readFile(join(folder, 'out', 'model.md'), 'utf8')
    const [, header, text] = card.split(/^---\n/m)
    expect(header).toContain('license: apache-2.0\n')
    expect(header).not.toContain('mit')
    expect(header).toContain('dataset: { name: "novel", type: "novel" }')
    expect(header).toContain('- { type: ap50, name: ap50, value: 0.125 }')
    expect(text).toMatch(/\| gold \| s \| 30 \| \d+ gold \| 1 \| Apache-2\.0 \|/)
    expect(text).toContain('| known | ap50 | 0.2500 |')
    expect(text).toContain('## Loading')
  })

  it('takes scores from evaluate --json and from the record of a run', async () => {
    const printed = join(folder, 'printed.json')
    const record = join(folder, 'record.json')
    await writeFile(
      printed,
      JSON.stringify({ dataset: 'runs/known', model: 'm', ap: 0.5, ap50: 0.75, ar1: -1 }),
    )
    const attributes = { colour: { phrases: 4, auc: 0.75 }, size: { phrases: 0, auc: -1 } }
    const result = { ap: -1, recall1: 0.25, attributes }
    await writeFile(record, JSON.stringify({ stage: 'teacher-novel', result }))
    const out = join(folder, 'scored.safetensors')
    const silent = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    await exportModelCommand(original, { out, scores: [printed, record] })
    silent.mockRestore()
    const card = await readFile(join(folder, 'scored.md'), 'utf8')
    const rows = card.split('\n').filter((line) => /^\| (known|teacher-novel) /.test(line))
    expect(rows).toEqual([
      '| known | ap | 0.5000 |',
      '| known | ap50 | 0.7500 |',
      '| teacher-novel | recall1 | 0.2500 |',
      '| teacher-novel | attribute_auc_colour | 0.7500 |',
    ])
    expect(card).toContain('license: mit\n')
    const empty = exportModelCommand(original, { out, scores: [join(original, 'config.json')] })
    await expect(empty).rejects.toThrow(/config\.json has no scores/)
  })

  it('comes back as the same model', async () => {
    await copyFile(join(original, 'tokenizer.json'), join(folder, 'out', 'tokenizer.json'))
    const copy = join(folder, 'copy')
    const result = await importModel(options({ checkpoints: [file], folder: copy }))
    expect(result).toMatchObject({ written: 'model', missing: [], wrongShape: [], unused: [], ignored: [] })
    const [before, after] = [await weightsOf(original), await weightsOf(copy)]
    expect(after.size).toBe(before.size)
    for (const [name, { data }] of before)
      expect(Buffer.compare(bytesOf(after.get(name)!.data), bytesOf(data)), name).toBe(0)
    expect(await readFile(join(copy, 'config.json'))).toEqual(await readFile(join(original, 'config.json')))
    expect(await readFile(join(copy, 'README.md'), 'utf8')).toMatch(
      /\| model\.safetensors \| GLIP, official names \| [0-9a-f]{64} \|/,
    )

    const outputs = []
    for (const model of [original, copy]) {
      const session = await Session.open(join(model, 'model.onnx'), { threads: 1 })
      const [image, ids, mask] = ['image', 'ids', 'mask'].map(
        (name) => session.inputs.find((input) => input.name === name)!.shape,
      )
      const count = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1)
      const { scores } = await session.run({
        image: floats(
          Float32Array.from({ length: count(image) }, (_, at) => Math.sin(at)),
          image,
        ),
        ids: longs(
          Array.from({ length: count(ids) }, (_, at) => at % 7),
          ids,
        ),
        mask: floats(new Float32Array(count(mask)).fill(1), mask),
      })
      outputs.push(bytesOf(scores.data as Float32Array))
      await session.close()
    }
    expect(Buffer.compare(outputs[1], outputs[0])).toBe(0)
  })

  it('is not written under another name, nor without a whole model', async () => {
    const given = { folder: original, modulePrefix: false, scores: [] }
    await expect(exportModel({ ...given, file: join(folder, 'm.pth') })).rejects.toThrow(
      /are exported as \.safetensors/,
    )
    const nowhere = { ...given, folder: join(folder, 'nowhere'), file: join(folder, 'm.safetensors') }
    await expect(exportModel(nowhere)).rejects.toThrow(/is not a model folder/)
  })
})

describe('weights of parts', () => {
  const start = join(folder, 'start')

  it('are taken where training starts, and the rest starts fresh', async () => {
    const file = join(folder, 'part', 'model.safetensors')
    const tokenizer = await readTokenizer(join(original, 'tokenizer.json'))
    const config = glipConfig('toy', tokenizer.vocabulary.size)
    const specs = parameterSpecs(config)
    const weights = await weightsOf(original)
    // As BERT alone is published: without the rest of GLIP's names, the vocabulary beside it.
    const prefix = 'language_backbone.body.model.'
    const language = specs.filter(({ name }) => name.startsWith(prefix))
    const moved = language.map(({ name, shape }) => ({
      name: name.replace(prefix, 'bert.'),
      shape,
      data: weights.get(name)!.data.map((value) => value + 1),
    }))
    await writeSafetensors(file, moved)
    await writeFile(
      join(folder, 'part', 'vocab.txt'),
      [...tokenizer.vocabulary.keys()].map((key) => `${key}\n`).join(''),
    )
    const result = await importModel(options({ checkpoints: [file], folder: start, parts: ['language'] }))
    expect(result).toMatchObject({ written: 'weights', missing: [], unused: [] })
    expect((await readdir(start)).sort()).toEqual(['import.json', 'model.safetensors', 'tokenizer.json'])

    const over = importModel(options({ checkpoints: [file], folder: original, parts: ['language'] }))
    await expect(over).rejects.toThrow(/holds a whole model/)

    const { start: begun } = await train('student', start)
    expect(begun?.taken.toSorted()).toEqual(language.map(({ name }) => name).sort())
    expect(begun?.fresh.length).toBe(specs.length - language.length)
    const student = await weightsOf(join(folder, 'student'))
    const taken = `${prefix}embeddings.word_embeddings.weight`
    expect(student.get(taken)!.data).toEqual(weights.get(taken)!.data.map((value) => value + 1))
    const fresh = 'rpn.head.contrastive_text.weight'
    expect(student.get(fresh)).toEqual(weights.get(fresh))
    expect(await readFile(join(folder, 'student', 'README.md'), 'utf8')).toContain(
      `${language.length} parameters taken, ${specs.length - language.length} started fresh`,
    )
  })

  it('do not start a network of another shape', async () => {
    const other = join(folder, 'other')
    const refused = async (name: string, metadata: Record<string, string>, message: RegExp) => {
      const array = { name, shape: [3], data: new Float32Array(3) }
      await writeSafetensors(join(other, 'model.safetensors'), [array], metadata)
      const scale = parameter('rpn.head.log_scale', [1], { kind: 'constant', value: 0 })
      const opened = openStartWeights(other, parametersOf([add(scale, 1)]))
      await expect(opened).rejects.toThrow(message)
    }
    await refused('rpn.head.log_scale', partialWeights, /rpn\.head\.log_scale has shape \[3\] .*, \[1\] here/)
    await refused('x', partialWeights, /has no parameter of this network/)
    await refused('x', {}, /has no parameter rpn\.head\.log_scale: its preset differs/)
  })
})

describe('an import that lacks weights', () => {
  const file = join(folder, 'lacking', 'model.safetensors')
  const target = join(folder, 'lacking', 'model')

  it('writes nothing, unless it may', async () => {
    const weights = [...(await weightsOf(original)).values()].filter(
      ({ name }) => name !== 'rpn.head.log_scale',
    )
    const specs = new Map(parameterSpecs(glipConfig('toy', 100)).map((spec) => [spec.name, spec]))
    // The original's own layout is PyTorch's for all but convolutions, which are left out here.
    const same = weights.filter(({ name }) => specs.get(name)?.layout === 'same')
    await writeSafetensors(file, same)
    const tokenizer = join(original, 'tokenizer.json')
    const refused = await importModel(options({ checkpoints: [file], folder: target, tokenizer }))
    expect(refused.written).toBe('nothing')
    expect(refused.missing.map(({ name }) => name)).toContain('rpn.head.log_scale')
    await expect(readdir(target)).rejects.toThrow(/ENOENT/)
    const allowed = await importModel(
      options({ checkpoints: [file], folder: target, tokenizer, allowMissing: true }),
    )
    expect(allowed.written).toBe('weights')
    expect((await weightsOf(target)).size).toBe(same.length)
  })

  it('asks for the tokenizer where none is beside the checkpoint', async () => {
    await mkdir(join(folder, 'alone'))
    const alone = join(folder, 'alone', 'model.safetensors')
    await copyFile(file, alone)
    const refusal = await importModel(options({ checkpoints: [alone], folder: target })).catch(
      (error) => error,
    )
    expect(refusal).toBeInstanceOf(UserError)
    expect(refusal.message).toMatch(/no tokenizer\.json or vocab\.txt beside .*--tokenizer/)
  })

  it('of PyTorch with the official names says which preset it is not', async () => {
    const checkpoint = fileURLToPath(new URL('./fixtures/glip-tiny.pth', import.meta.url))
    const tokenizer = join(original, 'tokenizer.json')
    const result = await importModel(options({ checkpoints: [checkpoint], folder: target, tokenizer }))
    expect(result.written).toBe('nothing')
    expect(result.others).toEqual(['iteration'])
    expect(result.wrongShape.find(({ name }) => name === 'rpn.head.bbox_pred.weight')).toEqual({
      name: 'rpn.head.bbox_pred.weight',
      key: 'module.rpn.head.bbox_pred.weight',
      expected: [4, 64, 1, 1],
      found: [4, 8, 1, 1],
    })
  })
})
