import { spawnSync } from 'node:child_process'
import { readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { thisProcess } from '../../src/base/process-identity.js'
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

  it('keeps the old object and leaves nothing behind when its chunks fail', async () => {
    await storage.write('s/x', 'old')
    await expect(storage.writeStream('s/x', chunks('new', new Error('cut')))).rejects.toThrow('cut')
    expect(Buffer.from((await storage.read('s/x')) ?? []).toString()).toBe('old')
    expect(await readdir(storage.path('s'))).toEqual(['x'])
  })

  it('has what is aside only when it is put in place, again where it has gone since', async () => {
    const aside = await storage.writeAside('t/x', chunks('wh', 'ole'))
    expect(await storage.list('t')).toEqual([])
    expect((await stat(aside.path)).size).toBe(5)
    const text = async () => Buffer.from((await storage.read('t/x-1')) ?? []).toString()
    for (const before of [undefined, 'other', 'none']) {
      if (before) await storage.write('t/x-1', before)
      if (before === 'none') await storage.remove('t/x-1')
      await aside.place('t/x-1')
      expect(await text()).toBe('whole')
    }
    await aside.place('t/x-1')
    await aside.discard()
    expect(await text()).toBe('whole')
    expect(await readdir(storage.path('t'))).toEqual(['x-1'])
    expect(await storage.listBeginning('t/x')).toEqual(['t/x-1'])
    expect(await storage.listBeginning('t/y')).toEqual([])
    await expect(storage.writeAside('t/x', chunks('new', new Error('cut')))).rejects.toThrow('cut')
    expect(await readdir(storage.path('t'))).toEqual(['x-1'])
  })

  it('sweeps away what certainly is written no more, and only that', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    await storage.write('w/00000.parquet', 'whole')
    const { host, pid, started } = thisProcess
    const aside = (file: string, ...who: (string | number)[]) => `${file}.${who.join('-')}-01234567.aside`
    const gone = {
      ofDead: aside('00000.parquet', host, dead, started),
      // In a container every run may have the same number.
      ofNamesake: aside('00000.parquet', host, pid, `${started.split('t')[0]}t1`),
      ofOther: aside('00001.parquet', host, dead, started),
      ofOldest: aside('00000.parquet', 'elsewhere', 1, '01234567t1'),
    }
    const left = {
      own: aside('00000.parquet', host, pid, started),
      ofMachine: aside('00000.parquet', 'elsewhere', dead, '01234567t1'),
      ofBefore: aside('00000.parquet', host, dead, '01234567t1'),
    }
    for (const name of [...Object.values(gone), ...Object.values(left)])
      await writeFile(storage.path(`w/${name}`), 'half')
    const yesterday = Date.now() / 1000 - 25 * 3600
    await utimes(storage.path(`w/${gone.ofOldest}`), yesterday, yesterday)
    expect(await storage.list('w')).toEqual(['w/00000.parquet'])
    await storage.sweep('w')
    const names = ['00000.parquet', ...Object.values(left)]
    expect((await readdir(storage.path('w'))).sort()).toEqual(names.sort())
    const listed = []
    for await (const { name, size } of storage.listFiles('w')) listed.push(`${name} ${size}`)
    const sizes = names.map((name) => `w/${name} ${name === '00000.parquet' ? 5 : 4}`)
    expect(listed.sort()).toEqual(sizes.sort())
    await storage.sweep('nowhere')
  })

  it('is only looked for where it can be', () => {
    expect(() => openStorage('ftp://host/x')).toThrow(/ftp:\/\//)
  })
})
