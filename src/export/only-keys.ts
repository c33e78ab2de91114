import { basename } from 'node:path'
import { counted } from '../base/counted.js'
import { readData } from '../base/files/read-file.js'
import { hashJson } from '../base/hash.js'
import { nameList, shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { readShard } from '../shards/read-shard.js'
import { isSelectionName, listSelections, parseKeys, readSelection } from '../shards/selections.js'
import type { ExportShard, ExportSource } from './export-rows.js'

/** The pictures that are exported where not all are. */
export interface OnlyKeys {
  /** As it was asked for; of a file its name. */
  readonly name: string
  readonly keys: ReadonlySet<string>
  /** Of the keys, whatever their order is. */
  readonly hash: string
}

/** What is said of the pictures that were asked for. */
export interface OnlyReport {
  readonly name: string
  readonly asked: number
  readonly found: number
  /** The first keys that are of no picture of the grounding. */
  readonly missing: readonly string[]
}

/** Missing keys that a report names. */
const mostMissing = 10

/**
 * Reads the keys of the pictures that are asked for.
 *
 * @param only the name of a selection of the dataset, or the path of a file of keys
 * @throws UserError where there is neither, or where it is no list of keys
 */
export async function readOnlyKeys(
  { storage }: Pick<ExportSource, 'storage'>,
  only: string,
): Promise<OnlyKeys> {
  const stored = await readSelection(storage, only)
  const keys = stored ?? parseKeys(await readFileOfKeys(storage, only), only)
  return { name: stored ? only : basename(only), keys: new Set(keys), hash: hashJson([...keys].sort()) }
}

async function readFileOfKeys(storage: ExportSource['storage'], path: string): Promise<Uint8Array> {
  try {
    return await readData(path)
  } catch (error) {
    const isMissing = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
    if (!isMissing || !isSelectionName(path)) throw error
    const names = (await listSelections(storage)).map(({ name }) => name)
    const list = names.length > 0 ? `it has: ${nameList(names)}` : 'it has none yet'
    throw new UserError(
      `${storage.url} has no selection "${path}", and there is no such file; ${list}. \`groundmill inspect\` stores selections.`,
    )
  }
}

/**
 * Looks for the pictures among those of the shards.
 *
 * @param onFound told where each is: its shard, and its row there, which is the same in all families
 * @throws UserError where none is there
 */
export async function findOnly(
  { storage, grounding }: Pick<ExportSource, 'storage' | 'grounding'>,
  shards: readonly Pick<ExportShard, 'shard'>[],
  { name, keys }: OnlyKeys,
  onFound: (place: { readonly shard: string; readonly row: number }) => void = () => {},
): Promise<OnlyReport> {
  const left = new Set(keys)
  for (const { shard } of shards) {
    if (left.size === 0) break
    let row = 0
    for await (const { key } of readShard(storage, 'images', null, shard, { columns: ['key'] })) {
      if (left.delete(key)) onFound({ shard, row })
      row++
    }
  }
  const missing = [...left]
  if (missing.length === keys.size)
    throw new UserError(
      `None of ${counted(keys.size, 'picture')} of ${name} is in ${storage.url} with grounding "${grounding}", such as ${nameList(missing.slice(0, 3))}: a key is that of the dataset's row, such as 000000012.`,
    )
  return {
    ...{ name, asked: keys.size, found: keys.size - missing.length },
    missing: missing.slice(0, mostMissing),
  }
}

/** How many of the pictures that were asked for are there. */
export function onlyText({ name, asked, found, missing }: OnlyReport): string {
  const text = `${found} of the ${asked} pictures of ${shownName(name)} are in the dataset`
  if (missing.length === 0) return text
  const more = asked - found - missing.length
  return `${text}; not found: ${nameList(missing)}${more > 0 ? ` and ${more} more` : ''}`
}
