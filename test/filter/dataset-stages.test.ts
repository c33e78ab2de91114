import { expect, it } from 'vitest'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { datasetStages } from '../../src/filter/dataset-stages.js'
import { type RuleConfig, ruleSchema } from '../../src/filter/rules.js'
import { putShard } from '../helpers/put-shard.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'

const rule = (config: object): RuleConfig[] => [ruleSchema.parse(config)]

it('the stages that rules read are those of a dataset that they name, else all of the same phrases', async () => {
  const { url, storage } = await makeSmallDataset()
  const read = async (rules: readonly RuleConfig[]) => datasetStages(await openDataset(url), rules, 'label-1')
  const plain = { phrases: 'chunk', proposals: 'label-1' }
  const nms = rule({ rule: 'nms', iou: 0.5 })
  expect(await read(nms)).toEqual(plain)
  // Groundings are made of proposals: they are compared where they are named alone.
  const second = { family: 'proposals', stage: 'label-2' }
  expect(await read(rule({ rule: 'consensus' }))).toEqual({ ...plain, others: [second] })
  expect(await read(rule({ rule: 'consensus', of: ['label-1', 'round-2'] }))).toEqual({
    ...plain,
    others: [{ family: 'grounding', stage: 'round-2' }],
  })
  await expect(read(rule({ rule: 'consensus', of: ['label-1', 'labl-2'] }))).rejects.toThrow(
    /The rule `consensus` compares "labl-2", which is none of .*: label-1, label-2, .*Did you mean "label-2"/,
  )
  // Gold has phrases of its own.
  await expect(read(rule({ rule: 'consensus', of: ['label-1', 's'] }))).rejects.toThrow(
    'compares boxes of the same phrases',
  )
  await expect(read(rule({ rule: 'verdict' }))).rejects.toThrow(
    'nobody has judged boxes of the phrases "chunk"',
  )
  await putShard(storage, 'verdicts', 'checked', '00000', [])
  await putShard(storage, 'verdicts', 'people', '00000', [])
  expect((await read(rule({ rule: 'verdict' }))).verdicts).toEqual(['checked', 'people'])
  expect((await read(rule({ rule: 'verdict', by: 'people' }))).verdicts).toEqual(['people'])
  expect(await read(nms)).toEqual(plain)
})
