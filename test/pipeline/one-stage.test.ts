import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { hashJson } from '../../src/base/hash.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { evaluate } from '../../src/cli/evaluate.js'
import { exportCommand } from '../../src/cli/export.js'
import { filter } from '../../src/cli/filter.js'
import { teach } from '../../src/cli/teach.js'
import { train } from '../../src/cli/train.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readShard } from '../../src/shards/read-shard.js'
import { hashesIn } from '../helpers/grounded-dataset.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const pipelinePath = join(folder, 'pipeline.yaml')
const rulesPath = join(folder, 'rules.yaml')
const rules = 'rules: [{ rule: score, min: 0.002 }, { rule: max_boxes, phrase: 2 }], box_loss: false'
const gold = (split: string) =>
  `format: coco, images: "${world}/${split}/images", instances: "${world}/${split}/annotations.json"`

beforeAll(async () => {
  await makeSmallWorld(world)
  await writeFile(rulesPath, `{ ${rules} }`)
  await writeFile(
    pipelinePath,
    `name: p
vars: { start: none }
stages:
  - { name: gold, uses: ingest, with: { ${gold('gold')}, shard_size: 10, limit: 15 } }
  - { name: known, uses: ingest, with: { ${gold('known')}, limit: 2 } }
  - { name: novel, uses: ingest, with: { ${gold('novel')}, limit: 2 } }
  - { name: once, uses: dedup, needs: [gold] }
  - { name: words, uses: chunk, needs: [once] }
  - name: teacher
    uses: train
    needs: [once, known]
    with: { steps: 1, batch: 2, vocabulary: [known], threads: 1 }
  - { name: label, uses: teach, needs: [words, teacher], with: { floor: 0.001 } }
  - { name: kept, uses: filter, needs: [label], with: { ${rules} } }
  - name: student
    uses: train
    needs: [gold, kept]
    with: { init: teacher, steps: 1, batch: 2, mix: { kept: 2 }, threads: 1 }
  - { name: scores, uses: evaluate, needs: [novel, student], with: { unseen_in: gold } }
  - { name: boxes, uses: export, needs: [kept], with: { format: coco } }
`,
  )
})

const byPipeline = async (run: string, only?: readonly string[]) => {
  const { failed, outcomes } = await runPipeline(await readPipeline(pipelinePath), run, { only })
  expect(failed).toBe(0)
  return outcomes
}

/**
 * What a command says while it works, without lines of progress: those of commands that failed in other files of this
 * process may come in between.
 */
async function said(command: Promise<void>): Promise<string> {
  await command
  const text = written.join('').replace(/^· .*\n/gm, '')
  written.length = 0
  return text
}

const written: string[] = []
beforeAll(() => {
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean(written.push(String(text))))
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  return () => vi.restoreAllMocks()
})

const { signal } = new AbortController()
/** The stages of the pipeline that have a command, in their order, by hand. */
const commands = (run: string, device = 'cpu') => {
  const model = (name: string) => join(run, 'models', name)
  const short = ['steps=1', 'batch=2', 'threads=1']
  const vocabulary = `vocabulary=[${join(run, 'known')}]`
  return {
    teacher: () =>
      train(
        [`${join(run, 'gold')}:once`, join(run, 'known')],
        { out: model('teacher'), set: [...short, vocabulary] },
        signal,
      ),
    label: () =>
      teach(
        join(run, 'gold'),
        {
          ...{ model: model('teacher'), phrases: 'words', as: 'label' },
          set: ['floor=0.001', `device=${device}`],
        },
        signal,
      ),
    kept: () => filter(join(run, 'gold'), { as: 'kept', rules: rulesPath, set: [] }, signal),
    student: () =>
      train(
        [`${join(run, 'gold')}:gold`, `${join(run, 'gold')}:kept`],
        { out: model('student'), set: [...short, 'init=teacher', 'mix.kept=2'] },
        signal,
      ),
    scores: () =>
      evaluate(
        join(run, 'novel'),
        { model: model('student'), as: 'scores', set: [`unseen_in=${join(run, 'gold')}`] },
        signal,
      ),
    boxes: () =>
      exportCommand(
        join(run, 'gold'),
        { as: 'kept', format: 'coco', out: join(run, 'exports/boxes') },
        signal,
      ),
  }
}

/** What each command says that it works on, before it does. */
const worksOn = (run: string): Readonly<Record<string, readonly string[]>> => ({
  teacher: [
    '  training on gold:once, 15 regions',
    '  training on known:known, gold, 11 regions of 2 pictures',
  ],
  label: [`  asking ${join(run, 'models/teacher')} for gold:words, 63 phrases`],
  kept: [
    '  filtering gold:label, 1260 proposals',
    `  rules: the file ${rulesPath}: score min 0.002; max_boxes phrase 2`,
  ],
  student: [
    '  training on gold:gold, gold, 94 regions of 15 pictures',
    '  training on gold:kept, 126 regions of 15 pictures',
  ],
  scores: [`  evaluating ${join(run, 'models/student')} on novel:novel, gold, 10 regions of 2 pictures`],
  boxes: ['  exporting gold:kept, 126 regions of 15 pictures'],
})

