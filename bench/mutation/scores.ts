/** What came of the mutants of a folder or a room. */
import { relative } from 'node:path'
import type { Stryker } from '@stryker-mutator/core'
import { shareInterval } from '../../src/statistics/share-interval.js'

export type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number]

export interface Counts {
  /** Mutants that were tried: all but those left out. */
  readonly valid: number
  /** Noticed by a test that fails. */
  readonly killed: number
  /** Noticed since the tests do not end. */
  readonly timeout: number
  readonly survived: number
  /** Survivors that no test runs at all. */
  readonly uncovered: number
  /** Texts of messages, what runs once when a module is loaded, and mutants with which nothing can be run. */
  readonly left: number
  readonly seconds: number
}

export function count(results: readonly MutantResult[], seconds: number): Counts {
  const of = (...statuses: readonly string[]) =>
    results.filter(({ status }) => statuses.includes(status)).length
  const [killed, timeout, survived, uncovered] = [
    of('Killed'),
    of('Timeout'),
    of('Survived'),
    of('NoCoverage'),
  ]
  const valid = killed + timeout + survived + uncovered
  return { valid, killed, timeout, survived, uncovered, left: results.length - valid, seconds }
}

export function total(a: Counts | undefined, b: Counts): Counts {
  if (!a) return b
  return {
    valid: a.valid + b.valid,
    killed: a.killed + b.killed,
    timeout: a.timeout + b.timeout,
    survived: a.survived + b.survived,
    uncovered: a.uncovered + b.uncovered,
    left: a.left + b.left,
    seconds: a.seconds + b.seconds,
  }
}

/** Percent of the mutants that the tests noticed; 100 where there is none. */
export const scoreOf = ({ valid, killed, timeout }: Counts): number =>
  valid === 0 ? 100 : (100 * (killed + timeout)) / valid

/**
 * Percent between which the score of all mutants lies, of which these are a sample: Clopper and Pearson's interval
 * at 95 %. That the sample is a good part of a small room is not counted, so that it is rather too wide.
 */
export function intervalOf(counts: Counts): [number, number] {
  const [units, share] = [counts.valid, scoreOf(counts) / 100]
  const variance = (share * (1 - share)) / Math.max(1, units)
  const degrees = units - 1
  const [low, high] = shareInterval({ share, variance, units, independent: units, degrees })
  return [Math.round(1000 * low) / 10, Math.round(1000 * high) / 10]
}

/** Mutants that no test noticed, by file and line: the code as it is, and what it was changed to. */
export function survivorsText(results: readonly MutantResult[], read: (path: string) => string): string {
  const survivors = results.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
  const lines = survivors.map(({ fileName, location, replacement, status }) => {
    const source = read(fileName).split('\n')
    const { start, end } = location
    const isOneLine = start.line === end.line
    const line = source[start.line - 1] ?? ''
    const code = line.slice(start.column - 1, isOneLine ? end.column - 1 : undefined)
    const changed = replacement?.replace(/\s+/g, ' ') ?? ''
    const note = status === 'NoCoverage' ? ' (no test runs it)' : ''
    const was = isOneLine ? code : `${code} ...`
    return {
      fileName: relative('.', fileName),
      line: start.line,
      text: `${was} -> ${changed.slice(0, 120)}${note}`,
    }
  })
  lines.sort((a, b) => a.fileName.localeCompare(b.fileName) || a.line - b.line)
  return lines.map(({ fileName, line, text }) => `${fileName}:${line}  ${text}\n`).join('')
}
