import { z } from 'zod'
import { readListText } from '../base/files/read-file.js'
import { jsonOf } from '../base/files/read-json.js'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { firstIssue, inWords } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import type { Calibration, ReliabilityBin } from './rule/calibration.js'

/** What `groundmill calibrate` leaves: the map, and how it was measured. */
export interface CalibrationFile {
  readonly version: 1
  readonly teacher: string
  readonly calibration: Calibration
  /** Boxes that were judged. */
  readonly judged: number
  /**
   * Expected calibration error; `after` is of boxes that the map was not fitted on (two halves, each with the
   * other's).
   */
  readonly ece: { readonly before: number; readonly after: number }
  /** Of the scores as they were. */
  readonly bins: readonly ReliabilityBin[]
}

const shares = z.array(z.number().min(0).max(1)).min(1)
const rises = (values: readonly number[]) =>
  values.every((value, at) => value >= (values[at - 1] ?? -Infinity))
const fileSchema = z.object({
  version: z.literal(1),
  teacher: z.string(),
  calibration: z.discriminatedUnion('method', [
    z
      .object({ method: z.literal('isotonic'), scores: shares.refine(rises), shares: shares.refine(rises) })
      .refine(({ scores, shares: values }) => scores.length === values.length),
    z.object({ method: z.literal('temperature'), temperature: z.number().positive() }),
  ]),
  judged: z.number(),
  ece: z.object({ before: z.number(), after: z.number() }),
  bins: z.array(z.object({ count: z.number(), score: z.number(), right: z.number() })),
})

export async function writeCalibration(path: string, file: CalibrationFile): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(file, null, 1)}\n`)
}

/** Throws a UserError where the file is missing or is not what `groundmill calibrate` writes. */
export async function readCalibration(path: string): Promise<CalibrationFile> {
  const text = await readListText(path).catch((error: Error) => {
    throw new UserError(`The calibration: ${error.message}`)
  })
  const bad = (why: string) =>
    new UserError(`${path} is not a calibration (${why}): write it with \`groundmill calibrate\`.`)
  const value = jsonOf(text, path, 'write it with `groundmill calibrate`')
  const parsed = fileSchema.safeParse(value, inWords)
  if (parsed.success) return parsed.data
  const issue = firstIssue(parsed.error)
  throw bad(typeof value === 'object' && !Array.isArray(value) ? issue : `the file: ${issue}`)
}
