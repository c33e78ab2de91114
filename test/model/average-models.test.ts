import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { sizeOf } from '../../src/graph/ops/tensor.js'
import { averageModels } from '../../src/model/average-models.js'
import { licenseOf, modelCard } from '../../src/model/model-card.js'
import { hashModel, writeModelFolder } from '../../src/model/model-folder.js'
import type { GlipConfig } from '../../src/model/network/config.js'
import { parameterSpecs } from '../../src/model/parameter-specs.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { readSafetensors } from '../../src/weights/safetensors.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { tinyConfig } from '../helpers/tiny-glip.js'

const folder = await temporaryFolder()
const vocabulary = buildVocabulary(['a dog and a cat', 'a dog and a cat'], 200)
const config: GlipConfig = { ...tinyConfig, text: { ...tinyConfig.text, vocab_size: vocabulary.size } }

async function model(name: string, seed: number, changed: Partial<GlipConfig> = {}, license = 'mit') {
  const own = { ...config, ...changed }
  const draw = random(seed)
  await writeModelFolder(join(folder, name), {
    config: own,
    vocabulary,
    parameters: parameterSpecs(own).map(({ name: parameter, shape }) => ({
      name: parameter,
      shape,
      data: Float32Array.from({ length: sizeOf(shape) }, () => draw.normal()),
    })),
    card: modelCard({ name, config: own, license, lineage: 'Drawn.' }),
    batch: 1,
  })
  return join(folder, name)
}
const from = await model('from', 1)
const to = await model('to', 2)

async function mean(weight: number, more: { from?: string; to?: string } = {}) {
  const made = join(folder, `mean-${weight}`)
  await averageModels({ name: 'mean', folder: made, from, to, ...more, weight })
  return made
}

describe('the mean of two models', () => {
  it('has the mean of every parameter, and opens as a model', async () => {
    const made = await mean(0.25)
    const [first, second, both] = await Promise.all(
      [from, to, made].map(async (path) => (await readSafetensors(join(path, 'model.safetensors'))).tensors),
    )
    expect([...both!.keys()]).toEqual([...second!.keys()])
    for (const [name, { data, shape }] of both!) {
      const [a, b] = [first!.get(name)!, second!.get(name)!]
      expect(shape).toEqual(a.shape)
      data.forEach((value, at) => {
        expect(value).toBe(Math.fround(0.75 * a.data[at]! + 0.25 * b.data[at]!))
      })
    }
    const teacher = await openTeacher(made)
    expect(teacher.maxTokens).toBe(config.text.max_tokens)
    await teacher.close()
    const card = await readFile(join(made, 'README.md'), 'utf8')
    expect(card).toContain(`| \`${from}\` | 75 % | mit | ${await hashModel(from)} |`)
    expect(card).toContain(`| \`${to}\` | 25 % | mit | ${await hashModel(to)} |`)
    expect(await licenseOf(made)).toBe('mit')
  })

  it('is either of them at the ends, to the bit', async () => {
    const weights = (path: string) => readFile(join(path, 'model.safetensors'))
    expect(await weights(await mean(0))).toEqual(await weights(from))
    expect(await weights(await mean(1))).toEqual(await weights(to))
  })

  it('is refused of two networks, two tokenizers or parts, and knows no licence where they differ', async () => {
    const wider = await model('wider', 3, { fusion: { embed: 16, heads: 4 } })
    await expect(mean(0.5, { from: wider })).rejects.toThrow(
      `${wider} and ${to} have no mean: their networks differ in "fusion" of config.json.`,
    )
    const words = join(folder, 'words')
    await cp(to, words, { recursive: true })
    const tokenizer = await readFile(join(words, 'tokenizer.json'), 'utf8')
    await writeFile(join(words, 'tokenizer.json'), tokenizer.replace('"dog"', '"owl"'))
    await expect(mean(0.5, { from: words })).rejects.toThrow('their tokenizers differ')
    await expect(mean(0.5, { from: join(folder, 'nowhere') })).rejects.toThrow('is not a model folder')
    const other = await model('other', 4, {}, 'apache-2.0')
    expect(await licenseOf(await mean(0.5, { from: other }))).toBe('unknown')
  })
})
