import { describe, expect, it } from 'vitest'
import { grad } from '../../src/graph/grad.js'
import { floats, longs, Session, type Value } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { glip, glipInputs } from '../../src/model/network/glip.js'
import { initialValue, parametersOf } from '../../src/model/network/parameters.js'
import { targetInputs, unifiedLoss } from '../../src/train/loss/train-graph.js'
import { tinyBatch, tinyConfig, tinyTraining } from '../helpers/tiny-glip.js'

const outputs = glip(tinyConfig, glipInputs(tinyConfig, tinyTraining.batch))
const losses = unifiedLoss(tinyConfig, tinyTraining, outputs, targetInputs(tinyConfig, tinyTraining))
const parameters = parametersOf(Object.values(losses))
const [logits, ...rest] = grad(losses.loss, [outputs.logits, ...parameters.map(({ tensor }) => tensor)])

/** The losses of a batch, the gradient of its logits and the norm of all others. */
async function step(batch: Readonly<Record<string, Value>>) {
  const named = Object.fromEntries(rest.map((gradient, index) => [`gradient ${index}`, gradient]))
  const firstValue = (name: string) => {
    const parameter = parameters.find((one) => one.name === name)
    if (!parameter) throw new Error(name)
    return initialValue(parameter, 7)
  }
  const terms = Object.fromEntries(Object.entries(losses).map(([name, loss]) => [`term ${name}`, loss]))
  if (!logits) throw new Error('no gradient')
  const session = await Session.open(
    toOnnx({ outputs: { ...terms, logits, ...named }, parameters: firstValue }),
  )
  try {
    const fed = session.inputs.map(({ name }) => [name, batch[name] as Value] as const)
    const results = await session.run(Object.fromEntries(fed))
    const values = (name: string) => results[name]?.data as Float32Array
    return {
      term: (name: string) => Number(values(`term ${name}`)[0]),
      logits: values('logits'),
      norm: Math.hypot(...rest.map((_, index) => Math.hypot(...values(`gradient ${index}`)))),
    }
  } finally {
    await session.close()
  }
}

const batch = tinyBatch(7)
const { batch: n, max_boxes } = tinyTraining
const length = tinyConfig.text.max_tokens
const places = (batch.assigned?.shape[1] ?? 0) as number
const valuesOf = (name: string) => {
  const value = batch[name]
  if (!value) throw new Error(name)
  return value.data
}
const assigned = Array.from(valuesOf('assigned') as BigInt64Array, Number)

describe('a batch without any box', () => {
  it('teaches what is not there, with losses and gradients that are numbers', async () => {
    const { term, norm } = await step({
      ...batch,
      assigned: longs(new BigInt64Array(n * places).fill(BigInt(max_boxes)), [n, places]),
      centerness: floats(new Float32Array(n * places), [n, places]),
      phrase: floats(new Float32Array(n * (max_boxes + 1) * length), [n, max_boxes + 1, length]),
    })
    expect(term('classification')).toBeGreaterThan(0)
    for (const name of ['regression', 'grounding', 'contrastive']) expect(term(name), name).toBe(0)
    expect(norm).toBeGreaterThan(0)
    expect(norm).toBeLessThan(Number.POSITIVE_INFINITY)
  })
})

describe('words that may be true of a box', () => {
  it('teach nothing at its places, and as before at all others', async () => {
    const phrase = (valuesOf('phrase') as Float32Array).slice()
    // Words of the first sample, for its second box.
    const words = [0, 3, 6]
    for (const word of words) phrase[length + word] = -1
    const known = await step(batch)
    const unknown = await step({ ...batch, phrase: floats(phrase, [n, max_boxes + 1, length]) })
    const gradients = ({ logits }: typeof known, at: number) =>
      words.map((word) => logits[at * length + word])
    let silent = 0
    for (let at = 0; at < places; at++) {
      expect(gradients(known, at)).not.toContain(0)
      if (assigned[at] === 1) {
        silent++
        expect(gradients(unknown, at)).toEqual([0, 0, 0])
      } else expect(gradients(unknown, at)).toEqual(gradients(known, at))
    }
    expect(silent).toBeGreaterThan(0)
    expect(silent).toBeLessThan(places)
    for (const name of ['classification', 'grounding', 'contrastive'])
      expect(unknown.term(name), name).toBeLessThan(known.term(name))
  })

  it('may be those of all places without a box', async () => {
    const phrase = (valuesOf('phrase') as Float32Array).slice()
    phrase[max_boxes * length + 3] = -1
    const { logits } = await step({ ...batch, phrase: floats(phrase, [n, max_boxes + 1, length]) })
    for (let at = 0; at < places; at++)
      expect(logits[at * length + 3] === 0, `place ${at}`).toBe(assigned[at] === max_boxes)
  })
})
