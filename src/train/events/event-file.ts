import { appendFile, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../base/files/write-file-atomic.js'
import { encodeEvent, fileVersion, type TrainEvent, timeOfEvent } from './event-proto.js'
import { frameRecord, readRecords } from './event-records.js'

/** The scalars of a step, by the names under which TensorBoard shows them. */
export interface StepScalars {
  readonly step: number
  readonly scalars: Readonly<Record<string, number>>
}

/** A log that TensorBoard reads while it is written. */
export interface EventFile {
  readonly path: string
  add(step: StepScalars): Promise<void>
}

const namePattern = /^events\.out\.tfevents\.(\d{10,15})\.groundmill$/

/**
 * Begins the event file of a folder. A training that goes on begins a new one, with the steps that are kept at the times
 * that earlier files give them: any reader finds each step once, and a TensorBoard that has read earlier ones drops what
 * it has of them, since the file says that a run begins at step 0.
 *
 * @param texts in Markdown, by their names
 */
export async function openEventFile(
  folder: string,
  kept: readonly StepScalars[],
  texts: Readonly<Record<string, string>>,
): Promise<EventFile> {
  const earlier = await eventFiles(folder)
  const times = new Map<number, number>()
  for (const { name } of earlier)
    for (const record of readRecords(await readFile(join(folder, name)))) {
      const event = timeOfEvent(record)
      if (event && event.step > 0) times.set(event.step, event.time)
    }
  const now = Date.now() / 1000
  // Readers take files in the order of their names.
  const second = Math.max(Math.floor(now), ...earlier.map(({ second }) => second + 1))
  const path = join(folder, `events.out.tfevents.${String(second).padStart(10, '0')}.groundmill`)
  const begun = Math.min(now, ...times.values())
  const first: TrainEvent[] = [
    { time: begun, step: 0, what: { version: fileVersion } },
    { time: begun, step: 0, what: { start: true } },
    ...Object.entries(texts).map(
      ([tag, text]): TrainEvent => ({ time: begun, step: 0, what: { tag, text } }),
    ),
    ...kept.map(
      ({ step, scalars }): TrainEvent => ({ time: times.get(step) ?? now, step, what: { scalars } }),
    ),
  ]
  await writeFileAtomic(path, Buffer.concat(first.map(bytesOf)))
  // A TensorBoard that follows a file which is removed never looks for the next one: it stays, empty.
  for (const { name } of earlier.slice(-1)) await truncate(join(folder, name))
  for (const { name } of earlier.slice(0, -1)) await rm(join(folder, name), { force: true })
  return {
    path,
    async add({ step, scalars }) {
      await appendFile(path, bytesOf({ time: Date.now() / 1000, step, what: { scalars } }))
    },
  }
}

const bytesOf = (event: TrainEvent) => frameRecord(encodeEvent(event))

/** The event files of a folder, in the order of their names. */
async function eventFiles(folder: string) {
  const names = await readdir(folder).catch(() => [])
  return names.sort().flatMap((name) => {
    const second = namePattern.exec(name)?.[1]
    return second === undefined ? [] : [{ name, second: Number(second) }]
  })
}
