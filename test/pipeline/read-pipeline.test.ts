import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { UserError } from '../../src/base/user-error.js'
import { parsePipeline, readPipeline } from '../../src/pipeline/read-pipeline.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
async function read(text: string, set: string[] = []) {
  const path = join(folder, 'pipeline.yaml')
  await writeFile(path, text)
  return readPipeline(path, { set })
}

const good = `
name: p
vars: { where: here }
stages:
  - { name: phrases, uses: chunk, needs: [web] }
  - { name: web, uses: ingest, with: { format: tsv, path: "\${where}/pairs.tsv" } }
`

describe('a pipeline', () => {
  it('puts stages after what they need, and fills in variables and defaults', async () => {
    const { stages } = await read(good)
    expect(stages.map(({ name }) => name)).toEqual(['web', 'phrases'])
    expect(stages[0].with).toMatchObject({ path: 'here/pairs.tsv', shard_size: 1000 })
  })

  it('is the same from a value, which is left as it is', async () => {
    const value = parse(good)
    const set = ['where=there', 'web.shard_size=5']
    expect(await parsePipeline(value, 'p', { set })).toEqual(await read(good, set))
    expect(value).toEqual(parse(good))
    await expect(parsePipeline({ ...value, stages: [] })).rejects.toThrow(/^the pipeline: stages/)
    await expect(parsePipeline([], 'mine')).rejects.toThrow(/^mine: a pipeline/)
  })

  it('is changed by --set', async () => {
    const { stages } = await read(good, ['where=there', 'web.fetch.retries=5', 'phrases.max_words=4'])
    expect(stages[0].with).toMatchObject({ path: 'there/pairs.tsv', fetch: { retries: 5, concurrency: 256 } })
    expect(stages[1].with).toMatchObject({ max_words: 4 })
    const anew = await read(good, ['web={format: folder, path: elsewhere}', 'web.limit=3'])
    expect(anew.stages[0].with).toMatchObject({ format: 'folder', path: 'elsewhere', limit: 3 })
  })

  it('has variables in every string, in lists as well, and is given some that it lacks', async () => {
    const text = `
name: p
description: "\${where} and \${where-else}"
vars: { where: here, where-else: 3, of: web }
stages:
  - { name: web, uses: ingest, with: { format: tsv, path: "\${where}/\${where-else}.tsv", limit: 4 } }
  - { name: phrases, uses: chunk, needs: ["\${of}"] }
`
    const { description, stages, name } = await read(text, ['of=web'])
    expect([name, description]).toEqual(['p', 'here and 3'])
    expect(stages.map(({ needs }) => needs)).toEqual([[], ['web']])
    expect(stages[0]?.with).toMatchObject({ path: 'here/3.tsv', limit: 4 })
    const without = good.replace('vars: { where: here }', '')
    await expect(read(without)).rejects.toThrow(/\{where\} is not among its vars/)
    expect((await read(without, ['where=there'])).stages[0]?.with).toMatchObject({ path: 'there/pairs.tsv' })
    // A word that is no object sets a variable, though a stage has its name.
    const named = without.replace('where}', 'web}')
    expect((await read(named, ['web=there'])).stages[0]?.with).toMatchObject({ path: 'there/pairs.tsv' })
    await expect(read(good.replace('{ where: here }', '3'), ['where=there'])).rejects.toThrow(/vars/)
    await expect(read(good.replace('stages:', 'rounds: 3\nstages:'), ['rounds.count=3'])).rejects.toThrow(
      UserError,
    )
  })

  it('has a variable that is as a stage is called set in the place of what the stage is run with', async () => {
    const text = good.replace('where: here', 'where: here, web: other').replace('where}', 'web}')
    expect((await read(text, ['web=third'])).stages[0]?.with).toMatchObject({ path: 'third/pairs.tsv' })
    await expect(read(text, ['web={format: folder, path: elsewhere}'])).rejects.toThrow(/vars\.web/)
  })

  it('has the settings of its rounds set, where it has rounds', async () => {
    const set = ['rounds.count=2', 'rounds.train.steps=7']
    const { rounds, stages } = await readPipeline('pipelines/quickstart.yaml', { set })
    expect(rounds).toMatchObject({ count: 2, train: { steps: 7 } })
    expect(stages.find(({ name }) => name === 'round-2-student')?.with).toMatchObject({ steps: 7 })
    await expect(read(good, ['rounds.count=2'])).rejects.toThrow('has no stage "rounds"')
  })

  it('has each stage once, after all that it needs, however it is written down', async () => {
    const chunk = (name: string, ...needs: string[]) => ({ name, uses: 'chunk', needs })
    const web = { name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'l.tsv' } }
    const stages = [
      chunk('d', 'b', 'c'),
      chunk('c', 'a'),
      chunk('b', 'a'),
      chunk('a', 'web'),
      web,
      chunk('e'),
    ]
    const ordered = (await parsePipeline({ name: 'p', stages })).stages.map(({ name }) => name)
    expect(ordered).toEqual(['web', 'a', 'b', 'c', 'd', 'e'])
    const circle = [web, chunk('a', 'c'), chunk('b', 'a'), chunk('c', 'b')]
    await expect(parsePipeline({ name: 'p', stages: circle })).rejects.toThrow(
      'in a circle: a -> c -> b -> a.',
    )
  })

  it('is refused where an address in it has a password', async () => {
    const secret = good.replace(/"[^"]*pairs.tsv"/, 'https://me:secret@host/l.tsv')
    await expect(read(secret)).rejects.toThrow(UserError)
    await expect(read(secret)).rejects.toThrow('would be stored with the run')
  })

  it('is held against the cards of its sources before anything runs', async () => {
    const withCard = (config: string, name = 'sbu') => `
name: p
stages:
  - { name: web, uses: ingest, with: { card: "${name}", ${config} } }
`
    expect((await read(withCard('path: l.tsv'))).stages[0]?.with).toMatchObject({ path: 'l.tsv' })
    await expect(read(withCard('path: l.tsv, instances: i.json'))).rejects.toThrow(/stages\.web\.with/)
    // One that cannot be read is told of by its stage.
    expect((await read(withCard('path: l.tsv', join(folder, 'none.yaml')))).stages).toHaveLength(1)
  })

  const bad: Readonly<Record<string, readonly [string, RegExp]>> = {
    'malformed YAML': ['name: [', /pipeline\.yaml: not YAML/],
    'no pipeline at all': ['- a', /a pipeline with `name` and `stages`/],
    'an unknown key': [
      good.replace('format: tsv', 'format: tsv, colour: red'),
      /stages\.web\.with: no such key: "colour"/,
    ],
    'an unknown use': [good.replace('uses: chunk', 'uses: chop'), /stages\.phrases\.uses/],
    'a value of the wrong kind': [
      good.replace('format: tsv', 'format: tsv, shard_size: many'),
      /stages\.web\.with\.shard_size/,
    ],
    'no object under with': [
      'name: p\nstages: [{ name: a, uses: chunk, with: 3 }]',
      /stages\.a\.with: .*keys with values/,
    ],
    'nothing in the place of a stage': ['name: p\nstages: [null]', /stages\.0: expected keys with values/],
    'a variable that every object has': [good.replace('where}', 'toString}'), /\$\{toString\} is not among/],
    'an unknown need': [
      good.replace('[web]', '[webb]'),
      /stage "phrases" needs "webb", which is not a stage/,
    ],
    'a circle': [good.replace('uses: ingest,', 'uses: ingest, needs: [phrases],'), /in a circle: /],
    'a name of too many letters': [
      good.replace('name: phrases', `name: ${'p'.repeat(129)}`),
      /stages\.p+… expected up to 128 letters/,
    ],
    'two of a name': [good.replace('name: phrases', 'name: web'), /two stages are named "web"/],
    'an unknown variable': [good.replace('where}', 'whence}'), /\$\{whence\} is not among its vars/],
  }
  for (const [what, [text, message]] of Object.entries(bad)) {
    it(`with ${what} is refused with its place`, async () => {
      await expect(read(text)).rejects.toThrow(message)
      // Whatever else is set, the message is of the file.
      if (what.startsWith('no')) {
        await expect(read(text, ['a.max_words=1'])).rejects.toThrow(UserError)
      } else await expect(read(text)).rejects.toThrow(UserError)
    })
  }

  it('has the keys of its rules set by their rule, in stages and in rounds, and tells of what is added', async () => {
    const said: string[] = []
    const stageOf = async (set: string[], stage: string, file = 'detector') => {
      const onNotice = (text: string) => said.push(text)
      const { stages } = await readPipeline(`pipelines/${file}.yaml`, { set, onNotice })
      return stages.find(({ name }) => name === stage)?.with as { rules: object[] }
    }
    const kept = await stageOf(['filter.score.min=0.3', 'filter.nms.iou=0.6'], 'filter')
    expect(kept.rules.slice(2, 4)).toEqual([
      { rule: 'score', min: 0.3 },
      { rule: 'nms', iou: 0.6 },
    ])
    const round = await stageOf(['rounds.filter.score.min=0.35'], 'round-1-filter', 'quickstart')
    expect(round.rules).toContainEqual({ rule: 'score', min: 0.35 })
    expect(said).toEqual([])
    await stageOf(['filter.aspect.max=9'], 'filter')
    expect(said).toEqual([
      expect.stringMatching(/^the rule aspect was not among the rules: .*behind max_boxes/),
    ])
  })

  it('is refused when --set names no variable, rule or element that there is', async () => {
    await expect(read(good, ['wher=l.tsv'])).rejects.toThrow(/no variable wher\. Did you mean "where"\?/)
    await expect(read(good, ['web=3'])).rejects.toThrow(/web is a stage of .* by web\.KEY=VALUE/)
    await expect(read(good, ['web.format.x=3'])).rejects.toThrow(/web\.format is "tsv", which has no key x/)
    const set = (option: string) => readPipeline('pipelines/quickstart.yaml', { set: [option] })
    await expect(set('rounds.filter.scor.min=1')).rejects.toThrow(
      /Did you mean "score"\?.* rounds\.filter\.RULE\.KEY/,
    )
    await expect(set('rounds.promote.guards.lower_by=1')).rejects.toThrow(
      /rounds\.promote\.guards is a list, /,
    )
    const { rounds } = await set('rounds.promote.guards.0.lower_by=0.2')
    expect(rounds?.promote.guards[0]?.lower_by).toBe(0.2)
    await expect(set('round-1-filter.score.min=1')).rejects.toThrow(/as with rounds\.filter\.score\.min=0\.4/)
  })

  it('is refused when --set names no stage, or a file is missing', async () => {
    await expect(read(good, ['wob.limit=3'])).rejects.toThrow(/has no stage "wob"; it has: phrases, web/)
    await expect(read(good, ['nonsense'])).rejects.toThrow(/expected key=value/)
    await expect(read(good, ['web.limit={'])).rejects.toThrow(/--set web\.limit=\{: the value is not YAML/)
    await expect(read(good, ['web..limit=3'])).rejects.toThrow(/"web\.\.limit" is not a key/)
    await expect(readPipeline(join(folder, 'none.yaml'))).rejects.toThrow(
      /^Cannot read .*none\.yaml: there is no such file or folder\.$/,
    )
  })

  const few = ['images=i', 'annotations=a.json']
  it.each([
    ['quickstart', []],
    ['self-training', []],
    ['coco-folder', []],
    ['cc3m', ['list=l.tsv', 'model=m']],
    ['gold', few],
    ['few-shot', [...few, 'model=m', 'test_images=t', 'test_annotations=t.json']],
    ['detector', ['model=m']],
    ['own-rounds', ['model=./m']],
  ])('%s.yaml is sound', async (name, set) => {
    const { stages } = await readPipeline(`pipelines/${name}.yaml`, { set })
    expect(stages.length).toBeGreaterThan(1)
  })

  it('audits the labels of each round where a truth is named', async () => {
    const set = ['rounds.count=2', 'rounds.audit={truth: truth.json, known: gold}']
    const { stages } = await readPipeline('pipelines/quickstart.yaml', { set })
    const named = (name: string) => stages.find((stage) => stage.name === name)
    expect(named('round-2-audit')).toMatchObject({
      ...{ uses: 'audit', needs: ['round-2-filter', 'gold'] },
      with: { truth: 'truth.json', known: 'gold' },
    })
    expect(named('round-2-promote')?.needs).toContain('round-2-audit')
    const { rounds, ...rest } = parse(await readFile('pipelines/quickstart.yaml', 'utf8'))
    const without = await parsePipeline({ ...rest, rounds: { ...rounds, audit: undefined } })
    expect(without.stages.map(({ uses }) => uses)).not.toContain('audit')
    const lost = readPipeline('pipelines/quickstart.yaml', { set: ['rounds.audit={truth: t, known: lost}'] })
    await expect(lost).rejects.toThrow(/rounds\.audit\.known: "lost" is not a stage/)
  })
})
