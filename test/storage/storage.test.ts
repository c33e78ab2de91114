import { spawnSync } from 'node:child_process'
import { readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openStorage } from '../../src/storage/open-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const storage = openStorage(await temporaryFolder())

async function* chunks(...parts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield Buffer.from(part)
  }
}

describe('storage', () => {
  it('gives back what was written, and nothing where nothing was', async () => {
    await storage.write('a/b/one.json', 'eins')
    await storage.writeStream('a/two.parquet', chunks('zw', 'ei'))
    expect(Buffer.from((await storage.read('a/b/one.json')) ?? []).toString()).toBe('eins')
    expect(Buffer.from((await storage.read('a/two.parquet')) ?? []).toString()).toBe('zwei')
    expect(await storage.list('a')).toEqual(['a/b/one.json', 'a/two.parquet'])
    await storage.remove('a/two.parquet')
    await storage.remove('a/never.json')
    expect(await storage.read('a/two.parquet')).toBeUndefined()
    expect(await storage.exists('a/two.parquet')).toBe(false)
    expect(await storage.list('b')).toEqual([])
  })

  it('keeps the old object and leaves nothing behind when its chunks or its check fail', async () => {
    await storage.write('s/x', 'old')
    await expect(storage.writeStream('s/x', chunks('new', new Error('cut')))).rejects.toThrow('cut')
    const refuse = async (path: string) => {
      throw new Error(`no to ${(await stat(path)).size} bytes`)
    }
    await expect(storage.writeStream('s/x', chunks('news'), refuse)).rejects.toThrow('no to 4 bytes')
    expect(Buffer.from((await storage.read('s/x')) ?? []).toString()).toBe('old')
    expect(await readdir(storage.path('s'))).toEqual(['x'])
  })

  it('sweeps away what a dead program left half written, and only that', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    await storage.write('w/00000.parquet', 'whole')
    const asides = {
      ofDead: `00000.parquet.${dead}-01234567.aside`,
      ofOther: `00001.parquet.${dead}-01234567.aside`,
      ofParent: `00000.parquet.${process.ppid}-01234567.aside`,
      own: `00000.parquet.${process.pid}-01234567.aside`,
      ofNamesake: `00000.parquet.${process.pid}-76543210.aside`,
    }
    for (const name of Object.values(asides)) await writeFile(storage.path(`w/${name}`), 'half')
    // Written before this process began, by one that had its number then.
    await utimes(storage.path(`w/${asides.ofNamesake}`), 1, 1)
    expect(await storage.list('w')).toEqual(['w/00000.parquet'])
    await storage.sweep('w/00000.parquet')
    const left = ['00000.parquet', asides.ofOther, asides.ofParent, asides.own]
    expect((await readdir(storage.path('w'))).sort()).toEqual(left.sort())
    await storage.sweep('nowhere/00000.parquet')
  })

  it('is only looked for where it can be', () => {
    expect(() => openStorage('ftp://host/x')).toThrow(/ftp:\/\//)
  })
})
