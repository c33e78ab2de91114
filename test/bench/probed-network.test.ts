import { join } from 'node:path'
import { expect, it } from 'vitest'
import { probeTasks, readThings } from '../../bench/probe-questions.js'
import { openProbedNetwork } from '../../bench/probed-network.js'
import { packaged } from '../../src/base/files/packaged.js'
import { random } from '../../src/base/random.js'
import { floats, longs, Session } from '../../src/graph/session.js'
import { encodePrompt, tokensOf } from '../../src/model/encode-prompt.js'
import { plainPlacement, writeImage } from '../../src/model/image-input.js'
import { modelCard } from '../../src/model/model-card.js'
import { writeModelFolder } from '../../src/model/model-folder.js'
import { glip, glipInputs } from '../../src/model/network/glip.js'
import { initialValue, parametersOf } from '../../src/model/network/parameters.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import { makeWorld } from '../../src/world/make-world.js'
import { readRecipe } from '../../src/world/recipe.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const recipe = await readRecipe(packaged('datasets/toy.yaml'))
const splits = { gold: 0, web: 0, known: 4, novel: 0, attributes: 4 }
await makeWorld({ ...recipe, splits }, join(folder, 'world'))
const { pictures, things } = await readThings(join(folder, 'world'), ['known', 'attributes'])
const tasks = probeTasks(things)
const texts = things.flatMap((thing) =>
  tasks.flatMap((task) => task.promptsOf(thing).map(({ text }) => text)),
)
const vocabulary = buildVocabulary([...texts, ...texts], 400)

async function toyModel(name: string, seed: number) {
  const config = glipConfig('toy', vocabulary.size)
  const { contrastive, ...outputs } = glip(config, glipInputs(config, 1))
  const parameters = parametersOf([...Object.values(outputs), ...Object.values(contrastive ?? {})])
  await writeModelFolder(join(folder, name), {
    config,
    vocabulary,
    parameters: parameters.map((one) => ({
      name: one.name,
      shape: one.shape,
      data: initialValue(one, seed),
    })),
    card: modelCard({ name, config, license: 'mit', lineage: 'Drawn.' }),
    batch: 1,
  })
  return { path: join(folder, name), config }
}

it('asks of every thing what the world drew, among all values', () => {
  expect(pictures.length).toBe(8)
  expect(new Set(things.map(({ picture }) => picture)).size).toBe(8)
  for (const thing of things)
    for (const task of tasks) {
      const label = task.labelOf(thing)
      const phrases = task
        .promptsOf(thing)
        .flatMap(({ text, spans }) => spans.map(([start, end]) => text.slice(start, end)))
      expect(phrases.length).toBe(task.values.length)
      if (label < 0) expect([task.name, thing.size]).toEqual(['size', null])
      else if (task.name === 'name') expect(phrases[label]).toBe(thing.name)
      else expect(phrases[label]).toBe(`${thing[task.name]} ${thing.name}`)
    }
})

it('looks into the network that the model folder runs', async () => {
  const { path, config } = await toyModel('toy', 1)
  const network = await openProbedNetwork(path, 'trained')
  const session = await Session.open(join(path, 'model.onnx'), { threads: 1, ownGraph: true })
  const tokenizer = createTokenizer(vocabulary)
  const values = new Map(
    parametersOf(Object.values(glip(config, glipInputs(config, 1))).slice(0, 3)).map((one) => [
      one.name,
      initialValue(one, 1),
    ]),
  )
  const samples = things.slice(0, 20).map((thing) => {
    const picture = pictures[thing.picture]!
    const image = new Float32Array(96 * 96 * 3)
    writeImage(image, 0, picture, plainPlacement(picture, config), config)
    return { image, prompt: tasks[0]!.promptsOf(thing)[0]! }
  })
  const draw = random(3)
  const points = samples.map(() => [draw.between(0, 96), draw.between(0, 96)] as const)
  const read: { features: Float32Array; widths: number[]; scores: number[] }[] = []
  await network.run(samples, (answer, sample) => {
    const [x, y] = points[sample]!
    read[sample] = {
      features: answer.featuresAt('block 2', x, y),
      widths: network.layers.map(({ name }) => answer.featuresAt(name, x, y).length),
      scores: answer.scoresAt(x, y),
    }
  })
  expect(network.layers.map(({ name }) => name)).toEqual([
    ...['stem', 'stage 1', 'stage 2', 'stage 3', 'stage 4', 'pyramid'],
    ...['fusion 1', 'block 1', 'fusion 2', 'block 2', 'region embedding'],
  ])
  for (const [index, { image, prompt }] of samples.entries()) {
    const encoded = encodePrompt(prompt.text, tokenizer, 48)
    const { scores, objectness } = await session.run({
      image: floats(image, [1, 96, 96, 3]),
      ids: longs(encoded.ids, [1, 48]),
      mask: floats(encoded.mask, [1, 48]),
    })
    const [x, y] = points[index]!
    const place = Math.floor(y / 8) * 12 + Math.floor(x / 8)
    const own = read[index]!
    expect(own.widths).toEqual([32, 32, 64, 96, 96, 64, 64, 64, 64, 64, 64])
    prompt.spans.forEach((span, phrase) => {
      const tokens = tokensOf(encoded, span)
      const mean =
        tokens.reduce((sum, token) => sum + Number(scores!.data[place * 48 + token]), 0) / tokens.length
      expect(own.scores[phrase]).toBeCloseTo(mean, 5)
    })
    // The last features are what the head reads: its centerness follows from them.
    const weight = values.get('rpn.head.centerness.weight')!
    const logit = own.features.reduce(
      (sum, value, at) => sum + value * weight[at]!,
      values.get('rpn.head.centerness.bias')![0]!,
    )
    expect(1 / (1 + Math.exp(-logit))).toBeCloseTo(Number(objectness!.data[place]), 5)
  }
  await session.close()
  await network.close()
})

it('has, untrained, first weights of its configuration, whatever the folder holds', async () => {
  const { path } = await toyModel('other', 2)
  const { path: same } = await toyModel('first', 1)
  const [a, b, c] = await Promise.all([
    openProbedNetwork(path, 'untrained'),
    openProbedNetwork(same, 'trained'),
    openProbedNetwork(path, 'trained'),
  ])
  const sample = {
    image: new Float32Array(96 * 96 * 3).fill(0.3),
    prompt: tasks[1]!.promptsOf(things[0]!)[0]!,
  }
  const scores = await Promise.all(
    [a, b, c].map(async (network) => {
      let found: number[] = []
      await network.run([sample], (answer) => {
        found = answer.scoresAt(40, 50)
      })
      await network.close()
      return found
    }),
  )
  expect(scores[0]).toEqual(scores[1])
  expect(scores[0]).not.toEqual(scores[2])
})
