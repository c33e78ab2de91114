import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll } from 'vitest'
import { temporaryFolder } from './temporary-folder.js'

/**
 * Has processes of this file that make tasks be `scripted-child.js`. The program itself lies compiled beside what
 * starts it, which tests of the sources do not have.
 */
export async function scriptChildren(): Promise<void> {
  const program = pathToFileURL(resolve('test/helpers/scripted-child.js')).href
  // Node's own hook.
  const hooks = `export const resolve = (specifier, context, next) =>
    next(/task-child\\.js$/.test(specifier) ? ${JSON.stringify(program)} : specifier, context)`
  const file = join(await temporaryFolder(), 'hook.mjs')
  const source = `data:text/javascript,${encodeURIComponent(hooks)}`
  await writeFile(file, `import { register } from 'node:module'\nregister(${JSON.stringify(source)})\n`)
  const before = process.env.NODE_OPTIONS
  process.env.NODE_OPTIONS = `--import ${pathToFileURL(file).href}`
  afterAll(() => {
    if (before === undefined) delete process.env.NODE_OPTIONS
    else process.env.NODE_OPTIONS = before
  })
}
