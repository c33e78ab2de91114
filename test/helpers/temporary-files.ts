import { chmod, mkdir, mkdtemp, readdir, readFile, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sharedFolder } from './made-once.js'

/** Where files lie in memory, on Linux. */
const inMemory = '/dev/shm'
/** Bytes that must be free there: a run of all tests has 150 MB at once. */
const room = 2 ** 30
const prefix = 'groundmill-tests-'
let folder = ''

/**
 * The folder for temporary files: in memory where there is room. The program has every file that it writes synced,
 * which a disk takes milliseconds for, and tests write tens of thousands.
 */
async function place(): Promise<string> {
  if (process.env.TMPDIR !== undefined) return tmpdir()
  const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '')
  const [, options = 'noexec'] = / \/dev\/shm tmpfs (\S+)/.exec(mounts) ?? []
  // Tests start programs that they write.
  if (options.split(',').includes('noexec')) return tmpdir()
  const { bavail, bsize } = await statfs(inMemory)
  return Math.min(bavail * bsize, process.availableMemory()) > room ? inMemory : tmpdir()
}

const lives = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes what runs have left that were killed. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? []
    if (pid !== undefined && !lives(Number(pid)))
      await rm(join(parent, name), { recursive: true, force: true })
  }
}

/** All temporary files of a run of tests lie in one folder, which goes away whatever a test has left there. */
export async function setup(): Promise<void> {
  const parent = await place()
  await sweep(parent)
  folder = await mkdtemp(join(parent, `${prefix}${process.pid}-`))
  // A test reads in it as another user.
  await chmod(folder, 0o755)
  await mkdir(sharedFolder(folder))
  // The processes of the tests, and theirs, are started later and inherit it.
  process.env.TMPDIR = folder
}

export async function teardown(): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
