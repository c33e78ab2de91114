import { spawnSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { asidePath, writeFileAtomic } from '../../../src/base/files/write-file-atomic.js'
import { thisProcess } from '../../../src/base/process-identity.js'
import { openDuckDb } from '../../../src/query/open-duckdb.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const dead = spawnSync(process.execPath, ['-e', '']).pid
const { host, pid, started } = thisProcess
const aside = (file: string, ...who: (string | number)[]) => `${file}.${who.join('-')}-01234567.aside`
const gone = [
  aside('checkpoint.safetensors', host, dead, started),
  aside('table.md', host, pid, `${started.split('t')[0]}t1`),
]
/** Of one that lives, one of which nothing is known, and files of other programs. */
const kept = [
  aside('table.md', host, pid, started),
  aside('table.md', 'elsewhere', dead, '01234567t1'),
  'mine.aside',
  'notes.2024-01-01.aside',
]

let folder: string
beforeEach(async () => {
  folder = await temporaryFolder()
  for (const name of [...gone, ...kept]) await writeFile(join(folder, name), 'half')
  const model = join(folder, aside('model', host, dead, started))
  await mkdir(model)
  await writeFile(join(model, 'config.json'), 'half')
})

describe('what killed programs have left half written', () => {
  it('is removed by who writes into the folder next, and nothing else is', async () => {
    await writeFileAtomic(join(folder, 'loss.svg'), 'whole')
    expect(await readdir(folder)).toEqual([...kept, 'loss.svg'].sort())
  })

  it.each(['create', 'swap', 'writeStream'] as const)('is removed by %s of a storage', async (how) => {
    const storage = openStorage(folder)
    if (how === 'create') await storage.create('new', 'whole')
    if (how === 'swap') await storage.swap('new', 'whole', undefined)
    if (how === 'writeStream') await storage.writeStream('new', ReadableStream.from([Buffer.from('whole')]))
    expect(await readdir(folder)).toEqual([...kept, 'new'].sort())
  })

  it('is removed where queries spill to', async () => {
    const before = process.env.TMPDIR
    process.env.TMPDIR = folder
    try {
      const left = join(folder, aside('groundmill-duckdb', host, dead, started))
      await mkdir(left)
      await writeFile(join(left, 'duckdb_temp_block-1.block'), 'half')
      const { close } = await openDuckDb([])
      const own = asidePath('groundmill-duckdb').slice(0, -'01234567.aside'.length)
      const spills = (await readdir(folder)).filter((name) => name.startsWith('groundmill-duckdb'))
      expect(spills.map((name) => name.slice(0, own.length))).toEqual([own])
      await close()
    } finally {
      process.env.TMPDIR = before
      if (before === undefined) delete process.env.TMPDIR
    }
    expect(await readdir(folder)).toEqual([...kept].sort())
  })
})
