import { hashJson } from '../base/hash.js'
import { jsonProblem } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import { anything, integer, list, nullable, object, pathName, record } from '../rows/record-shape.js'
import type { Storage } from '../storage/storage.js'

/**
 * Raised when older programs could misread what this one writes. 2: proposals have labels, without which
 * boxes of a detector with a fixed list would count for every phrase.
 */
export const SCHEMA_VERSION = 2

const fileName = 'dataset.json'

/** What `dataset.json` says: written once, when ingest has planned its shards. */
export interface DatasetInfo {
  readonly schemaVersion: number
  readonly name: string
  readonly card: Record<string, unknown> | null
  readonly shards: string[]
}

const datasetShape = object({
  schemaVersion: integer,
  // Names become paths.
  name: pathName,
  card: nullable(record(anything)),
  shards: list(pathName),
})

type Declared = Omit<DatasetInfo, 'schemaVersion'>

/** Writes `dataset.json` where there is none; whether it now says this. */
export async function createDataset(storage: Storage, info: Declared): Promise<boolean> {
  return storage.create(fileName, textOf(info))
}

/**
 * Writes `dataset.json` anew, for a source whose shards have changed, unless another process has changed it
 * since it was read.
 *
 * @param known what it said when the decision was made
 */
export async function replaceDataset(storage: Storage, known: DatasetInfo, info: Declared): Promise<boolean> {
  const before = await storage.readVersioned(fileName)
  if (!before || hashJson(parsed(before.bytes, storage.path(fileName))) !== hashJson(known)) return false
  return storage.swap(fileName, textOf(info), before.version)
}

const textOf = (info: Declared) => `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...info }, null, 2)}\n`

export async function isDataset(storage: Storage): Promise<boolean> {
  return storage.exists(fileName)
}

/** Throws a UserError where the file is missing, malformed, or of a newer version than this program. */
export async function readDataset(storage: Storage): Promise<DatasetInfo> {
  const where = storage.path(fileName)
  const bytes = await storage.read(fileName)
  if (!bytes)
    throw new UserError(`${storage.url} is not a dataset: ${where} is missing. Run an ingest stage first.`)
  return parsed(bytes, where)
}

function parsed(bytes: Uint8Array, where: string): DatasetInfo {
  const text = Buffer.from(bytes).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UserError(
      `${where} is not JSON (${jsonProblem(text, error)}): delete it and run the ingest stage again; its shards are kept.`,
    )
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion
  if (typeof version === 'number' && version > SCHEMA_VERSION) {
    throw new UserError(
      `${where} has schema version ${version}, this groundmill reads up to ${SCHEMA_VERSION}: update groundmill.`,
    )
  }
  const problem = datasetShape(value, '')
  if (problem === undefined) {
    const { schemaVersion, name, card, shards } = value as DatasetInfo
    return { schemaVersion, name, card, shards }
  }
  throw new UserError(`${where}: ${problem}: delete it and run the ingest stage again; its shards are kept.`)
}
