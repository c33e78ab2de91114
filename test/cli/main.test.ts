import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { committedFile } from '../../src/shards/committed-file.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCommand } from '../helpers/run-command.js'
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
    'import-model',
    'export-model',
    'stats',
    'render',
    'world',
    'world make',
    'world serve',
  ]
  it.each(commands)('%s --help has an example', async (command) => {
    const { code, out } = await runCommand(...command.split(' ').filter(Boolean), '--help')
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
    const hostile = 'test/weights/fixtures/torch/hostile-system.pth'
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['stats', join(folder, 'nowhere')], /Cannot read .*nowhere/],
      [['stats', folder], /schema version 99/],
      [['run', join(folder, 'none.yaml')], /Cannot read .*none\.yaml/],
      [['run', 'pipelines/cc3m.yaml'], /\$\{list\} is not among its vars/],
      [['train', empty, '-o', join(folder, 'm'), '--set', 'steps=many'], /--set: steps/],
      [['train', empty, '-o', join(folder, 'm'), '--set', 'stepps=3'], /no such key: "stepps"/],
      [['train', empty, '-o', join(folder, 'm')], /has no grounding yet: run a filter stage/],
      [
        ['evaluate', empty, '--model', folder],
        /has no gold boxes: name a dataset that was ingested with them/,
      ],
      [
        ['teach', empty, '--model', folder, '--phrases', 'p', '--as', 'a'],
        /has no phrases "p"; it has none: run a chunk stage first\./,
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
      [['render', empty], /has no grounding yet: run a filter stage/],
      [['render', empty, '--sample', 'x'], /--sample <n>' argument 'x' is invalid. A whole number/],
      [['dance'], /there is no command "dance"/],
    ]
    for (const [args, message] of cases) {
      const { code, out, err } = await runCommand(...args)
      expect(`${code} ${err}`, args.join(' ')).toMatch(message)
      expect(code, args.join(' ')).toBe(2)
      expect(err).not.toMatch(/\n\s+at /)
      expect(out).toBe('')
    }
  }, 480_000)

  it('gives one line of JSON on standard output, and on standard error no control characters', async () => {
    const pictures = join(folder, 'pictures')
    await mkdir(pictures)
    const red = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer()
    await writeFile(join(pictures, 'a.jpg'), red)
    await writeFile(join(pictures, 'cut.jpg'), red.subarray(0, red.length - 40))
    await writeFile(join(pictures, 'page.jpg'), '<!doctype html><p>gone</p>')
    await writeFile(join(pictures, 'silent.jpg'), red)
    for (const name of ['a', 'cut', 'page']) await writeFile(join(pictures, `${name}.txt`), 'a red square\n')
    await writeFile(join(pictures, 'silent.txt'), ' \n')
    const pipeline = join(folder, 'pictures.yaml')
    await writeFile(
      pipeline,
      `name: p
stages:
  - { name: web, uses: ingest, with: { format: folder, path: ${pictures} } }
  - { name: phrases, uses: chunk, needs: [web] }
`,
    )
    const { code, out, err } = await runCommand('run', pipeline, '--dataset', join(folder, 'run'), '--json')
    expect(code).toBe(0)
    expect(out.match(/\n/g)).toHaveLength(1)
    const { funnel } = JSON.parse(out)
    expect(funnel.map((stage: object) => ({ ...stage, stats: {} }))).toMatchObject([
      { stage: 'web', in: 4, out: 1, rejected: { truncated: 1, not_image: 1, empty_caption: 1 } },
      { stage: 'phrases', in: 1, out: 1, rejected: {} },
    ])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
    expect(err).toMatch(/✓ web .*1 of 1 shards made/)

    const web = openStorage(join(folder, 'run/web'))
    const shard = web.path((await committedFile(web, 'images', null, '00000')).path)
    await writeFile(shard, (await readFile(shard)).subarray(0, 900))
    const again = await runCommand(
      'run',
      pipeline,
      '--dataset',
      join(folder, 'run'),
      '--set',
      'phrases.max_words=3',
    )
    expect(again.code).toBe(1)
    expect(again.err).toMatch(
      /shard 00000 set aside: .*images.00000-[0-9a-f]{16}\.parquet is damaged or cut short .*`groundmill check --deep --mend /,
    )
    expect(again.err).toMatch(/1 shard set aside; run the same command again/)
    expect(again.err).not.toMatch(/\n\s+at /)
  })

  it('says that a port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { code, err } = await runCommand('world', 'serve', folder, '--port', String(port))
    taken.close()
    expect(err).toMatch(
      new RegExp(`^groundmill: port ${port} of 127.0.0.1 is taken: name another with --port`),
    )
    expect(code).toBe(2)
  })

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
    const { code, out, err } = await runCommand(...args)
    expect(code).toBe(2)
    expect(out).toContain(`${checkpoint}: GLIP, official names`)
    expect(out).toMatch(/patch_embed\.proj\.weight needs \[96, 3, 4, 4\], .* has \[4, 3, 4, 4\]/)
    expect(out).toMatch(/\n {2}and \d+ more; --json has them all/)
    expect(err).toMatch(/Nothing was written: \d+ parameters are missing and \d+ have a wrong shape/)
    const json = await runCommand(...args, '--json')
    expect(JSON.parse(json.out)).toMatchObject({ written: 'nothing', parts: ['backbone'], unused: [] })
  })
})