describe('a stage by pipeline and by command', () => {
  const [piped, handed] = [join(folder, 'piped'), join(folder, 'handed')]

  it('is already done for the command when the pipeline has made it', async () => {
    await byPipeline(piped)
    const before = await hashesIn(piped)
    for (const [name, command] of Object.entries(commands(piped, 'auto'))) {
      const text = await said(command())
      const lines = text.trimEnd().split('\n')
      expect(lines.pop(), name).toMatch(/^✓ .*already done$/)
      expect(lines, name).toEqual(worksOn(piped)[name])
      // The model was not even opened, which would have told of its device.
      expect(text, name).not.toContain('device')
    }
    expect(await hashesIn(piped)).toEqual(before)
  })

  it('is already done for the pipeline when the command has made it', async () => {
    const first = await byPipeline(handed, ['words', 'known', 'novel'])
    expect(first.get('words')).toMatchObject({ ran: 2 })
    for (const [name, command] of Object.entries(commands(handed)))
      expect(await said(command()), name).not.toContain('already done')
    const before = await hashesIn(handed)
    for (const [name, { ran, skipped }] of await byPipeline(handed)) {
      expect(ran, name).toBe(0)
      expect(skipped, name).toBeGreaterThan(0)
    }
    expect(await hashesIn(handed)).toEqual(before)
  })

  it('has the same bytes', async () => {
    const made = async (run: string) => {
      const hashes = await hashesIn(run)
      return Object.entries(hashes).filter(([name]) => /\.(?:parquet|safetensors|onnx)$/.test(name))
    }
    const [one, other] = [await made(piped), await made(handed)]
    expect(one.length).toBeGreaterThan(10)
    expect(other).toEqual(one)
  })

  it('hashes the captions of a vocabulary as the list that they are', async () => {
    const { storage, shards } = await openDataset(join(piped, 'known'))
    const texts: string[] = []
    for (const shard of shards)
      for await (const { captions } of readShard(storage, 'images', null, shard))
        texts.push(...captions.map(({ text }) => text))
    expect(texts.length).toBeGreaterThan(0)
    const { inputs } = JSON.parse(await readFile(join(piped, 'models/teacher/record.json'), 'utf8'))
    expect(inputs['vocabulary known']).toBe(hashJson(texts))
  })

  it('keeps what the pipeline says of box regression unless its own rules say otherwise', async () => {
    const boxLossOf = async () => {
      const path = join(piped, 'gold/grounding/kept/00000.json')
      return JSON.parse(await readFile(path, 'utf8')).config.box_loss
    }
    const plain = join(folder, 'plain.yaml')
    const other = join(folder, 'other.yaml')
    await writeFile(plain, `{ ${rules.replace(', box_loss: false', '')} }`)
    await writeFile(other, `{ ${rules.replace('false', 'true')} }`)
    const again = (file: string) =>
      said(filter(join(piped, 'gold'), { as: 'kept', rules: file, set: [] }, signal))
    expect(await boxLossOf()).toBe(false)
    expect(await again(plain)).toContain('already done')
    expect(await boxLossOf()).toBe(false)
    expect(await again(other)).toContain('already done')
    expect(await boxLossOf()).toBe(undefined)
    await byPipeline(piped, ['kept'])
    expect(await boxLossOf()).toBe(false)
  })

  it('leaves no scores behind where they have no name', async () => {
    const before = await hashesIn(handed)
    const given = { model: join(handed, 'models/student'), set: [] }
    for (let time = 0; time < 2; time++)
      expect(await said(evaluate(join(handed, 'novel'), given, signal))).toMatch(
        /^ {2}evaluating \S+\/student on novel:novel, gold, 10 regions of 2 pictures\n✓ 2 pictures, 2 phrases, 4 categories\n$/,
      )
    expect(await hashesIn(handed)).toEqual(before)
    await expect(evaluate(join(handed, 'novel'), { ...given, as: '../x' }, signal)).rejects.toThrow(
      /^--as: expected lower-case letters/,
    )
  })

  it('is already done when a model has moved, and not when it has changed', async () => {
    const run = join(folder, 'moved')
    const path = join(folder, 'moved.yaml')
    await writeFile(
      path,
      `name: p
vars: {}
stages:
  - { name: known, uses: ingest, with: { ${gold('known')}, limit: 2 } }
  - { name: words, uses: chunk, needs: [known] }
  - { name: label, uses: teach, needs: [words], with: { model: "\${model}", floor: 0.001 } }
  - { name: scores, uses: evaluate, needs: [known], with: { model: "\${model}" } }
  - { name: tuned, uses: train, needs: [known], with: { init: "\${model}", steps: 1, batch: 2, threads: 1 } }
`,
    )
    const go = async (model: string) => {
      const { outcomes } = await runPipeline(await readPipeline(path, { set: [`model=${model}`] }), run)
      return [...outcomes].filter(([, { ran }]) => ran > 0).map(([name]) => name)
    }
    const [here, there] = [join(folder, 'here/start'), join(folder, 'there/start')]
    await cp(join(piped, 'models/teacher'), here, { recursive: true })
    expect(await go(here)).toEqual(['known', 'words', 'label', 'scores', 'tuned'])
    await mkdir(join(folder, 'there'))
    await rename(here, there)
    expect(await go(there)).toEqual([])
    await cp(join(piped, 'models/student'), there, { recursive: true })
    expect(await go(there)).toEqual(['label', 'scores', 'tuned'])
    expect(await readdir(join(run, 'evaluations'))).toEqual(['scores.json', 'scores.outcomes.json'])
  })
})
