import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { trainModel } from '../../src/train/train-model.js'
import { readSafetensors } from '../../src/weights/safetensors.js'
import { config, squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('frozen parameters', () => {
  it('stay as they start, and the others do not', async () => {
    const task = { name: 'frozen', sources: [await squares(6)], texts: [] }
    const weights = async (more: object) => {
      const folder = await temporaryFolder()
      await trainModel({ ...task, folder, config: config({ ema: 0, learning_rate: 0.01, ...more }) })
      return (await readSafetensors(join(folder, 'model.safetensors'))).tensors
    }
    // A rate of nothing at all: what is written is what training starts from.
    const start = await weights({ steps: 1, learning_rate: 1e-30, weight_decay: 0 })
    const trained = await weights({
      steps: 2,
      freeze: ['backbone.', 'language_backbone.body.model.embeddings'],
    })
    const changed = [...start].filter(([name, { data }]) =>
      trained.get(name)?.data.some((value, at) => Math.abs(value - data[at]) > 1e-9),
    )
    const names = changed.map(([name]) => name)
    expect(
      names.filter((name) => /^(backbone|language_backbone\.body\.model\.embeddings)\./.test(name)),
    ).toEqual([])
    expect(names.some((name) => name.startsWith('language_backbone.body.model.encoder'))).toBe(true)
    expect(names.some((name) => name.startsWith('rpn.'))).toBe(true)
  })

  it('are refused where there are none of that name, or no others', async () => {
    const task = { name: 'frozen', folder: await temporaryFolder(), sources: [await squares(3)], texts: [] }
    const train = (freeze: string[]) => trainModel({ ...task, config: config({ freeze }) })
    await expect(train(['backbon.'])).rejects.toThrow(
      /^freeze: no parameter begins with "backbon\."; they begin with: /,
    )
    await expect(train(['backbone', 'language_backbone', 'rpn'])).rejects.toThrow(
      'freeze: nothing is left to train.',
    )
  })
})
