import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { constant, sizeOf } from '../../../src/graph/ops/tensor.js'
import { floats, longs, Session, valueNamed } from '../../../src/graph/session.js'
import { toOnnx } from '../../../src/graph/to-onnx.js'
import { parametersOf } from '../../../src/model/network/parameters.js'
import { decodePicture } from '../../../src/pictures/picture.js'
import type { Phrase } from '../../../src/rows/rows.js'
import { readShard } from '../../../src/shards/read-shard.js'
import { gradientName, valueName } from '../../../src/train/optimizer/optimizer-state.js'
import type { SampleSource } from '../../../src/train/samples/sample.js'
import { boxBatch } from '../../../src/verify/network/box-batch.js'
import { factCount } from '../../../src/verify/network/box-facts.js'
import { judgeConfig } from '../../../src/verify/network/config.js'
import { logisticOf } from '../../../src/verify/network/fit-logistic.js'
import {
  hashJudge,
  judgeBatch,
  readJudgeFolder,
  writeJudgeFolder,
} from '../../../src/verify/network/judge-folder.js'
import {
  type JudgeNetwork,
  judgeInputs,
  judgeLoss,
  judgeNetwork,
} from '../../../src/verify/network/judge-network.js'
import type { JudgeMeasured } from '../../../src/verify/network/measure-judge.js'
import { openNetworkJudge } from '../../../src/verify/network/open-network-judge.js'
import { setFacts } from '../../../src/verify/network/set-facts.js'
import { stepGraph, trainJudge, weaknessOf } from '../../../src/verify/network/train-judge.js'
import { checkGradient, noise } from '../../helpers/check-gradient.js'
import { squares } from '../../helpers/squares.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const network: JudgeNetwork = {
  ...{ crop: 16, widths: [2, 3, 4], word_width: 3, width: 4, max_words: 3, vocabulary_size: 5 },
}

describe('the gradient of a step', () => {
  it('of the loss is that of binary cross-entropy', async () => {
    const target = [0, 1, 1, 0.5]
    const loss = (x: Parameters<typeof judgeLoss>[0]) =>
      judgeLoss(x, constant(Float32Array.from(target), [4]))
    await checkGradient({ shapes: [[4]], build: loss, domain: (value) => 3 * value })
    const logits = [-1, 2, -3, 0.5]
    const expected = logits.map((x, at) => {
      const p = 1 / (1 + Math.exp(-x))
      const of = target[at] ?? 0
      return -(of * Math.log(p) + (1 - of) * Math.log(1 - p))
    })
    const graph = toOnnx({ outputs: { loss: loss(constant(Float32Array.from(logits), [4])) } })
    const session = await Session.open(graph, { threads: 1 })
    const { loss: found } = await session.run({})
    await session.close()
    expect(Number(found?.data[0])).toBeCloseTo(expected.reduce((sum, one) => sum + one, 0) / 4, 5)
  })

  it('is along every parameter what the loss changes by', async () => {
    const batch = 4
    const { graph, parameters } = stepGraph(network, batch)
    const session = await Session.open(graph, { threads: 1 })
    const next = noise(3)
    const random = (size: number, scale = 1) => Float32Array.from({ length: size }, () => scale * next())
    const fed = {
      crop: floats(random(batch * 16 * 16 * 3), [batch, 16, 16, 3]),
      facts: floats(random(batch * factCount), [batch, factCount]),
      words: longs(BigInt64Array.from([1, 2, 3, 4, 0, 0, 2, 2, 0, 3, 1, 0].map(BigInt)), [batch, 3]),
      word_mask: floats(Float32Array.from([1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1]), [batch, 3]),
      target: floats(Float32Array.of(1, 0, 0, 1), [batch]),
    }
    const values = new Map(parameters.map(({ name, shape }) => [name, random(sizeOf(shape), 0.5)]))
    const run = () =>
      session.run({
        ...fed,
        ...Object.fromEntries(
          parameters.map(({ name, shape }) => [
            valueName(name),
            floats(values.get(name) as Float32Array, shape),
          ]),
        ),
      })
    const lossAt = async () => Number(valueNamed(await run(), 'metric.loss').data[0])
    const analytic = await run()
    const gradients = new Map(
      parameters.map(({ name }) => [
        name,
        Float32Array.from(valueNamed(analytic, gradientName(name)).data as Float32Array),
      ]),
    )
    const step = 2e-4
    let moved = 0
    for (const { name, shape } of parameters) {
      const kept = values.get(name) as Float32Array<ArrayBuffer>
      const gradient = gradients.get(name) as Float32Array
      const direction = random(sizeOf(shape))
      const along = (by: number) => {
        values.set(
          name,
          kept.map((value, at) => value + by * (direction[at] ?? 0)),
        )
        return lossAt()
      }
      const slope = ((await along(step)) - (await along(-step))) / (2 * step)
      values.set(name, kept as Float32Array<ArrayBuffer>)
      const expected = gradient.reduce((sum, value, at) => sum + value * (direction[at] ?? 0), 0)
      expect(Math.abs(slope - expected), `${name}: ${expected} for ${slope}`).toBeLessThan(
        1e-3 + 0.03 * Math.abs(slope),
      )
      if (Math.abs(slope) > 1e-3) moved++
    }
    await session.close()
    expect(moved).toBeGreaterThan(parameters.length / 2)
  })
})

