import { UserError } from '../base/user-error.js'
import { causeOf, openParquet, type ParquetFile } from '../parquet/open-parquet.js'
import type { Family } from '../rows/rows.js'
import { checkOwnFile } from '../storage/own-file.js'
import type { Storage } from '../storage/storage.js'
import { readCommit } from './commit.js'
import { damagedShard, type ExpectedFile, sizeDiffers, verifyFile } from './verify-file.js'
import type { ShardFile } from './write-shard.js'

/**
 * The file of a shard's family that its record names.
 *
 * @throws UserError where the family of that shard is not there, and as `readCommit` does
 */
export async function committedFile(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<ShardFile> {
  const file = (await readCommit(storage, family, stage, shard))?.files[family]
  if (file) return file
  throw new UserError(
    `${storage.url}: shard ${shard} of ${family}${stage ? ` "${stage}"` : ''} is not there: run its stage first.`,
  )
}

/** A shard's file that is open, and its local path or address. */
export interface OpenShard {
  readonly path: string
  readonly opened: ParquetFile
}

/**
 * Opens the file of a shard's family. Where another process has replaced it between the record and the file,
 * the record is read again.
 *
 * @throws UserError where the family of that shard is not there, and where its file is missing or not the one that
 *   the record speaks of
 */
export async function openCommitted(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<OpenShard> {
  const first = await committedFile(storage, family, stage, shard)
  try {
    return await opened(storage, first)
  } catch (error) {
    if (await storage.exists(first.path)) throw error
    const second = await committedFile(storage, family, stage, shard)
    if (second.path === first.path) throw withoutFile(storage, first)
    return opened(storage, second)
  }
}

async function opened(storage: Storage, file: ShardFile): Promise<OpenShard> {
  return { path: storage.path(file.path), opened: await openVerified(storage, file) }
}

/**
 * Opens a shard's file that is the one of its record: its size always, its bytes where this process reads it for the
 * first time (`verifyFile`).
 *
 * @throws UserError where it is missing, or not the file that the record speaks of
 */
export async function openVerified(storage: Storage, file: ExpectedFile): Promise<ParquetFile> {
  await checkOwnFile(storage, file.path)
  const path = storage.path(file.path)
  await verifyFile(storage, file)
  const opened = await openParquet(path).catch(async (error: unknown) => {
    if (!(await storage.exists(file.path))) throw error
    throw damagedShard(storage, path, causeOf(error))
  })
  if (opened.bytes === file.bytes) return opened
  await opened.close()
  throw damagedShard(storage, path, sizeDiffers(opened.bytes, file.bytes))
}

const withoutFile = (storage: Storage, { path }: ShardFile) =>
  new UserError(
    `Cannot read ${storage.path(path)}: a record names it, and it is not there. \`groundmill check --mend ${storage.url}\` mends its shard, and the next run makes anew what is gone.`,
  )
