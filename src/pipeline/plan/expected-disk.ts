import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CommitRecord } from '../../shards/commit.js'
import type { Stage } from '../stages/pipeline-config.js'
import type { StageContext } from '../stages/stage-context.js'
import type { ExpectedWork, StageKind } from '../stages/stage-kind.js'
import { sum } from './looked.js'
import type { Disk } from './run-plan.js'

/**
 * What a stage will take on the disk: as much a picture as the shards of it that are there; where there are none, what
 * its kind says.
 *
 * @param records of shards of the stage
 */
export async function expectedDisk(
  kind: StageKind,
  stage: Stage,
  context: StageContext,
  records: readonly Pick<CommitRecord, 'files' | 'family'>[],
  work: ExpectedWork,
): Promise<Disk> {
  if (work.pictures === 0 && kind.makes === 'shards') return { bytes: 0, from: 'measured' }
  const rows = sum(records.map(({ family, files }) => files[family]?.rows ?? 0))
  if (rows > 0) {
    const bytes = sum(records.flatMap(({ files }) => Object.values(files).map((file) => file.bytes)))
    return { bytes: Math.round((bytes / rows) * work.pictures), from: 'measured' }
  }
  const estimate = await kind.estimate?.(stage, context, work).catch(() => undefined)
  if (!estimate) return { bytes: 0, from: 'typical' }
  return { ...estimate, bytes: Math.round(estimate.bytes) }
}

/** Bytes that are free where a folder is or will be; null where the system does not say. */
export async function freeBytes(folder: string): Promise<number | null> {
  for (let path = folder; ; path = dirname(path)) {
    const found = await statfs(path).catch(() => undefined)
    if (found) return found.bavail * found.bsize
    if (dirname(path) === path) return null
  }
}
