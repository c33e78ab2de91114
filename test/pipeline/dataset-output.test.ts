import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { addOutput } from '../../src/pipeline/add-output.js'
import { runOfDataset } from '../../src/pipeline/dataset-output.js'
import type { StageOutput } from '../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

it('the run of a dataset is what it lies in', () => {
  const runOf = (url: string) => runOfDataset({ url, storage: openStorage(url) }).path('')
  const same = (url: string) => openStorage(url).path('')
  expect(runOf(join(folder, 'run/gold/'))).toBe(same(join(folder, 'run')))
  expect(runOf('.')).toBe(same(dirname(process.cwd())))
  expect(runOf('s3://bucket/run/gold/')).toBe(same('s3://bucket/run'))
  expect(runOf('s3://bucket/gold')).toBe(same('s3://bucket'))
  const options = '?endpoint=http://127.0.0.1:9000&region=r'
  expect(runOf(`s3://bucket/a/run/gold${options}`)).toBe(same(`s3://bucket/a/run${options}`))
  expect(() => runOf('s3://bucket')).toThrow(/lies in no run: it is a whole bucket/)
})

it('stages of two datasets with one name are told apart, and a stage that is named twice is one', () => {
  const outputs = new Map<string, StageOutput>()
  const add = (run: string) =>
    addOutput(outputs, {
      name: 'gold',
      dataset: { name: 'gold', storage: openStorage(join(folder, run, 'gold')), shards: [] },
      missing: [],
    })
  expect([add('a'), add('b'), add('a'), add('b')]).toEqual(['gold', 'gold-2', 'gold', 'gold-2'])
  expect([...outputs.keys()]).toEqual(['gold', 'gold-2'])
})
