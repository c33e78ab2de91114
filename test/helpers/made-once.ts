import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoize } from '../../src/base/memoize.js'

/**
 * A folder that is made when it is first asked for, once for all test files of a process, which copy it and leave it
 * as it is.
 */
export const madeOnce = (make: (folder: string) => Promise<void>): (() => Promise<string>) =>
  memoize(async () => {
    const own = await mkdtemp(join(tmpdir(), 'groundmill-once-'))
    process.once('exit', () => rmSync(own, { recursive: true, force: true }))
    const folder = join(own, 'made')
    await make(folder)
    return folder
  })
