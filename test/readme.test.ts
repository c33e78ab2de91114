import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { differingLine } from '../bench/newcomer/compare-output.js'
import { docBlocks } from '../bench/newcomer/doc-blocks.js'
import { type Followed, followDoc, runScript } from '../bench/newcomer/follow-doc.js'
import { compiled, compiledMain } from './helpers/compiled.js'
import { drawCoco, drawPhotos, writeDetector } from './helpers/drawn-photos.js'
import { temporaryFolder } from './helpers/temporary-folder.js'

const readme = await readFile('README.md', 'utf8')

/** As in a clone that was built: `npx` finds the program, and programs can import it. */
async function builtClone(folder: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(folder, 'bin')
  const module = join(folder, 'node_modules/groundmill')
  await mkdir(bin, { recursive: true })
  await mkdir(module, { recursive: true })
  await symlink(resolve('package.json'), join(module, 'package.json'))
  await symlink(resolve(compiled), join(module, 'dist'))
  await symlink(resolve('pipelines'), join(folder, 'pipelines'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const programs = `groundmill) program=${resolve(compiledMain)} ;; tsx) program=${resolve('node_modules/tsx/dist/cli.mjs')} ;;`
  await writeFile(
    join(bin, 'npx'),
    `#!/bin/sh\nname=$1; shift\ncase $name in ${programs} esac\nexec node "$program" "$@"\n`,
  )
  await chmod(join(bin, 'npx'), 0o755)
  // The page keeps its address with the user.
  return { PATH: `${bin}:${process.env.PATH}`, XDG_STATE_HOME: join(folder, 'state') }
}

/** What takes minutes is done for seconds, and what is there already is not installed. */
const shortened = (text: string) =>
  text
    .replace('npm ci && npm run build', 'true')
    // The page is built apart; test/inspect walks it.
    .replace(/^npx groundmill inspect.*$/m, 'true')
    .replace(/\bsteps=\d+/g, 'steps=2')
    .replace('own-rounds.yaml', 'own-rounds.yaml --set rounds.train.steps=2 --set rounds.train.image_size=64')

describe('README.md', () => {
  let followed: readonly Followed[]
  let place: { readonly folder: string; readonly env: NodeJS.ProcessEnv }
  beforeAll(async () => {
    const folder = await temporaryFolder()
    place = { folder, env: await builtClone(folder) }
    await drawPhotos(join(folder, 'photos'), 8)
    await drawCoco(join(folder, 'coco'), 12)
    await writeDetector(join(folder, 'detector'))
    followed = await followDoc(readme, { ...place, change: shortened })
  })

  it('gives commands that all run in a clean folder', () => {
    const failed = followed.filter(({ code }) => code !== 0)
    expect(failed.map(({ line, printed }) => `line ${line}: ${printed}`)).toEqual([])
    const commands = docBlocks(readme).filter(({ does }) => does === 'commands')
    expect(followed).toHaveLength(commands.length)
  })

  it('shows what they print, but for the numbers, which are of other photographs', () => {
    const others = followed.map(({ line, shown, printed }) => {
      const differs = shown === null ? null : differingLine(shown, printed, { anyNumbers: true })
      return differs === null ? null : `line ${line}: ${differs}\n${printed}`
    })
    expect(others.filter((other) => other !== null)).toEqual([])
  })

  it('prints from TypeScript what it says', async () => {
    const shown = /`npx tsx label\.ts` prints `([^`]+)`/.exec(readme)?.[1]
    const { printed } = await runScript('npx tsx label.ts', place)
    expect(printed.trim()).toBe(shown)
  })

  it('is short', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThan(160)
  })
})
