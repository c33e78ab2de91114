import { stat } from 'node:fs/promises'
import type { Storage } from '../../storage/storage.js'
import type { Pipeline } from '../stages/pipeline-config.js'
import { isLiving, type KnownPresence } from './read-presences.js'
import { lastPipeline, pipelineFolder, readStoredPipeline } from './stored-pipeline.js'

/** A laid-out pipeline of a run, under its hash. */
export interface RunPipeline {
  readonly hash: string
  readonly pipeline: Pipeline
}

/**
 * The pipeline that a run is of: that of the process which said something last, those that live first; where
 * none has, the one that the run was begun with last, whatever the clocks say. Of a run of an older version it is the
 * one that was stored last, so far as the storage can tell.
 */
export async function currentPipeline(
  run: Storage,
  presences: readonly KnownPresence[],
): Promise<RunPipeline | undefined> {
  const rank = (one: KnownPresence) => `${Number(isLiving(one))} ${one.beat}`
  const told = [...presences].sort((a, b) => (rank(a) < rank(b) ? 1 : -1)).map(({ pipeline }) => pipeline)
  const last = await lastPipeline(run)
  const names = (await run.list(pipelineFolder)).filter((name) => name.endsWith('.json'))
  const dated = await Promise.all(names.map(async (name) => ({ name, time: await storedAt(run, name) })))
  const stored = dated
    .sort((a, b) => b.time - a.time)
    .map(({ name }) => name.slice(name.lastIndexOf('/') + 1, -'.json'.length))
  for (const hash of new Set([...told, ...(last === undefined ? [] : [last]), ...stored])) {
    // One that is damaged, or was taken away, is not the only one there may be.
    const pipeline = stored.includes(hash) && (await readStoredPipeline(run, hash).catch(() => undefined))
    if (pipeline) return { hash, pipeline }
  }
  return undefined
}

const storedAt = async (run: Storage, name: string): Promise<number> =>
  run.isLocal
    ? stat(run.path(name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      )
    : 0
