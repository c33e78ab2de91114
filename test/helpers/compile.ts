import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Where the compiled program lies for tests, beside `src`: what comes with the package (`datasets`, `assets`)
 * is found from there as from `dist`.
 */
export const compiled = '.test-dist'

/** The command line as a user runs it. */
export const compiledMain = join(compiled, 'cli/main.js')

/** Compiles the program once for all tests: to start it from its sources takes more than twice the time. */
export async function setup(): Promise<void> {
  await rm(compiled, { recursive: true, force: true })
  const tsc = promisify(execFile)('node_modules/.bin/tsc', [
    '-p',
    'tsconfig.build.json',
    '--outDir',
    compiled,
  ])
  await tsc.catch(({ message, stdout }: { message: string; stdout: string }) => {
    throw new Error(`${message}\n${stdout}`)
  })
}

export async function teardown(): Promise<void> {
  await rm(compiled, { recursive: true, force: true })
}
