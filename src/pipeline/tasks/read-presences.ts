import { mapLimited } from '../../base/map-limited.js'
import { processState } from '../../base/process-identity.js'
import type { Storage } from '../../storage/storage.js'
import { runFolder } from '../records/run-folder.js'
import type { PresenceRecord } from './presence-record.js'

/** Folder of a run in which every process that works on it says what it does. */
export const presenceFolder = `${runFolder}/workers`

/** What a process said of itself, and whether it still works. */
export interface KnownPresence extends PresenceRecord {
  /** The file in the run. */
  readonly file: string
  /**
   * `ended` as it said itself, `dead` without a word, else `alive`; `silent` is alive so far as this machine
   * can see, and has said nothing for long.
   */
  readonly state: 'alive' | 'silent' | 'ended' | 'dead'
}

/** Whether a process still works, so far as can be told. */
export const isLiving = ({ state }: KnownPresence): boolean => state === 'alive' || state === 'silent'

/** A process of another machine of which nothing is heard for so long is taken for dead. */
export const deadAfterMs = 120_000
/** Files that are read, the names in their order: who watches a run of ten thousand workers sees some. */
export const mostPresences = 2000
const atOnce = 16

/**
 * Who works on a run, by what they have written: one list, and a read for each process. A file that is none
 * of them, or is gone when it is read, is left out.
 *
 * @param now in milliseconds, by which beats are judged
 */
export async function readPresences(run: Storage, now = Date.now()): Promise<KnownPresence[]> {
  const files = (await run.list(presenceFolder)).filter((file) => file.endsWith('.json'))
  const read = async (file: string): Promise<KnownPresence[]> => {
    const record = await parse(await run.read(file))
    return record ? [{ ...record, file, state: await stateOf(record, now) }] : []
  }
  return (await mapLimited(files.slice(0, mostPresences), read, atOnce)).flat()
}

/**
 * Who works on a run with another pipeline, in words; undefined where nobody does. A worker of a queue that has no
 * task is none: it waits for those of any run, and never ends by itself.
 */
export async function othersAtWork(run: Storage, pipeline: string): Promise<string | undefined> {
  const isAtWork = (one: KnownPresence) =>
    isLiving(one) && (one.kind !== 'queue-worker' || one.task !== undefined)
  const other = (await readPresences(run)).find((one) => isAtWork(one) && one.pipeline !== pipeline)
  return other && `process ${other.pid} on ${other.host} (since ${other.since})`
}

/** Removes what processes that are no more have left. */
export async function removeEnded(run: Storage): Promise<void> {
  for (const { file, state } of await readPresences(run))
    if (state === 'ended' || state === 'dead') await run.remove(file)
}

async function parse(bytes: Uint8Array | undefined): Promise<PresenceRecord | undefined> {
  if (!bytes) return undefined
  // Its schema takes longer to load than to look whether anybody is there.
  const { presenceRecord } = await import('./presence-record.js')
  try {
    return presenceRecord.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data
  } catch {
    return undefined
  }
}

async function stateOf(record: PresenceRecord, now: number): Promise<KnownPresence['state']> {
  if (record.ended !== undefined) return 'ended'
  const process = await processState(record)
  const isFresh = now - Date.parse(record.beat) < deadAfterMs
  if (process === 'elsewhere') return isFresh ? 'alive' : 'dead'
  if (process === 'gone') return 'dead'
  return isFresh ? 'alive' : 'silent'
}
