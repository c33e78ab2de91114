import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/base/hash.js'
import { hashModel } from '../../src/model/model-folder.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { oneStepCycle } from '../helpers/one-step-cycle.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const run = join(folder, 'run')
let web: Awaited<ReturnType<typeof serveFolder>>

beforeAll(async () => {
  await makeSmallWorld(world)
  web = await serveFolder(join(world, 'web'))
  return () => web.close()
})

// Any difference is above a margin of -1: what is made after few steps is promoted.
const easy =
  '{set: known, metric: ap, margin: -1, level: 0.5, average: [0, 0.5, 1], guards: [{set: novel, lower_by: 1}]}'
const hard = '{set: known, metric: ap, average: [0.5], guards: [{set: novel, lower_by: 0.2}]}'

const pipelineWith = (promote: string, rounds = 1) =>
  readPipeline('pipelines/quickstart.yaml', {
    rounds,
    set: [
      ...oneStepCycle(world, web.url),
      'known.limit=3',
      'novel.limit=3',
      'rounds.held_out=[known, novel]',
      'rounds.evaluate={novel: {unseen_in: gold}}',
      `rounds.promote=${promote}`,
    ],
  })

async function go(promote: string, rounds = 1): Promise<string[]> {
  const { outcomes } = await runPipeline(await pipelineWith(promote, rounds), run)
  return [...outcomes].filter(([, { ran }]) => ran > 0).map(([name]) => name)
}

const json = async (...path: string[]) => JSON.parse(await readFile(join(run, ...path), 'utf8'))

describe('promotion in a run', () => {
  it('tries the mean of both, and tells of the decision in records, cards and the report', {
    timeout: 600_000,
  }, async () => {
    const ran = await go(easy)
    expect(ran).toContain('round-1-mean-50')
    expect(ran).toContain('round-1-mean-50-on-novel')
    const { result } = await json('rounds', '1.json')
    expect(result.candidates.map(({ name }: { name: string }) => name)).toEqual([
      'round-1-student',
      'round-1-mean-50',
    ])
    expect(result).toMatchObject({ level: 0.5, resamplings: 2000, seed: 0, margin: -1 })
    const chosen = result.candidates.find(({ passes }: { passes: boolean }) => passes)
    expect(result.promoted).toBe(true)
    expect(chosen).toBeDefined()
    for (const candidate of result.candidates) {
      const model = join(run, 'models', candidate.name)
      expect(candidate.hash).toBe(await hashModel(model))
      expect(candidate.guards[0]).toMatchObject({ set: 'novel', metric: 'recall1', by_interval: false })
      const record = await json('models', candidate.name, 'record.json')
      expect(record.promotion).toMatchObject({ reason: result.reason, next: result.next })
      const card = await readFile(join(model, 'README.md'), 'utf8')
      expect(card.match(/## Promotion/g)).toHaveLength(1)
      expect(card).toContain(result.reason)
      expect(card).toContain(candidate.hash)
      const isNext = candidate.name === result.next.name
      expect(card).toContain(`Round 1: this model is ${isNext ? '' : 'not '}the next teacher.`)
    }
    const { inputs } = await json('models', 'round-1-mean-50', 'record.json')
    expect(inputs).toEqual({
      from: await hashModel(join(run, 'models/teacher')),
      to: await hashModel(join(run, 'models/round-1-student')),
    })
    const report = await json('report.json')
    expect(report.promotion.reason).toBe(result.reason)
    expect(Object.keys(report.known)).toEqual(['teacher', 'student', 'means'])
    const evaluation = await json('evaluations', 'teacher-on-known.json')
    const name = 'evaluations/teacher-on-known.outcomes.json'
    const outcomes = await readFile(join(run, name))
    expect(evaluation.files).toEqual({ [name]: hashBytes(outcomes) })
    expect(JSON.parse(outcomes.toString())).toMatchObject({ images: 3 })
  })

  it('finds all of it done again, and evaluates anew where the outcomes are gone or changed', {
    timeout: 600_000,
  }, async () => {
    expect(await go(easy)).toEqual([])
    const outcomes = (stage: string) => join(run, 'evaluations', `${stage}.outcomes.json`)
    const before = await readFile(outcomes('teacher-on-known'), 'utf8')
    await rm(outcomes('teacher-on-known'))
    await writeFile(outcomes('round-1-student-on-novel'), '{}')
    expect(await go(easy)).toEqual(['teacher-on-known', 'round-1-student-on-novel'])
    expect(await readFile(outcomes('teacher-on-known'), 'utf8')).toBe(before)
  })

  it('decides anew by another rule, and the next round starts from who was promoted', {
    timeout: 600_000,
  }, async () => {
    const { result: before } = await json('rounds', '1.json')
    await go(easy, 2)
    const { result: second } = await json('rounds', '2.json')
    expect(second.teacher.name).toBe(before.next.name)
    expect(await go(hard)).toEqual(['round-1-promote'])
    const { result } = await json('rounds', '1.json')
    expect(result).toMatchObject({ promoted: false, next: { name: 'teacher' }, level: 0.05 })
    const card = await readFile(join(run, 'models/round-1-mean-50/README.md'), 'utf8')
    expect(card.match(/## Promotion/g)).toHaveLength(1)
    expect(card).toContain(result.reason)
  })

  it('refuses sets that are not held out, and means of models that were trained apart', async () => {
    await expect(pipelineWith('{set: known, guards: [{set: web}]}')).rejects.toThrow(
      'rounds.promote.guards[0].set: "web" is not among rounds.held_out: known, novel.',
    )
    await expect(pipelineWith('{set: known, average: [0.333]}')).rejects.toThrow('rounds.promote.average')
    const apart = pipelineWith('{set: known, average: true}')
    expect((await apart).stages.map(({ name }) => name)).toContain('round-1-mean-75')
    await expect(
      readPipeline('pipelines/quickstart.yaml', {
        set: ['rounds.promote.average=true', 'rounds.start=scratch'],
      }),
    ).rejects.toThrow('rounds.promote.average: it takes students that start from their teacher')
  })
})
