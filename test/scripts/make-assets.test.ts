import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeAssets } from '../../scripts/make-assets.js'
import { packaged } from '../../src/base/files/packaged.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

async function contents(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(root.length), await readFile(file, 'base64')])),
  )
}

it('makes the committed assets from the packages they come from', async () => {
  await makeAssets(join(folder, 'assets'))
  const made = await contents(join(folder, 'assets'))
  expect(Object.keys(made).sort()).toEqual([
    '/fonts/LICENSE',
    '/fonts/RobotoMono_400Regular.ttf',
    '/fonts/RobotoMono_700Bold.ttf',
    '/icons/LICENSE',
    '/icons/icons.json',
  ])
  // Prompts are from no package.
  const committed = Object.entries(await contents(packaged('assets').replace(/\/$/, '')))
  expect(Object.fromEntries(committed.filter(([name]) => !name.startsWith('/prompts/')))).toEqual(made)
})
