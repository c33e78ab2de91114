import { describe, expect, it } from 'vitest'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { stepsOf } from '../../src/train/config.js'

describe('the recipe of glip-r50', () => {
  it('is ten epochs on gold, then twenty on gold and boxes above 0.7, 32 pictures a step', async () => {
    const values = ['images=i', 'annotations=a', 'list=l', 'weights=w']
    const { stages } = await readPipeline('pipelines/glip-r50.yaml', { set: values })
    const trained = stages.flatMap((stage) => (stage.uses === 'train' ? [stage] : []))
    expect(
      trained.map(({ name, needs, with: { epochs, batch, learning_rate, preset } }) => [
        name,
        needs,
        epochs,
        batch,
        learning_rate,
        preset,
      ]),
    ).toEqual([
      ['teacher', ['gold'], 10, 32, 1e-4, 'glip-r50'],
      ['student', ['gold', 'confident'], 20, 32, 1e-4, 'glip-r50'],
    ])
    const filter = stages.find(({ uses }) => uses === 'filter')
    expect(filter?.with).toMatchObject({ rules: [{ rule: 'score', min: 0.7 }, { rule: 'nms' }] })
    expect(stepsOf(trained[0].with, 1000)).toBe(313)
    expect(stepsOf({ ...trained[0].with, steps: 50 }, 1000)).toBe(50)
    expect(stepsOf({ ...trained[0].with, epochs: undefined }, 1000)).toBe(1000)
  })
})
