import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readData, readText, readTextIfThere } from '../../../src/base/files/read-file.js'
import { readJson } from '../../../src/base/files/read-json.js'
import { UserError } from '../../../src/base/user-error.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()

describe('a file', () => {
  it('is read as bytes, text or JSON', async () => {
    const path = join(folder, 'a.json')
    await writeFile(path, '{"a": "é"}')
    expect(await readText(path)).toBe('{"a": "é"}')
    expect(await readData(path)).toEqual(Buffer.from('{"a": "é"}'))
    expect(await readJson(path)).toEqual({ a: 'é' })
  })

  it('that is named as a shell or the web would name it is told apart from one that is missing', async () => {
    await expect(readText('~/a.txt')).rejects.toThrow(
      'Cannot read ~/a.txt: there is no such file or folder: ~ is of',
    )
    await expect(readText('s3://bucket/a.txt')).rejects.toThrow(
      'Cannot read s3://bucket/a.txt: it is an address',
    )
    await expect(readText(join(folder, 'none'))).rejects.toThrow(/none: there is no such file or folder\.$/)
  })

  it('of text may have marks of UTF-8 and UTF-16, and is refused in another encoding', async () => {
    const path = join(folder, 'c.txt')
    const little = Buffer.from('\uFEFF{"a": "é"}', 'utf16le')
    for (const bytes of [Buffer.from('\uFEFF{"a": "é"}'), little, Buffer.from(little).swap16()]) {
      await writeFile(path, bytes)
      expect(await readText(path)).toBe('{"a": "é"}')
      expect(await readTextIfThere(path)).toBe('{"a": "é"}')
    }
    await writeFile(path, Buffer.from('é', 'latin1'))
    await expect(readText(path)).rejects.toThrow(`${path} is not UTF-8: save the file as UTF-8`)
    await expect(readTextIfThere(path)).rejects.toThrow('is not UTF-8')
    expect(await readTextIfThere(join(folder, 'none'))).toBeUndefined()
    await expect(readTextIfThere(folder)).rejects.toThrow('is not a regular file')
  })

  it('that cannot be read is named, with the reason', async () => {
    const missing = join(folder, 'missing')
    for (const read of [readText, readData, readJson]) {
      await expect(read(missing)).rejects.toThrow(UserError)
      await expect(read(missing)).rejects.toThrow(`Cannot read ${missing}: there is no such file or folder.`)
    }
    await mkdir(join(folder, 'inner'))
    await expect(readText(join(folder, 'inner'))).rejects.toThrow(
      `Cannot read ${join(folder, 'inner')}: it is a folder, where a file is needed.`,
    )
  })

  it('that is not JSON is named, with the place', async () => {
    const path = join(folder, 'b.json')
    await writeFile(path, '{"a": ')
    await expect(readJson(path)).rejects.toThrow(UserError)
    await expect(readJson(path)).rejects.toThrow(`${path} is not JSON: `)
  })
})
