import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pushAddress } from '../../../src/cli/papers/push-address.js'
import { checkPush, pushExport } from '../../../src/cli/papers/push-export.js'
import type { ExportConfig } from '../../../src/export/config.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { pushRecordName } from '../../../src/storage/push-objects.js'
import { sha256 } from '../../helpers/hub-server.js'
import { s3Server } from '../../helpers/s3-server.js'
import { pushedHashes, smallExports } from '../../helpers/small-exports.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const { source, smaller, exported } = await smallExports(folder)
const s3 = await s3Server()

interface More {
  readonly format?: ExportConfig['format']
  readonly split?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

const push = (out: string, to: string, more: More = {}) =>
  pushExport(out, pushAddress(s3.url(to)), {
    ...{ format: 'hf', split: 'train', message: '' },
    ...{ signal: new AbortController().signal, onProgress: () => {} },
    ...more,
  })

/** Hashes of what lies below a prefix, without the record. */
async function there(prefix: string): Promise<Record<string, string>> {
  const storage = openStorage(s3.url(prefix))
  const hashes: Record<string, string> = {}
  for (const name of await storage.list(''))
    if (name !== pushRecordName) hashes[name] = sha256(Buffer.from((await storage.read(name)) ?? []))
  return hashes
}
const recordOf = async (prefix: string) =>
  JSON.parse(Buffer.from((await openStorage(s3.url(prefix)).read(pushRecordName)) ?? []).toString())
const puts = (from: number) =>
  s3.requests.slice(from).filter((line) => line.startsWith('PUT') && !line.includes(pushRecordName))

describe('a push to a bucket', () => {
  it('puts what the export has, what tells of it last, and of the same again nothing', async () => {
    const out = await exported(source)
    const before = s3.requests.length
    const progress: number[] = []
    const pushed = await push(out, 'dogs', { onProgress: (done, total) => progress.push(done / total) })
    expect(pushed).toEqual({ url: s3.url('dogs'), changed: 5, same: 0, removed: 0 })
    expect(await there('dogs')).toEqual(await pushedHashes(out))
    expect(progress[0]).toBe(0)
    expect(progress.at(-1)).toBe(1)
    const order = puts(before).map((line) => line.includes('.parquet'))
    expect(order).toEqual([true, true, true, false, false])
    expect(await recordOf('dogs')).toMatchObject({
      ...{ kind: 'hf', whole: true, files: Object.keys(await pushedHashes(out)).sort() },
    })
    const again = s3.requests.length
    expect(await push(out, 'dogs')).toMatchObject({ changed: 0, same: 5, removed: 0 })
    expect(s3.requests.slice(again).filter((line) => !/^(GET|HEAD)/.test(line))).toEqual([])
  })

  it('takes away what an earlier push has put that is no longer there, and nothing of others', async () => {
    const notes = openStorage(s3.url('shrinks'))
    await notes.write('notes.txt', 'mine')
    await push(await exported(source), 'shrinks')
    await notes.write('data/train-00000-of-00009.parquet', 'mine')
    const out = await exported(smaller)
    expect(await push(out, 'shrinks')).toMatchObject({ removed: 3 })
    expect(Object.keys(await there('shrinks')).sort()).toEqual(
      [...Object.keys(await pushedHashes(out)), 'data/train-00000-of-00009.parquet', 'notes.txt'].sort(),
    )
  })

  it('of another split leaves the first, and the papers have both', async () => {
    const [train, val] = [await exported(source), await exported(smaller, { split: 'val' })]
    await push(train, 'both')
    await push(val, 'both', { split: 'val' })
    const storage = openStorage(s3.url('both'))
    const readme = Buffer.from((await storage.read('README.md')) ?? []).toString()
    expect(readme).toContain('path: data/train-*')
    expect(readme).toContain('path: data/val-*')
    expect((await storage.list('data')).length).toBe(5)
    expect(await push(val, 'both', { split: 'val' })).toMatchObject({ changed: 0, same: 4, removed: 0 })
  })

  it('keeps the names of files, whatever signs they have', async () => {
    const out = await exported(smaller)
    await mkdir(join(out, 'odd'))
    const names = [
      'a b',
      'a?b',
      'a#b',
      'a%20b',
      'a+b',
      'ä&b',
      "a'b",
      'a=b;c',
      '[a]{b}',
      '~a!',
      'constructor',
    ].map((n) => `odd/${n}`)
    for (const name of names) await writeFile(join(out, name), name)
    await push(out, 'odd names')
    expect(await there('odd names')).toEqual(await pushedHashes(out))
    expect(await push(out, 'odd names')).toMatchObject({ changed: 0 })
  })

  it('that was stopped goes on with what had not come', async () => {
    const out = await exported(source)
    const stop = new AbortController()
    const stopped = push(out, 'stopped', {
      signal: stop.signal,
      onProgress: (done) => done > 0 && stop.abort(new Error('stopped')),
    })
    await expect(stopped).rejects.toThrow('stopped')
    expect((await recordOf('stopped')).whole).toBe(false)
    const come = Object.keys(await there('stopped')).length
    expect(come).toBeGreaterThan(0)
    expect(come).toBeLessThan(5)
    const before = s3.requests.length
    expect(await push(out, 'stopped')).toMatchObject({ changed: 5 - come, same: come })
    expect(puts(before)).toHaveLength(5 - come)
    expect(await there('stopped')).toEqual(await pushedHashes(out))
    expect((await recordOf('stopped')).whole).toBe(true)
  })

  it('of a large file, whose ETag is no MD5 of it, sends it once', async () => {
    const out = await exported(smaller, { format: 'webdataset' })
    const [tar = ''] = Object.keys(await pushedHashes(out)).filter((name) => name.endsWith('.tar'))
    // Behind the end of a tar anything may stand.
    await writeFile(join(out, tar), Buffer.concat([await readFile(join(out, tar)), Buffer.alloc(17 << 20)]))
    const before = s3.requests.length
    await push(out, 'large', { format: 'webdataset' })
    expect(puts(before).filter((line) => line.includes('partNumber'))).toHaveLength(2)
    expect(await there('large')).toEqual(await pushedHashes(out))
    const again = s3.requests.length
    expect(await push(out, 'large', { format: 'webdataset' })).toMatchObject({ changed: 0 })
    expect(puts(again)).toEqual([])
  })
})

describe('a push to a bucket is refused', () => {
  it('where objects of its names are there that no push has put: nothing is sent', async () => {
    const storage = openStorage(s3.url('theirs'))
    await storage.write('README.md', 'theirs')
    const before = s3.requests.length
    await expect(push(await exported(smaller), 'theirs')).rejects.toThrow(
      'has README.md, which no push has put there',
    )
    expect(puts(before)).toEqual([])
    expect(await storage.list('')).toEqual(['README.md'])
  })

  it('where another kind of export lies, or a record that is none', async () => {
    await push(await exported(smaller), 'kinds')
    const address = pushAddress(s3.url('kinds'))
    await expect(checkPush(address, { format: 'yolo', split: 'val' })).rejects.toThrow(
      'has a push of hf, whose place one of yolo (val) does not take',
    )
    for (const text of ['{', 'null', '[]', '{"kind":"hf","files":[1]}']) {
      await openStorage(s3.url('kinds')).write(pushRecordName, text)
      await expect(checkPush(address, { format: 'hf', split: 'train' })).rejects.toThrow(
        'is not what a push has written',
      )
    }
  })

  it('where another pushes at the same time: one of both ends', async () => {
    const [one, other] = [await exported(source), await exported(smaller)]
    const ends = await Promise.allSettled([push(one, 'raced'), push(other, 'raced')])
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []))
    expect(refused).toHaveLength(1)
    expect(refused[0]).toContain('somebody else pushes there at the same time')
    // Whoever comes next leaves what was meant.
    await push(other, 'raced')
    expect(await there('raced')).toEqual(await pushedHashes(other))
  })

