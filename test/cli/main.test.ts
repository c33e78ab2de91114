import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/shards/storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

const groundmill = (...args: string[]) =>
  new Promise<Result>((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })

describe('the command line', () => {
  const commands = [
    'quickstart',
    'run',
    'round',
    'train',
    'teach',
    'evaluate',
    'import-model',
    'export-model',
    'stats',
    'render',
    'world make',
    'world serve',
  ]
  it.each(commands)('%s --help has an example', async (command) => {
    const { code, out } = await groundmill(...command.split(' '), '--help')
    expect(code).toBe(0)
    expect(out).toContain(`$ groundmill ${command}`)
  })

  it('ends with 2, one message and no stack where the user must mend something', async () => {
    const newer = join(folder, 'newer')
    await mkdir(newer)
    await writeFile(join(newer, 'dataset.json'), '{"schemaVersion": 99}')
    const empty = join(folder, 'empty')
    await createDataset(openStorage(empty), { name: 'empty', card: null, shards: [] })
    const hostile = 'test/model/fixtures/torch/hostile-system.pth'
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['stats', join(folder, 'nowhere')], /Cannot read .*nowhere/],
      [['stats', folder], /schema version 99/],
      [['run', join(folder, 'none.yaml')], /Cannot read .*none\.yaml/],
      [['run', 'pipelines/cc3m.yaml'], /\$\{list\} is not among its vars/],
      [['train', empty, '-o', join(folder, 'm'), '--set', 'steps=many'], /--set: steps/],
      [['train', empty, '-o', join(folder, 'm'), '--set', 'stepps=3'], /Unrecognized key: "stepps"/],
      [['train', empty, '-o', join(folder, 'm')], /has no grounding "empty"/],
      [['evaluate', empty, '--model', folder], /is not a model folder: .*config\.json is missing/],
      [
        ['teach', empty, '--model', folder, '--phrases', 'p', '--as', 'a'],
        /is not a whole model folder|is not a model folder/,
      ],
      [
        ['import-model', folder, '--preset', 'toy', '-o', join(folder, 'm'), '--part', 'head'],
        /--part head: use one of/,
      ],
      [
        ['import-model', hostile, '--preset', 'toy', '-o', join(folder, 'm'), '--part', 'backbone'],
        /posix\.system/,
      ],
      [
        ['import-model', hostile, '--preset', 'toy', '-o', join(folder, 'm')],
        /no tokenizer\.json or vocab\.txt/,
      ],
      [['export-model', folder, '-o', 'm.safetensors'], /is not a model folder/],
      [['export-model', folder, '-o', 'm.safetensors', '--scores', newer], /Cannot read .*newer/],
      [['render', empty], /has no grounding "empty"/],
      [['render', empty, '--sample', 'x'], /"x" is not a whole number/],
      [['dance'], /unknown command 'dance'/],
    ]
    for (const [args, message] of cases) {
      const { code, out, err } = await groundmill(...args)
      expect(`${code} ${err}`, args.join(' ')).toMatch(message)
      expect(code, args.join(' ')).toBe(2)
      expect(err).not.toMatch(/\n\s+at /)
      expect(out).toBe('')
    }
  }, 120_000)

  it('says what became of every weight of a checkpoint', async () => {
    const checkpoint = 'test/model/fixtures/glip-tiny.pth'
    const args = [
      'import-model',
      checkpoint,
      '--preset',
      'glip-t',
      '-o',
      join(folder, 'glip'),
      '--part',
      'backbone',
    ]
    const { code, out, err } = await groundmill(...args)
    expect(code).toBe(2)
    expect(out).toContain(`${checkpoint}: GLIP, official names`)
    expect(out).toMatch(/patch_embed\.proj\.weight needs \[96, 3, 4, 4\], .* has \[4, 3, 4, 4\]/)
    expect(out).toMatch(/\n {2}and \d+ more; --json has them all/)
    expect(err).toMatch(/Nothing was written: \d+ parameters are missing and \d+ have a wrong shape/)
    const json = await groundmill(...args, '--json')
    expect(JSON.parse(json.out)).toMatchObject({ written: 'nothing', parts: ['backbone'], unused: [] })
  })
})
