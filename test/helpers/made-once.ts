import { rmSync } from 'node:fs'
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { memoize } from '../../src/base/memoize.js'

/** Where what all files of a run of tests share lies among its temporary files. */
export const sharedFolder = (temporary: string): string => join(temporary, 'shared')

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/** The folder that a run of tests shares; elsewhere one of this process. */
const place = memoize(async () => {
  const shared = sharedFolder(tmpdir())
  if (await isThere(shared)) return shared
  const own = await mkdtemp(join(tmpdir(), 'groundmill-shared-'))
  process.once('exit', () => rmSync(own, { recursive: true, force: true }))
  return own
})

/**
 * A folder that is made when it is first asked for, once for all files of a run of tests, which copy it and leave it as
 * it is.
 *
 * @param name one of its own
 */
export const madeOnce = (name: string, make: (folder: string) => Promise<void>): (() => Promise<string>) =>
  memoize(async () => {
    const folder = join(await place(), name)
    const [lock, begun] = [`${folder}.lock`, `${folder}.begun`]
    while (!(await isThere(folder))) {
      const isOurs = await mkdir(lock).then(
        () => true,
        () => false,
      )
      if (!isOurs) {
        await delay(20)
        continue
      }
      try {
        if (await isThere(folder)) continue
        await make(begun)
        await rename(begun, folder)
      } finally {
        await rm(begun, { recursive: true, force: true })
        await rm(lock, { recursive: true })
      }
    }
    return folder
  })