  it('where another has begun meanwhile: what lies there may be of both, and is not said to be whole', async () => {
    const [one, other] = [await exported(source), await exported(smaller)]
    let second: Promise<unknown> | undefined
    await expect(
      push(one, 'overtaken', {
        onProgress: () => {
          second ??= push(other, 'overtaken')
        },
      }),
    ).rejects.toThrow('somebody else pushes there at the same time')
    await second?.catch(() => {})
    await push(other, 'overtaken')
    expect((await recordOf('overtaken')).whole).toBe(true)
    expect(await there('overtaken')).toEqual(await pushedHashes(other))
  })

  it('where there is no bucket, and where an address is none', async () => {
    const nowhere = s3.url('x').replace('bucket', 'nowhere')
    await expect(checkPush(pushAddress(nowhere), { format: 'hf', split: 'train' })).rejects.toThrow()
    expect(() => pushAddress('s3://')).toThrow('is not the address of a bucket')
    expect(() => pushAddress('gs://bucket/x')).toThrow('is no place for an export')
    expect(() => pushAddress('s3://bucket/x?endpoint=host')).toThrow('the endpoint is no address of a server')
    expect(() => pushAddress('s3://bucket/../x')).toThrow('name no object of a bucket')
  })

  it('where the store cannot be reached, or does not do it now: what to do is said', async () => {
    const form = { format: 'hf', split: 'train' } as const
    const away = checkPush(pushAddress('s3://bucket/x?endpoint=http://127.0.0.1:9'), form)
    await expect(away).rejects.toThrow(/the store cannot be reached \(ECONNREFUSED\)\. Check the endpoint/)
    // Tries of many requests at once say nothing beside that.
    const warnings: Error[] = []
    const hear = (warning: Error) => warnings.push(warning)
    process.on('warning', hear)
    s3.fail(99, /PUT .*failing\/.*(png|jpg|jpeg)/, 503)
    const pictures = await exported(source, { format: 'coco' })
    await expect(push(pictures, 'failing', { format: 'coco' })).rejects.toThrow('it answers with 503')
    process.off('warning', hear)
    expect(warnings.map(({ name }) => name)).not.toContain('MaxListenersExceededWarning')
    s3.fail(9, /GET .*busy/, 503)
    await expect(checkPush(pushAddress(s3.url('busy')), form)).rejects.toThrow(
      'it answers with 503. Run the same command again later',
    )
  })
})
