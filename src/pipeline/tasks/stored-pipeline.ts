import { jsonOf } from '../../base/files/read-json.js'
import { canonicalJson, hashBytes } from '../../base/hash.js'
import { firstIssue, inWords } from '../../base/schema-words.js'
import { UserError } from '../../base/user-error.js'
import type { Storage } from '../../storage/storage.js'
import { runFolder } from '../records/run-folder.js'
import { laidOutSchema, type Pipeline } from '../stages/pipeline-config.js'

export const pipelineFolder = `${runFolder}/pipelines`

const nameOf = (hash: string) => `${pipelineFolder}/${hash}.json`

/** Whether a run's storage has the pipeline of a hash. */
export const hasStoredPipeline = (run: Storage, hash: string): Promise<boolean> => run.exists(nameOf(hash))

/** Says which pipeline a run was begun with last. */
const lastName = `${runFolder}/last-pipeline`

/**
 * Leaves a laid-out pipeline in a run's storage, under the SHA-256 of its bytes, which is returned, as the one that the
 * run was begun with last.
 */
export async function storePipeline(run: Storage, pipeline: Pipeline): Promise<string> {
  const { name, stages } = pipeline
  const text = canonicalJson({ name, stages })
  const hash = hashBytes(text)
  await run.create(nameOf(hash), text)
  if ((await lastPipeline(run)) !== hash) await run.write(lastName, `${hash}\n`)
  return hash
}

/** Hash of the pipeline that a run was begun with last; undefined where an older version began it. */
export async function lastPipeline(run: Storage): Promise<string | undefined> {
  const bytes = await run.read(lastName)
  return bytes && Buffer.from(bytes).toString('utf8').trim()
}

/**
 * The pipeline of a hash.
 *
 * @throws UserError where the run's storage does not have it, or has something else under that name
 */
export async function readStoredPipeline(run: Storage, hash: string): Promise<Pipeline> {
  const bytes = await run.read(nameOf(hash))
  if (!bytes)
    throw new UserError(
      `${run.url} has no pipeline ${hash}: it is not the folder that the run works in, or not seen from this machine.`,
    )
  if (hashBytes(bytes) !== hash)
    throw new UserError(`${run.path(nameOf(hash))} is damaged: delete it, and start the run again.`)
  return parsePipelineText(bytes, run.path(nameOf(hash)))
}

/** A laid-out pipeline of a file. Throws a UserError where it is none. */
export function parsePipelineText(bytes: Uint8Array, path: string): Pipeline {
  const remedy = 'delete it, and start the run again'
  const value = jsonOf(Buffer.from(bytes).toString('utf8'), path, remedy)
  const { error } = laidOutSchema.safeParse(value, inWords)
  if (error) throw new UserError(`${path} is no pipeline (${firstIssue(error)}): ${remedy}.`)
  // As it was stored: hashes go by it.
  return value as Pipeline
}
