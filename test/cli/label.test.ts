import { access, appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { guessSource } from '../../src/ingest/guess-source.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { drawPhotos, writeDetector } from '../helpers/drawn-photos.js'
import { hubHome } from '../helpers/hub-home.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const photos = join(folder, 'photos')
const detector = join(folder, 'detector')
beforeAll(async () => {
  await drawPhotos(photos, 3)
  await writeDetector(detector)
})

describe('groundmill label', () => {
  it('writes the pipeline that it runs, to be edited and run again', async () => {
    const run = join(folder, 'my run')
    const file = join(run, 'pipeline.yaml')
    const label = (...more: string[]) =>
      runCommand('label', photos, '--teacher', detector, '-o', run, '--device', 'cpu', ...more)
    const first = await label()
    expect(first.err).toContain(`  wrote ${file}\n`)
    expect(first).toMatchObject({ code: 0 })
    expect(first.out).toMatch(/^photos +kept +proposals .* label /m)
    expect(first.out).toContain(`groundmill inspect '${run}/photos'`)
    const written = await readFile(file, 'utf8')
    expect(parse(written)).toMatchObject({
      name: 'my-run',
      stages: [
        { uses: 'ingest', with: { format: 'folder', path: photos } },
        { uses: 'chunk' },
        { uses: 'teach', with: { model: detector, device: 'cpu' } },
        { uses: 'filter' },
      ],
    })
    // The same again finds all done; what a person has edited is not written over unless that is said.
    expect((await label()).err).toMatch(/found .*\n(?:✓.*already done\n){4}/)
    await appendFile(file, '# mine\n')
    const refused = await label()
    expect(refused.err).toContain(`--dataset '${run}'\` runs it; --force writes it anew`)
    expect(refused.code).toBe(2)
    expect(await readFile(file, 'utf8')).toBe(`${written}# mine\n`)
    const edited = await runCommand('run', file, '--dataset', run)
    expect(edited.err).toMatch(/^(?:✓.*already done\n){4}/m)
    expect((await label('--force')).code).toBe(0)
    expect(await readFile(file, 'utf8')).toBe(written)
  })

  it('writes nothing where something is wrong, and nothing for a plan', async () => {
    const bare = join(folder, 'bare')
    await mkdir(bare)
    await writeFile(join(bare, 'a.jpg'), await readFile(join(photos, 'photo-0.jpg')))
    const run = join(folder, 'none')
    const label = async (...args: string[]) => {
      const { code, err } = await runCommand('label', ...args, '-o', run)
      await expect(access(run)).rejects.toThrow()
      return { code, err }
    }
    expect(await label(photos, '--teacher', join(folder, 'nothing'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('is not a model folder'),
    })
    expect(await label(bare, '--teacher', detector)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--names dog,bicycle asks each for these'),
    })
    expect(await label(join(folder, 'nix'), '--teacher', detector)).toMatchObject({ code: 2 })
    await mkdir(join(folder, 'empty'))
    expect(await label(join(folder, 'empty'), '--teacher', detector)).toMatchObject({
      code: 2,
      err: expect.stringContaining('has no pictures, nor a list of them'),
    })
    expect(await label(bare, '--teacher', detector, '--names', ' , ')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--names names nothing'),
    })
    expect((await label(photos, '--teacher', detector, '--plan')).code).toBe(0)
  })

  it('asks pictures without captions for names, and reads the columns of a list', async () => {
    const bare = join(folder, 'bare-2')
    await drawPhotos(bare, 1)
    await rm(join(bare, 'photo-0.txt'))
    const named = await runCommand(
      ...[
        'label',
        bare,
        '--teacher',
        detector,
        '-o',
        join(folder, 'named'),
        '--names',
        ' dog , ball,',
        '--json',
      ],
    )
    expect(JSON.parse(named.out).stages).toMatchObject({ kept: { ran: 1 } })
    const list = join(folder, 'list.tsv')
    await rename(join(bare, 'photo-0.jpg'), join(folder, 'photo.jpg'))
    await writeFile(list, `file\twords\n${join(folder, 'photo.jpg')}\ta dog\n`)
    const run = join(folder, 'listed')
    const wrong = await runCommand('label', list, '--teacher', detector, '-o', run)
    expect(wrong.err).toContain('has no column "url"; it has: file, words')
    const right = await runCommand(
      ...['label', list, '--teacher', detector, '-o', run, '--url', 'file', '--caption', 'words', '--plan'],
    )
    expect(right).toMatchObject({ code: 0, out: expect.stringMatching(/^photos +ingest/m) })
    const mixed = await runCommand('label', list, '--teacher', detector, '-o', run, '--names', 'dog')
    expect(mixed).toMatchObject({
      code: 2,
      err: expect.stringContaining('--names is for folders of pictures'),
    })
  })
})

