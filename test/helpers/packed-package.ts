import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { compiled } from './compiled.js'
import { buildPage } from './serve-dataset.js'

const run = promisify(execFile)

export interface Manifest {
  readonly version: string
  readonly files: readonly string[]
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

export const readManifest = async (): Promise<Manifest> => JSON.parse(await readFile('package.json', 'utf8'))

/**
 * Puts the package together apart from the project's own `dist`, packs it as it is published, and unpacks it into
 * the `node_modules` of a new folder, with what it needs beside it.
 *
 * @param folder an empty one
 * @returns where the package lies, and the folder of a program that has it installed
 */
export async function installPacked(
  folder: string,
): Promise<{ readonly root: string; readonly app: string }> {
  const [stage, app] = [join(folder, 'stage'), join(folder, 'app')]
  const root = join(app, 'node_modules/groundmill')
  await mkdir(root, { recursive: true })
  const { files } = await readManifest()
  for (const file of ['package.json', ...files.filter((name) => name !== 'dist')])
    await cp(file, join(stage, file), { recursive: true })
  await cp(compiled, join(stage, 'dist'), { recursive: true })
  await cp(await buildPage(), join(stage, 'dist/inspect/page'), { recursive: true })
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json'], { cwd: stage })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await run('tar', ['-xzf', join(stage, filename), '-C', root, '--strip-components', '1'])
  await linkDependencies(join(app, 'node_modules'))
  return { root, app }
}

/** What `npm install` of the package would put beside it, by the lock file: links to the project's copies. */
async function linkDependencies(folder: string): Promise<void> {
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
    packages: Record<
      string,
      { readonly dev?: boolean; readonly devOptional?: boolean; readonly link?: boolean }
    >
  }
  for (const [path, { dev, devOptional, link }] of Object.entries(lock.packages)) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1]
    if (!name || dev || devOptional || link) continue
    await mkdir(dirname(join(folder, name)), { recursive: true })
    // A package for another system is not there.
    await symlink(join(process.cwd(), path), join(folder, name))
  }
}
