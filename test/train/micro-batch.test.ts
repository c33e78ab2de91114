import { describe, expect, it } from 'vitest'
import { trainModel } from '../../src/train/train-model.js'
import { config, squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('a batch that is computed in parts', () => {
  it('trains, and goes on after a stop with the losses that it would have had', async () => {
    const source = await squares(12)
    const task = { name: 'parts', sources: [source], texts: [] }
    const losses = async (folder: string, more: object, stopAt?: number) => {
      const stop = new AbortController()
      const seen = new Map<number, number>()
      await trainModel({
        ...{ ...task, folder, config: config({ steps: 8, learning_rate: 0.002, ...more }) },
        signal: stop.signal,
        onProgress: ({ step, loss }) => {
          seen.set(step, loss)
          if (step === stopAt) stop.abort()
        },
      }).catch((error: unknown) => {
        if (stopAt === undefined) throw error
      })
      return seen
    }
    const parts = { micro_batch: 2 }
    const straight = await losses(await temporaryFolder(), parts)
    const folder = await temporaryFolder()
    const first = await losses(folder, parts, 3)
    const rest = await losses(folder, parts)
    expect([...first.keys()]).toEqual([1, 2, 3])
    expect([...rest.keys()]).toEqual([4, 5, 6, 7, 8])
    expect(new Map([...first, ...rest])).toEqual(straight)
    expect(straight.get(8)).toBeLessThan(straight.get(1) as number)
    // The same pictures in another number of parts: only the normalisers by positives differ.
    const whole = await losses(await temporaryFolder(), {})
    const [one, other] = [whole.get(1) as number, straight.get(1) as number]
    expect(Math.abs(one - other) / one).toBeLessThan(0.1)
  })

  it('is refused where the parts are not equal', async () => {
    const folder = await temporaryFolder()
    const task = { name: 'parts', folder, sources: [await squares(3)], texts: [] }
    await expect(trainModel({ ...task, config: config({ micro_batch: 3 }) })).rejects.toThrow(
      'micro_batch: 3 does not divide the batch of 4.',
    )
  })
})
