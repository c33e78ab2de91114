import { chmod, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { temporaryFolder } from './temporary-folder.js'

/** An environment with a program on its PATH that does what a few lines of bash say. */
export async function standIn(name: string, lines: string): Promise<NodeJS.ProcessEnv> {
  const bin = await temporaryFolder()
  await writeFile(join(bin, name), `#!/usr/bin/env bash\n${lines}\n`)
  await chmod(join(bin, name), 0o755)
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
}
