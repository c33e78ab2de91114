import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import type { Stage } from '../../src/pipeline/stages/pipeline-config.js'

const { audit: _, ...quickstart } = parse(await readFile('pipelines/quickstart.yaml', 'utf8')).rounds
const { stages } = parse(await readFile('pipelines/quickstart.yaml', 'utf8'))

/** The stages that rounds of the quickstart are laid out as, with what is given in the place of its own. */
async function laidOut(
  given: object,
  count?: number,
  more: readonly object[] = [],
): Promise<ReadonlyMap<string, Stage>> {
  const value = {
    ...{ name: 'p', vars: { world: '/world', web_url: 'http://127.0.0.1/' }, stages: [...stages, ...more] },
    rounds: { ...quickstart, ...given },
  }
  const pipeline = await parsePipeline(value, 'p', count === undefined ? {} : { rounds: count })
  const own = new Set([...stages, ...more].map(({ name }: Stage) => name))
  return new Map(pipeline.stages.filter(({ name }) => !own.has(name)).map((stage) => [stage.name, stage]))
}

const one = {
  held_out: ['known', 'novel'],
  promote: { set: 'novel' },
  evaluate: { novel: { unseen_in: 'gold' } },
}

describe('rounds', () => {
  it('are refused where their names would be too long', async () => {
    const long = 'k'.repeat(120)
    const renamed = stages.map((stage: Stage) => (stage.name === 'known' ? { ...stage, name: long } : stage))
    const value = {
      ...{ name: 'p', vars: { world: '/world', web_url: 'http://127.0.0.1/' }, stages: renamed },
      rounds: { ...quickstart, ...one, held_out: [long, 'novel'] },
    }
    await expect(parsePipeline(value, 'p.yaml')).rejects.toThrow(
      `p.yaml: rounds: the stage teacher-on-${long} would have a name of 131 letters, and up to 128 can be: give ${long} and teacher shorter names.`,
    )
  })

  it('are laid out as the stages of each', async () => {
    const all = await laidOut({ ...one, count: 2 })
    const needs = Object.fromEntries([...all].map(([name, stage]) => [name, [stage.uses, ...stage.needs]]))
    const round = (number: number, current: string) => {
      const name = (part: string) => `round-${number}-${part}`
      const on = (set: string) => `${name('student')}-on-${set}`
      return {
        [name('label')]: ['teach', 'phrases', current],
        [name('filter')]: ['filter', name('label')],
        [name('student')]: ['train', 'gold', name('filter'), current],
        [on('known')]: ['evaluate', 'known', name('student')],
        [on('novel')]: ['evaluate', 'novel', name('student')],
        [name('promote')]: [
          ...['promote', current],
          ...['known', 'novel'].flatMap((set) => [`teacher-on-${set}`, on(set)]),
        ],
      }
    }
    expect(needs).toEqual({
      'teacher-on-known': ['evaluate', 'known', 'teacher'],
      'teacher-on-novel': ['evaluate', 'novel', 'teacher'],
      ...round(1, 'teacher'),
      ...round(2, 'round-1-promote'),
    })
    expect(all.get('round-2-promote')?.with).toMatchObject({
      ...{ set: 'novel', round: 2, student: 'round-2-student', means: [], sets: ['known', 'novel'] },
    })
    // Each round draws others, and starts from who teaches it.
    const student = (number: number) => all.get(`round-${number}-student`)?.with as { readonly seed: number }
    expect(student(1)).toMatchObject({ init: 'teacher', steps: 800 })
    expect(student(2)).toMatchObject({ init: 'round-1-promote' })
    expect(student(2).seed - student(1).seed).toBe(1)
    // The teacher had 1.
    expect(student(1).seed).toBe(2)
    expect(all.get('round-1-label')?.with).toMatchObject({ floor: 0.2, ask: 'attributes' })
    expect(all.get('round-1-filter')?.with).toMatchObject({ rules: { length: 5 } })
  })

  it('evaluate each set as it is said, in the same way for all models', async () => {
    const all = await laidOut({ ...one, evaluate: { novel: { attributes: true } } })
    for (const model of ['teacher', 'round-1-student']) {
      expect(all.get(`${model}-on-novel`)?.with).toMatchObject({ attributes: true })
      expect(all.get(`${model}-on-known`)?.with).not.toMatchObject({ attributes: true })
    }
    expect(all.get('teacher-on-known')?.with).toEqual(all.get('round-1-student-on-known')?.with)
    expect(Object.keys(all.get('teacher-on-known')?.with ?? {})).not.toHaveLength(0)
  })

  it('have students that start from nothing where that is asked for', async () => {
    const student = (await laidOut({ ...one, start: 'scratch' })).get('round-1-student')
    expect(student?.needs).toEqual(['gold', 'round-1-filter'])
    expect(student?.with).not.toHaveProperty('init')
  })

  it('try means of student and teacher where they are asked for', async () => {
    const all = await laidOut({ ...one, promote: { set: 'novel', average: [0.5, 0.25] } })
    expect(all.get('round-1-mean-25')).toMatchObject({
      ...{ uses: 'average', needs: ['teacher', 'round-1-student'] },
      with: { from: 'teacher', to: 'round-1-student', weight: 0.25 },
    })
    const means = ['round-1-mean-25', 'round-1-mean-50']
    const models = ['teacher', 'round-1-student', ...means]
    expect(all.get('round-1-promote')?.needs).toEqual([
      'teacher',
      ...['known', 'novel'].flatMap((set) => models.map((model) => `${model}-on-${set}`)),
    ])
    expect(all.get('round-1-promote')?.with).toMatchObject({ means })
    expect(all.get('round-1-mean-50-on-known')?.needs).toEqual(['known', 'round-1-mean-50'])
    const scratch = { ...one, start: 'scratch', promote: { set: 'novel', average: true } }
    await expect(laidOut(scratch)).rejects.toThrow('start: teacher')
    await expect(laidOut({ ...scratch, promote: { set: 'novel' } })).resolves.toBeDefined()
  })

  it('audit against a stage or a file, and need each stage once', async () => {
    const needs = async (audit: object) => (await laidOut({ ...one, audit })).get('round-1-audit')?.needs
    expect(await needs({ truth: '/truth.json' })).toEqual(['round-1-filter'])
    expect(await needs({ truth: 'novel', known: 'gold' })).toEqual(['round-1-filter', 'gold', 'novel'])
    expect(await needs({ truth: 'gold', known: 'gold' })).toEqual(['round-1-filter', 'gold'])
    const all = await laidOut({ ...one, audit: { truth: '/truth.json' } })
    expect(all.get('round-1-promote')?.needs.slice(0, 2)).toEqual(['teacher', 'round-1-audit'])
  })

  it('are as many as the file or the call says', async () => {
    const students = async (count?: number) =>
      [...(await laidOut({ ...one, count: 2 }, count)).values()].filter(({ uses }) => uses === 'train').length
    expect(await students()).toBe(2)
    expect(await students(1)).toBe(1)
    expect(await students(3)).toBe(3)
  })

  it('are taught by the folder of a model that is of no stage', async () => {
    const teacher = 'test/teacher/fixtures/torchvision'
    const all = await laidOut({
      ...{ ...one, start: 'scratch', teacher, count: 2 },
      teach: { file: 'model_int8' },
      evaluate: { known: { file: 'other' } },
    })
    expect(all.get('teacher-on-novel')).toMatchObject({
      needs: ['novel'],
      with: { model: teacher, file: 'model_int8' },
    })
    expect(all.get('teacher-on-known')?.with).toMatchObject({ model: teacher, file: 'other' })
    expect(all.get('round-1-student-on-known')?.with).not.toHaveProperty('model')
    expect(all.get('round-1-label')).toMatchObject({ needs: ['phrases'], with: { model: teacher } })
    expect(all.get('round-1-student')?.needs).toEqual(['gold', 'round-1-filter'])
    expect(all.get('round-1-promote')).toMatchObject({
      needs: ['teacher-on-known', 'round-1-student-on-known', 'teacher-on-novel', 'round-1-student-on-novel'],
      with: { teacher, learned: ['phrases', 'gold'] },
    })
    // Who is promoted, or the folder again, comes with the decision.
    expect(all.get('round-2-label')).toMatchObject({ needs: ['phrases', 'round-1-promote'] })
    expect(all.get('round-2-label')?.with).not.toHaveProperty('model')
    expect(all.get('round-2-promote')?.needs[0]).toBe('round-1-promote')
  })

  it('ask judges between label and filter, and train one where that is asked for', async () => {
    const all = await laidOut({
      ...{ ...one, count: 2, judge: { steps: 7 } },
      verify: {
        checked: { judge: 'network' },
        again: { judge: 'views' },
        said: { judge: 'people', review: 'r' },
      },
      filter: { rules: [{ rule: 'verdict', by: 'checked' }, { rule: 'verdict' }] },
      train: { ...quickstart.train, weigh_by: 'again', validate: { set: 'attributes' } },
      held_out: ['known', 'novel'],
    })
    const [label, filter] = ['round-2-label', 'round-2-filter']
    expect(all.get('round-2-label-on-gold')).toMatchObject({
      ...{ uses: 'teach', needs: ['gold', 'round-1-promote'] },
      with: { floor: 0.2, ask: 'attributes' },
    })
    expect(all.get('round-2-judge')).toMatchObject({
      ...{ uses: 'judge', needs: ['gold', 'round-2-label-on-gold'], with: { steps: 7 } },
    })
    expect(all.get('round-2-checked')).toMatchObject({ uses: 'verify', needs: [label, 'round-2-judge'] })
    expect(all.get('round-2-again')?.needs).toEqual([label, 'round-1-promote'])
    expect(all.get('round-2-said')?.needs).toEqual([label])
    const judges = ['checked', 'again', 'said'].map((part) => `round-2-${part}`)
    expect(all.get(filter)?.needs).toEqual([label, ...judges])
    expect(all.get(filter)?.with).toMatchObject({ rules: [{ by: 'round-2-checked' }, {}] })
    expect(all.get('round-2-student')?.needs).toEqual([
      ...['gold', filter, 'round-1-promote', 'round-2-again', 'attributes'],
    ])
    expect(all.get('round-2-student')?.with).toMatchObject({ weigh_by: 'round-2-again' })
    expect(all.get('round-2-promote')?.with).toMatchObject({
      judging: ['round-2-label-on-gold', 'round-2-judge', ...judges],
    })
  })

  it('ask the judges, compare the teachers and take the verdicts that stages of the pipeline give', async () => {
    const more = [
      { name: 'second', uses: 'teach', needs: ['phrases'], with: { model: '/another' } },
      { name: 'judge', uses: 'judge', needs: ['gold'] },
      { name: 'by-people', uses: 'verify', needs: ['phrases'], with: { judge: 'people', review: 'r' } },
    ]
    const teacher = 'test/teacher/fixtures/torchvision'
    const all = await laidOut(
      {
        ...{ ...one, start: 'scratch', teacher, teach: { file: 'model_int8' } },
        verify: { checked: { judge: 'network', model: 'judge' }, again: { judge: 'views' } },
        filter: {
          rules: [
            { rule: 'consensus', of: ['label', 'second'] },
            { rule: 'verdict', by: 'by-people' },
          ],
        },
      },
      1,
      more,
    )
    expect(all.get('round-1-checked')?.needs).toEqual(['round-1-label', 'judge'])
    expect(all.get('round-1-again')?.with).toMatchObject({ model: teacher, file: 'model_int8' })
    const filter = all.get('round-1-filter')
    const judges = ['round-1-checked', 'round-1-again']
    expect(filter?.needs).toEqual(['round-1-label', ...judges, 'second', 'by-people'])
    expect(filter?.with).toMatchObject({ rules: [{ of: ['round-1-label', 'second'] }, { by: 'by-people' }] })
    expect(all.has('round-1-judge')).toBe(false)
  })

  it('have nothing held out where every student is promoted', async () => {
    const all = await laidOut({ held_out: [], gold: [], evaluate: {}, promote: { always: true }, count: 2 })
    const names = ['label', 'filter', 'student', 'promote']
    expect([...all.keys()]).toEqual([1, 2].flatMap((round) => names.map((name) => `round-${round}-${name}`)))
  })
})
