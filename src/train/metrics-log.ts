import { appendFile, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'

/** What a step gives: the means of the losses of its batch, by name, and how it was taken. */
export interface StepLosses {
  readonly step: number
  readonly loss: number
  readonly learning_rate: number
  /** L2 norm before it was clipped. */
  readonly gradient_norm: number
  readonly [term: string]: number
}

/** A line of a metrics file. */
export interface StepMetrics extends StepLosses {
  /** Duration of the step. */
  readonly seconds: number
  /** How much of that the step waited for its pictures. */
  readonly data_seconds: number
}

/** The metrics of a training, in memory and in a file of one line a step. */
export interface MetricsLog {
  readonly lines: readonly StepMetrics[]
  add(line: StepMetrics): Promise<void>
}

/** Opens a file with what an earlier run wrote of the first `steps` steps; later ones will be made again. */
export async function openMetricsLog(path: string, steps: number): Promise<MetricsLog> {
  const text = await readFile(path, 'utf8').catch(() => '')
  // The last line may have been cut short; one that is missing leaves a gap in the plot, no more.
  const kept = text.split('\n').slice(0, -1).slice(0, steps).filter(isLine)
  await writeFileAtomic(path, kept.map((line) => `${line}\n`).join(''))
  const lines = kept.map((line) => JSON.parse(line) as StepMetrics)
  return {
    lines,
    async add(line) {
      lines.push(line)
      await appendFile(path, `${JSON.stringify(line)}\n`)
    },
  }
}

const lineSchema = z.looseObject({ step: z.int().positive() }).catchall(z.number())

/** Whether a line is still what was written: one that is damaged leaves a gap too. */
function isLine(text: string): boolean {
  try {
    return lineSchema.safeParse(JSON.parse(text)).success
  } catch {
    return false
  }
}

/**
 * How fast a step went and which share of its time it waited for its pictures, as a progress line says it.
 */
export function speedNote({ seconds, data_seconds }: StepMetrics, batch: number): string {
  const waited = Math.round((100 * data_seconds) / seconds)
  return `${(batch / seconds).toFixed(0)} pictures/s, ${waited} % waiting for data`
}
