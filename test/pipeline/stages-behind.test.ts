import { expect, it } from 'vitest'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { stageNodes } from '../../src/pipeline/stage-node.js'
import { stagesBehind } from '../../src/pipeline/tasks/stages-behind.js'

const ingest = (name: string) => ({ name, uses: 'ingest', with: { format: 'tsv', path: `${name}.tsv` } })

/** A training that names the captions of a stage which it does not need. */
const pipeline = await parsePipeline({
  name: 'p',
  stages: [
    ingest('gold'),
    ingest('web'),
    { name: 'words', uses: 'chunk', needs: ['web'] },
    { name: 'teacher', uses: 'train', needs: ['gold'], with: { vocabulary: ['web'] } },
    { name: 'label', uses: 'teach', needs: ['words', 'teacher'] },
  ],
})
const stage = (name: string) => {
  const found = pipeline.stages.find((one) => one.name === name)
  if (!found) throw new Error(name)
  return found
}

it('are those that a stage needs or names, and those behind them', () => {
  const behind = (name: string) => stagesBehind(pipeline, stage(name)).map((one) => one.name)
  expect(behind('words')).toEqual(['web'])
  expect(behind('teacher')).toEqual(['gold', 'web'])
  expect(behind('label')).toEqual(['gold', 'web', 'words', 'teacher'])
})

it('have ended before a stage begins that only names them', () => {
  const nodes = new Map(stageNodes(pipeline.stages).map((node) => [node.stage.name, node]))
  const node = (name: string) => {
    const found = nodes.get(name)
    if (!found) throw new Error(name)
    return found
  }
  const end = (name: string) => {
    node(name).open(['00000'], { missing: [] }, undefined)
    node(name).take()
    const none = { in: 0, out: 0, rejected: {}, relabelled: {}, counts: {}, failed: [], warnings: [] }
    node(name).made(0, { ...none, skipped: false })
    node(name).output()
  }
  end('gold')
  expect(node('teacher').canOpen()).toBe(false)
  end('web')
  expect(node('teacher').canOpen()).toBe(true)
})