describe('groundmill label by a model of the Hub', () => {
  it('makes the boxes that its folder makes, and goes on where a connection broke off', async () => {
    const hub = await hubHome()
    const [config, model] = await Promise.all(
      ['config.json', 'model.onnx'].map((name) => readFile(join(detector, name))),
    )
    hub.add('org/detector', { 'config.json': config as Buffer, 'onnx/model.onnx': model as Buffer })
    const proposals = async (teacher: string, name: string) => {
      const run = join(folder, name)
      const args = ['label', photos, '--teacher', teacher, '-o', run, '--device', 'cpu']
      const { code, err } = await runCommand(...args)
      expect(err).not.toContain('groundmill:')
      expect(code).toBe(0)
      const rows = []
      for await (const row of readShard(openStorage(join(run, 'photos')), 'proposals', 'label', '00000'))
        rows.push({ ...row, teacher: '' })
      return rows
    }
    hub.fail(1, /^GET \/[\da-f]{64}/, { cutAt: 100 })
    const found = await proposals('hf://org/detector', 'by-hub')
    expect(found).toHaveLength(3)
    expect(found).toEqual(await proposals(detector, 'by-folder'))
    expect(hub.requests.some(({ range }) => range === 'bytes=100-')).toBe(true)
  })
})

it('reads an export of form hf by itself, its captions with it', async () => {
  const out = join(folder, 'handed-on')
  const first = join(folder, 'first')
  const args = ['--teacher', detector, '--device', 'cpu']
  expect((await runCommand('label', photos, ...args, '-o', first)).code).toBe(0)
  await runCommand('export', join(first, 'photos'), '--format', 'hf', '-o', out)
  const again = await runCommand('label', join(out, 'data'), ...args, '-o', join(folder, 'again'))
  expect(again.out).toMatch(/^photos +photos +pairs +3 +3 /m)
  expect(again.out).toMatch(/^photos +phrases +captions +6 +6 /m)
  expect(again.code).toBe(0)
})

describe('the format of a source', () => {
  it.each<[string, readonly string[], string]>([
    ['pictures', ['a.jpg', 'a.txt'], 'folder'],
    ['tables', ['00000.parquet', '00001.parquet'], 'parquet'],
    ['tars', ['00000.tar', '00000.json'], 'webdataset'],
    ['lists', ['a.tsv.gz'], 'tsv'],
    ['both', ['a.jpg', 'metadata.csv'], 'folder'],
    ['coco', ['captions.json', 'instances.json'], 'coco'],
    ['nothing', ['readme'], 'folder'],
  ])('of a folder is said by what lies in it: %s', async (name, files, format) => {
    const path = join(folder, `source-${name}`)
    await mkdir(path)
    for (const file of files) await writeFile(join(path, file), '')
    const { ingest } = await guessSource(path)
    expect(ingest.format).toBe(format)
  })

  it.each([
    ['hf://datasets/a/b', 'parquet'],
    ['hf://datasets/a/b/*.tar', 'webdataset'],
    ['s3://bucket/list.tsv.zst', 'tsv'],
    ['s3://bucket/list.jsonl?endpoint=http://127.0.0.1:9000&region=us-east-1', 'jsonl'],
    ['s3://bucket/a?endpoint=http://host.tar', 'parquet'],
    ['shards/{00000..00127}.tar', 'webdataset'],
  ])('of %s is %s', async (path, format) => {
    expect((await guessSource(path)).ingest).toEqual({ format, path })
  })

  it('is not guessed of a file of another kind', async () => {
    const path = join(folder, 'a.docx')
    await writeFile(path, '')
    await expect(guessSource(path)).rejects.toThrow('a folder of pictures was expected, or a list (.parquet,')
  })
})
