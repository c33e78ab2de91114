import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import { temporaryFolder } from './temporary-folder.js'

/**
 * Has processes of this file that make tasks be `scripted-child.js`. The program itself lies compiled beside what
 * starts it, which tests of the sources do not have.
 */
export async function scriptChildren(): Promise<void> {
  const program = resolve('test/helpers/scripted-child.js')
  // Before its program Node loads this, which gives it another one.
  const preload = `const { Module } = require('node:module')
const { runMain } = Module
Module.runMain = (main = process.argv[1]) => runMain(/task-child\\.js$/.test(main) ? ${JSON.stringify(program)} : main)
`
  const file = join(await temporaryFolder(), 'preload.cjs')
  await writeFile(file, preload)
  const before = process.env.NODE_OPTIONS
  process.env.NODE_OPTIONS = `--require ${JSON.stringify(file)}`
  afterAll(() => {
    if (before === undefined) delete process.env.NODE_OPTIONS
    else process.env.NODE_OPTIONS = before
  })
}
