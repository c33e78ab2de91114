import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { explainError } from '../../../src/base/explain-error.js'
import { makeFolder } from '../../../src/base/files/make-folder.js'
import { requireWritable } from '../../../src/base/files/require-writable.js'
import { writeFileAtomic } from '../../../src/base/files/write-file-atomic.js'
import { UserError } from '../../../src/base/user-error.js'
import { check } from '../../../src/cli/check.js'
import { query } from '../../../src/cli/query.js'
import { stats } from '../../../src/cli/stats.js'
import { createDataset } from '../../../src/shards/dataset.js'
import { acquireLock } from '../../../src/storage/lock.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { putShard } from '../../helpers/put-shard.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const run = promisify(execFile)

it('makes what is not there, and says what stands in its way', async () => {
  const folder = await temporaryFolder()
  expect(await makeFolder(join(folder, 'a/b/c'))).toBe(join(folder, 'a'))
  expect(await makeFolder(join(folder, 'a/b/c'))).toBeUndefined()
  await writeFile(join(folder, 'file'), '')
  await symlink(join(folder, 'nowhere'), join(folder, 'dangling'))
  const refusal = (name: string) =>
    makeFolder(join(folder, name)).catch((error: unknown) => explainError(error).message)
  expect(await refusal('file/x/y')).toMatch(/a part of this path is a file/)
  expect(await refusal('file')).toMatch(/is there already and is not a folder/)
  expect(await refusal('dangling/x')).toMatch(/dangling.*where a folder is needed/)
})

it.skipIf(process.platform !== 'linux')('ends where the system takes no folders', async () => {
  await expect(makeFolder('/proc/none/such')).rejects.toThrow(
    '/proc/none cannot be made: /proc takes no folders',
  )
  await expect(requireWritable('/proc/none/such')).rejects.toThrow("/proc is the system's own")
  expect(() => openStorage('~/runs')).toThrow('~/runs: ~ is of the shell alone')
  await expect(requireWritable('~/runs')).rejects.toThrow('~ is of the shell alone')
  await expect(requireWritable('s3://bucket/place')).rejects.toThrow('s3://bucket/place: this is an address')
})

const isMountable = await run('unshare', ['--mount', 'true']).then(
  () => process.getuid?.() === 0,
  () => false,
)

describe.skipIf(!isMountable)('a disk that cannot be written to', () => {
  let place: string
  let mounted: string | undefined
  beforeAll(async () => {
    const data = join(await temporaryFolder(), 'data')
    const storage = openStorage(data)
    await createDataset(storage, { name: 'd', card: null, shards: ['00000'] })
    await putShard(storage, 'selection', 'dedup', '00000', [{ key: 'a', reason: null, duplicate_of: null }])
    place = join(await temporaryFolder(), 'mounted')
    await mkdir(place)
    await run('mount', ['--bind', data, place])
    mounted = place
    await run('mount', ['-o', 'remount,ro,bind', place])
  })
  afterAll(async () => {
    if (mounted !== undefined) await run('umount', ['-l', mounted])
  })
  const never = new AbortController().signal
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => explainError(error),
    )

  it('is read as any other', async () => {
    let printed = ''
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += text
      return true
    })
    await stats(place, { top: 3 }, never)
    await stats(place, { top: 3, exact: true }, never)
    await query(place, 'select count(*) as n from selection', { format: 'csv', rows: 1 }, never)
    await check(place, { deep: true }, never)
    vi.restoreAllMocks()
    expect(printed).toContain('dedup')
    expect(printed).toContain('n\r\n1\r\n')
    expect(printed).toContain('nothing is wrong')
  })

  it('is named as that by whoever would write there, with the file or folder that was meant', async () => {
    const storage = openStorage(place)
    for (const [work, name] of [
      [() => storage.write('dataset.json', ''), 'dataset.json'],
      [() => storage.write('new/folder/file', ''), 'new'],
      [() => storage.create('fresh.json', ''), 'fresh.json'],
      [() => storage.swap('dataset.json', '', undefined), 'dataset.json'],
      [() => acquireLock(storage, 'a.lock', { what: 'trying', wait: false }), 'a.lock'],
      [() => storage.remove('dataset.json'), 'dataset.json'],
      [() => writeFileAtomic(join(place, 'x/y/z'), ''), 'x'],
    ] as const) {
      const error = await refusal(work())
      expect(error, name).toBeInstanceOf(UserError)
      expect((error as Error).message).toBe(
        `${join(place, name)} is on a disk that cannot be written to: name another place.`,
      )
    }
  })
})
