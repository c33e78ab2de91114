import { hashBytes } from '../../src/base/hash.js'
import type { RunRecord } from '../../src/pipeline/records/run-record.js'
import type { Storage } from '../../src/storage/storage.js'

/** The record of what a task has left in a run. */
export const runRecord = (changes: Partial<RunRecord<unknown>> = {}): RunRecord<unknown> => ({
  ...{ stage: 's', configHash: 'c', inputs: {}, result: {}, seconds: 1 },
  createdAt: '2026-01-01T00:00:00.000Z',
  ...changes,
})

/** Writes files of a run and a record of its that names them. */
export async function putRunRecord(
  run: Storage,
  name: string,
  files: Readonly<Record<string, string>> = {},
  changes: Partial<RunRecord<unknown>> = {},
): Promise<void> {
  const hashes: Record<string, string> = {}
  for (const [file, text] of Object.entries(files)) {
    await run.write(file, text)
    hashes[file] = hashBytes(text)
  }
  const record = runRecord({ ...(Object.keys(files).length > 0 && { files: hashes }), ...changes })
  await run.write(name, `${JSON.stringify(record, null, 1)}\n`)
}
