/**
 * The pictograms and fonts that come with groundmill, out of the packages they are from, with their licences:
 *
 *     npm run assets
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as materialIcons from '@mdi/js'
import { parse } from 'yaml'
import { packaged } from '../src/base/files/packaged.js'
import { recipeSchema } from '../src/world/recipe.js'

const fonts = ['400Regular/RobotoMono_400Regular.ttf', '700Bold/RobotoMono_700Bold.ttf']

/** Writes `icons/` with the pictograms that `datasets/toy.yaml` names, and `fonts/`, anew. */
export async function makeAssets(folder: string): Promise<void> {
  for (const name of ['icons', 'fonts']) await rm(join(folder, name), { recursive: true, force: true })
  await makeIcons(join(folder, 'icons'))
  await makeFonts(join(folder, 'fonts'))
}

async function makeIcons(folder: string): Promise<void> {
  // By the schema alone: readRecipe looks for the icons.
  const { concepts } = recipeSchema.parse(parse(await readFile(packaged('datasets/toy.yaml'), 'utf8')))
  const names = [...concepts.known, ...concepts.novel].map(({ icon }) => icon).sort()
  const paths = Object.fromEntries(names.map((name) => [name, iconNamed(name)]))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'icons.json'), `${JSON.stringify(paths, null, 2)}\n`)
  await cp(join(folderOf('@mdi/js'), 'LICENSE'), join(folder, 'LICENSE'))
}

function iconNamed(name: string): string {
  const path: unknown = Reflect.get(materialIcons, name)
  if (typeof path !== 'string') throw new Error(`@mdi/js has no icon "${name}"`)
  return path
}

async function makeFonts(folder: string): Promise<void> {
  const from = folderOf('@expo-google-fonts/roboto-mono')
  await mkdir(folder, { recursive: true })
  for (const file of fonts) await cp(join(from, file), join(folder, file.replace(/^.*\//, '')))
  await cp(join(from, 'LICENSE_FONT'), join(folder, 'LICENSE'))
}

function folderOf(name: string): string {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeAssets(resolve('assets'))
