import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let folder = ''

/** All temporary files of a run of tests lie in one folder, which goes away whatever a test has left there. */
export async function setup(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'groundmill-tests-'))
  // A test reads in it as another user.
  await chmod(folder, 0o755)
  // The processes of the tests, and theirs, are started later and inherit it.
  process.env.TMPDIR = folder
}

export async function teardown(): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
