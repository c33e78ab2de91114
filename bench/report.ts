/** What a benchmark prints: a table to read, or with --json one object. */
import { readFile } from 'node:fs/promises'
import { formatTable } from '../src/cli/terminal/format-table.js'

export interface Figure {
  /** null where it could not be measured; `note` says why. */
  readonly value: number | null
  readonly unit: string
  /** What was aimed at, such as "<= 1"; empty for what is only reported. */
  readonly goal: string
  readonly met: boolean | null
  readonly note?: string
}

/** Gathers figures, each under its name, in the order in which they are told. */
export function gatherFigures() {
  const figures: Record<string, Figure> = {}
  const report = (
    name: string,
    value: number | null,
    unit: string,
    goal = '',
    met: boolean | null = null,
    note?: string,
  ) => {
    figures[name] = { value, unit, goal, met, ...(note && { note }) }
  }
  return { figures, report }
}

export function printReport(bench: string, runs: number, figures: Readonly<Record<string, Figure>>): void {
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ bench, runs, figures })}\n`)
    return
  }
  const rows = Object.entries(figures).map(([name, { value, unit, goal, met, note }]) => [
    name,
    value === null ? '-' : Number(value.toPrecision(4)),
    unit,
    goal,
    met === null ? '' : met ? 'met' : 'not met',
    note ?? '',
  ])
  process.stdout.write(
    `${bench}, ${runs} runs\n\n${formatTable(['figure', 'value', 'unit', 'goal', '', 'note'], rows)}\n`,
  )
}

/** With `--help`: prints what the first comment of a program's file says, and ends it. */
export async function printHelp(url: string): Promise<void> {
  if (!process.argv.includes('--help')) return
  const [comment = ''] = /\/\*\*.*?\*\//s.exec(await readFile(new URL(url), 'utf8')) ?? []
  const lines = comment.split('\n').slice(1, -1)
  process.stdout.write(`${lines.map((line) => line.replace(/^ \* ?/, '')).join('\n')}\n`)
  process.exit()
}

/** The value of `--name value` on the command line. */
export function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? fallback : (process.argv[at + 1] ?? fallback)
}

/** Ends the script with what it lacks, as a command that is told nothing it can do. */
export function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** The lowest and the highest, for a note. */
export const spread = (values: readonly number[], digits: number): string =>
  `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
