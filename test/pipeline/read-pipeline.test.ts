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
    expect(stages[0].with).toMatchObject({ path: 'there/pairs.tsv', fetch: { retries: 5, concurrency: 32 } })
    expect(stages[1].with).toMatchObject({ max_words: 4 })
    const anew = await read(good, ['web={format: folder, path: elsewhere}', 'web.limit=3'])
    expect(anew.stages[0].with).toMatchObject({ format: 'folder', path: 'elsewhere', limit: 3 })
  })

  const bad: Readonly<Record<string, readonly [string, RegExp]>> = {
    'malformed YAML': ['name: [', /pipeline\.yaml: not YAML/],
    'no pipeline at all': ['- a', /a pipeline with `name` and `stages`/],
    'an unknown key': [
      good.replace('format: tsv', 'format: tsv, colour: red'),
      /stages\.web\.with: Unrecognized key: "colour"/,
    ],
    'an unknown use': [good.replace('uses: chunk', 'uses: chop'), /stages\.phrases\.uses/],
    'a value of the wrong kind': [
      good.replace('format: tsv', 'format: tsv, shard_size: many'),
      /stages\.web\.with\.shard_size/,
    ],
    'no object under with': [
      'name: p\nstages: [{ name: a, uses: chunk, with: 3 }]',
      /stages\.a\.with: .*object/,
    ],
    'nothing in the place of a stage': ['name: p\nstages: [null]', /stages\.0: .*expected object/],
    'a variable that every object has': [good.replace('where}', 'toString}'), /\$\{toString\} is not among/],
    'an unknown need': [
      good.replace('[web]', '[webb]'),
      /stage "phrases" needs "webb", which is not a stage/,
    ],
    'a circle': [good.replace('uses: ingest,', 'uses: ingest, needs: [phrases],'), /in a circle: /],
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

  it('is refused when --set names no stage, or a file is missing', async () => {
    await expect(read(good, ['wob.limit=3'])).rejects.toThrow(/has no stage "wob"; it has: phrases, web/)
    await expect(read(good, ['nonsense'])).rejects.toThrow(/expected key=value/)
    await expect(read(good, ['web.limit={'])).rejects.toThrow(/--set web\.limit=\{: the value is not YAML/)
    await expect(read(good, ['web..limit=3'])).rejects.toThrow(/"web\.\.limit" is not a key/)
    await expect(readPipeline(join(folder, 'none.yaml'))).rejects.toThrow(/Cannot read .*none\.yaml/)
  })

  it.each(['quickstart', 'self-training', 'coco-folder', 'cc3m', 'gold', 'few-shot', 'detector'])(
    '%s.yaml is sound',
    async (name) => {
      const set = [
        'list=l.tsv',
        'model=m',
        'images=i',
        'annotations=a.json',
        'test_images=t',
        'test_annotations=t.json',
      ]
      const { stages } = await readPipeline(`pipelines/${name}.yaml`, { set })
      expect(stages.length).toBeGreaterThan(1)
    },
  )

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
    await expect(lost).rejects.toThrow(/rounds: "lost" is not a stage/)
  })
})