describe("a judge's folder", () => {
  it('gives the answers of the network that was written, of pictures and phrases; damaged it is refused', async () => {
    const folder = await temporaryFolder()
    const inputs = judgeInputs(network, judgeBatch)
    const logits = judgeNetwork(network, inputs)
    const next = noise(5)
    const parameters = parametersOf([logits]).map(({ name, shape }) => ({
      ...{ name, shape },
      data: Float32Array.from({ length: sizeOf(shape) }, () => next()),
    }))
    const words = new Map([
      ['blue', 1],
      ['square', 2],
      ['green', 3],
      ['star', 4],
    ])
    const right = {
      known: { weights: [2, -0.5, -1, 0.7], bias: -0.5 },
      unknown: { weights: [1, -0.5, 0, 0.3], bias: 0.25 },
    }
    const complete = { weights: Array.from({ length: 11 }, (_, at) => at / 10 - 0.4), bias: 0.2 }
    await writeJudgeFolder(folder, { network, words, parameters, right, complete, card: '# a judge' })
    expect((await readJudgeFolder(folder)).words).toEqual(words)

    const { storage } = await squares(1)
    const pictures: { bytes: Uint8Array; width: number; height: number }[] = []
    for await (const { image, width, height } of readShard(storage, 'images', null, '00000'))
      pictures.push({ bytes: image.bytes, width, height })
    const [stored] = pictures as [(typeof pictures)[number]]
    const phrase: Phrase = { caption: 0, text: 'blue square', start: 0, end: 11, head: 'square' }
    const boxes = [
      { xyxy: [4, 8, 40, 44] as const, score: 1, label: null },
      { xyxy: [50, 8, 90, 44] as const, score: 0.5, label: null },
    ]
    const questions = [
      { phrase: 0, words: phrase, boxes },
      { phrase: 2, words: phrase, boxes: [] },
      // A noun that is not among the words.
      { phrase: 3, words: { ...phrase, text: 'blue circle', head: 'circle' }, boxes: boxes.slice(0, 1) },
    ]
    const judge = await openNetworkJudge(folder, { name: 'net', threads: 1 })
    const asked = { key: 'k', ...stored, captions: [], phrases: [phrase], questions }
    const { verdicts } = await judge.judge(asked)
    await judge.close()

    const session = await Session.open(
      toOnnx({
        outputs: { logits },
        parameters: (name) => parameters.find((one) => one.name === name)?.data as Float32Array,
      }),
      { threads: 1 },
    )
    const picture = await decodePicture(stored.bytes, 384)
    const fed = [...boxes, boxes[0]!].map(({ xyxy, score }, at) => ({
      ...{ picture, size: stored, xyxy, words: { number: null, count: null } },
      text: at === 2 ? 'blue circle' : phrase.text,
      // Of gold no score is told.
      scores: score === 1 ? undefined : { score, rank: 1, elsewhere: 1, otherWords: 0, things: 2 },
    }))
    const answer = await session.run(boxBatch(fed, network, words, judgeBatch))
    await session.close()
    const own = [...(valueNamed(answer, 'logits').data as Float32Array).subarray(0, 3)]
    const [first = 0, second = 0, circle = 0] = own
    const probabilities = [
      logisticOf(right.known, [first, circle, second, 0]),
      // Its score is 0.5: as good as none.
      logisticOf(right.known, [second, -7, first, 0]),
    ]
    const unknown = logisticOf(right.unknown, [circle, first, -7, 0])
    expect(Math.abs((own[0] ?? 0) - (own[1] ?? 0))).toBeGreaterThan(1e-3)
    const probable = boxes.map(({ xyxy }, at) => ({ xyxy, probability: probabilities[at] ?? 0 }))
    const expected = [
      ...probabilities,
      logisticOf(complete, setFacts(probable, {})),
      logisticOf(complete, setFacts([], {})),
      unknown,
      logisticOf(complete, setFacts([{ xyxy: boxes[0]!.xyxy, probability: unknown }], {})),
    ]
    expect(verdicts.map(({ phrase: of, xyxy }) => [of, xyxy !== null])).toEqual([
      ...[
        [0, true],
        [0, true],
        [0, false],
        [2, false],
        [3, true],
        [3, false],
      ],
    ])
    for (const [at, { probability }] of verdicts.entries())
      expect(probability).toBeCloseTo(expected[at] ?? 0, 5)

    const before = await hashJudge(folder)
    await writeFile(join(folder, 'words.json'), JSON.stringify(['red', 'square', 'green', 'star']))
    expect(await hashJudge(folder)).not.toBe(before)
    await writeFile(join(folder, 'words.json'), JSON.stringify(['a', 'b', 'c', 'd', 'e']))
    await expect(readJudgeFolder(folder)).rejects.toThrow(/5 words, and .* says 4: they belong to different/)
    await rm(join(folder, 'words.json'))
    await expect(readJudgeFolder(folder)).rejects.toThrow('its words.json is missing')
    const told = { network, right, complete: { ...complete, weights: [1] } }
    await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'groundmill-judge', ...told }))
    await expect(readJudgeFolder(folder)).rejects.toThrow(/complete\.weights: .*11/)
    await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'glip' }))
    await expect(readJudgeFolder(folder)).rejects.toThrow(/model_type "?glip"? is no judge/)
    await rm(join(folder, 'config.json'))
    await expect(readJudgeFolder(folder)).rejects.toThrow('is no judge: it has no config.json')
  })
})

