import { mdiCat, mdiPaw } from '@mdi/js'
import { expect, it } from 'vitest'
import { iconPath } from '../../src/world/icon-path.js'

it('gives the path of an icon that comes with groundmill, and of any other where @mdi/js is installed', () => {
  expect(iconPath('mdiCat')).toBe(mdiCat)
  expect(iconPath('mdiPaw')).toBe(mdiPaw)
})

it('gives nothing for names that are no icons', () => {
  for (const name of ['mdiZebra', 'constructor', 'cat', 'mdi']) expect(iconPath(name)).toBeUndefined()
})
