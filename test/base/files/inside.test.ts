import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isInside } from '../../../src/base/files/inside.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

it('knows a folder that was asked for before, and looks again where it has become another', async () => {
  const base = await temporaryFolder()
  const at = (...parts: string[]) => join(base, ...parts)
  for (const name of ['first', 'second']) {
    await mkdir(at(name))
    await writeFile(at(name, 'a.jpg'), name)
  }
  await symlink('first', at('set'))
  expect(await isInside(at('set', 'a.jpg'), [at('set')])).toBe(true)
  expect(await isInside(at('second', 'a.jpg'), [at('set')])).toBe(false)
  await symlink('second', at('other'))
  await rename(at('other'), at('set'))
  expect(await isInside(at('set', 'a.jpg'), [at('set')])).toBe(true)
  expect(await isInside(at('first', 'a.jpg'), [at('set')])).toBe(false)
  expect(await isInside(at('second', 'a.jpg'), [at('none'), at('set')])).toBe(true)
  await rm(at('set'))
  expect(await isInside(at('second', 'a.jpg'), [at('set')])).toBe(true)
  expect(await isInside(at('first', 'a.jpg'), [at('set')])).toBe(false)
  expect(await isInside(at('second', 'a.jpg'), [at('set')])).toBe(false)
  await expect(isInside(at('set', 'a.jpg'), [at('set')])).rejects.toThrow('ENOENT')
})
