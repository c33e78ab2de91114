import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { transformWithEsbuild } from 'vite'
import { compiled, compiledProgram, programs } from './compiled.js'

/** Compiles one, beside the compiled program, of which it imports what it has of `src`. */
async function compileProgram(name: (typeof programs)[number]): Promise<void> {
  const source = await readFile(`test/${name}.ts`, 'utf8')
  const { code } = await transformWithEsbuild(source, `${name}.ts`, { target: 'node20', sourcemap: false })
  const path = compiledProgram(name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, code.replace(/((?:from |import\()")((?:\.\.\/)+)src\//g, '$1$2'))
}

/**
 * Compiles the program once for all tests, and theirs: to start one from its sources takes two to four times
 * the time.
 */
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
  await Promise.all(programs.map(compileProgram))
}

export async function teardown(): Promise<void> {
  await rm(compiled, { recursive: true, force: true })
}
