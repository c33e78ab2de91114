import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/shards/storage.js'
import { groundmill } from '../helpers/groundmill.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

describe('the command line', () => {
  const commands = [
    '',
    'quickstart',
    'run',
    'round',
    'train',
    'teach',
    'evaluate',
    'stats',
    'render',
    'world',
    'world make',
    'world serve',
  ]
  it.each(commands)('%s --help has an example', async (command) => {
    const { code, out } = await groundmill(...command.split(' ').filter(Boolean), '--help')
    expect(code).toBe(0)
    expect(out).toContain(`Example:\n  $ groundmill ${command}`)
    expect(out).not.toContain('[]')
  })

  it('ends with 2, one message and no stack where the user must mend something', async () => {
    const newer = join(folder, 'newer')
    await mkdir(newer)
    await writeFile(join(newer, 'dataset.json'), '{"schemaVersion": 99}')
    const empty = join(folder, 'empty')
    await createDataset(openStorage(empty), { name: 'empty', card: null, shards: [] })
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
  }, 180_000)
})
