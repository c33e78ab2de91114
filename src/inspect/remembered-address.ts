import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { asidePath } from '../base/files/write-file-atomic.js'
import { hashBytes } from '../base/hash.js'
import { openStorage } from '../storage/open-storage.js'

/** The token and the port of the page over a dataset, so that a link to it is good after the next start. */
export interface RememberedAddress {
  readonly token: string
  /** The port that it had; null where it had none yet. */
  readonly port: number | null
  /** Why there is a new token where there was one; null where there is nothing to say. */
  readonly note: string | null
  /** Keeps token and port for the next start. Throws an Error where that cannot be written. */
  keep(port: number | null): Promise<void>
}

const schema = z.object({
  token: z.string().regex(/^[\w-]{32,64}$/),
  port: z.int().min(1).max(65535).nullable(),
})

const newToken = () => randomBytes(24).toString('base64url')

/**
 * What is remembered of the page over a dataset: a file of the user's own in the folder of states, never in the
 * dataset, which others may read.
 *
 * @param renew whether the token is a new one in any case
 * @param folder of the user's states; by default as XDG has it
 */
export async function rememberedAddress(
  dataset: string,
  renew = false,
  folder: string = stateFolder(),
): Promise<RememberedAddress> {
  const { url, isLocal } = openStorage(dataset)
  const name = isLocal ? await realpath(url).catch(() => url) : url
  const path = join(folder, 'groundmill', 'inspect', `${hashBytes(name).slice(0, 32)}.json`)
  const found = await readOwn(path)
  const known = typeof found === 'object' ? found : null
  const token = known && !renew ? known.token : newToken()
  return {
    token,
    port: known?.port ?? null,
    note: found === 'open' ? `${path} could be read by others: the address has a new token.` : null,
    keep: (port) => writeOwn(path, `${JSON.stringify({ dataset: name, token, port })}\n`),
  }
}

function stateFolder(): string {
  const { XDG_STATE_HOME: given = '' } = process.env
  return isAbsolute(given) ? given : join(homedir(), '.local', 'state')
}

/** What a file says that is the user's and nobody else's; `open` where others could read it, null where there is none. */
async function readOwn(path: string): Promise<z.infer<typeof schema> | 'open' | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { mode, uid } = await file.stat()
      if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) return 'open'
      const parsed = schema.safeParse(JSON.parse(await file.readFile('utf8')))
      return parsed.success ? parsed.data : null
    } finally {
      await file.close()
    }
  } catch {
    // Not there, or not what was written: a new one takes its place.
    return null
  }
}

/** Writes a file that nobody else can read, from its first byte on. */
async function writeOwn(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const aside = asidePath(path)
  try {
    const file = await open(aside, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}