describe('training a judge', () => {
  let source: SampleSource
  beforeAll(async () => {
    source = await squares(12)
  })
  const { signal: never } = new AbortController()
  const warnings: string[] = []
  const trained = (folder: string, keys: object, signal = never, onStep: (step: number) => void = () => {}) =>
    trainJudge({
      ...{ name: 'judge', folder, signal },
      config: judgeConfig.parse({ threads: 1, batch: 12, warmup: 2, hold_out: 0.3, ...keys }),
      sources: [{ ...source, grounding: 'gold' }],
      onProgress: ({ step }) => onStep(step),
      onWarning: (text) => warnings.push(text),
    })
  const bytesOf = (folder: string, name: string) => readFile(join(folder, name))

  it('says where it is no better than the score', async () => {
    // A step has taught it nothing.
    await trained(await temporaryFolder(), { steps: 1 })
    expect(warnings.splice(0)).toEqual([
      expect.stringMatching(/^On the \d+ pictures that were kept back judge tells/),
    ])
    const measured = { pictures: 9, auc: 0.633, score_auc: 0.684 } as JudgeMeasured
    expect(weaknessOf('net', measured)).toBe(
      "On the 9 pictures that were kept back net tells right boxes from wrong ones no better than the teacher's score does (area under the ROC curve 63.3 %, the score 68.4 %): give it more gold, or ask another judge.",
    )
    expect(weaknessOf('net', { ...measured, auc: 0.685 })).toBeUndefined()
    expect(weaknessOf('net', { ...measured, score_auc: null })).toBeUndefined()
  })

  it('tells colours apart that it was not shown, better than chance', async () => {
    const folder = await temporaryFolder()
    const { measured, steps } = await trained(folder, {
      steps: 60,
      unknown: 0,
      learning_rate: 6e-3,
    })
    expect(steps).toBe(60)
    expect(warnings).toEqual([])
    // Of each picture the boxes of both phrases are asked about for both: half of them are right.
    expect(measured.chance).toBe(0.5)
    expect(measured.boxes).toBe(4 * measured.pictures)
    expect(measured.auc).toBeGreaterThan(0.7)
    expect(measured.score_auc).toBe(0.5)
    const card = String(await bytesOf(folder, 'README.md'))
    expect(card).toContain('60 steps of 12 boxes of 12 pictures')
    const { right } = JSON.parse(String(await bytesOf(folder, 'config.json')))
    expect(right.known.weights[0]).toBeGreaterThan(0)
  })

  it('goes on from where it was stopped to the same weights', async () => {
    const [whole, stopped] = [await temporaryFolder(), await temporaryFolder()]
    const keys = { steps: 5, checkpoint_every: 2 }
    await trained(whole, keys)
    const stop = new AbortController()
    const steps: number[] = []
    const first = trained(stopped, keys, stop.signal, (step) => {
      if (step === 3) stop.abort()
    })
    await expect(first).rejects.toThrow(/abort/i)
    await trained(stopped, keys, never, (step) => steps.push(step))
    expect(steps).toEqual([4, 5])
    for (const name of ['model.safetensors', 'words.json', 'config.json'])
      expect((await bytesOf(stopped, name)).equals(await bytesOf(whole, name)), name).toBe(true)
    await expect(bytesOf(stopped, 'checkpoint.safetensors')).rejects.toThrow('ENOENT')
  })

  it('needs pictures to train on, and to measure on', async () => {
    const { storage, shards, phrases } = source
    const none = trainJudge({
      ...{ name: 'judge', folder: await temporaryFolder(), config: judgeConfig.parse({ pictures: 1 }) },
      sources: [{ name: 'few', storage, shards, phrases, grounding: 'gold' }],
    })
    await expect(none).rejects.toThrow('few: 1 pictures with boxes are too few to train a judge')
  })
})
