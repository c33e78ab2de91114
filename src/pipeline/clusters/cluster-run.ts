import { UserError } from '../../base/user-error.js'
import type { Segment } from './segments.js'

/** What the jobs of a cluster are to run, the same for every kind of cluster. */
export interface ClusterRun {
  /** Name of the pipeline; the names of its jobs begin with it. */
  readonly pipeline: string
  /** Where its file lies. */
  readonly path: string
  /** URL of the run. */
  readonly dataset: string
  /** `--set` options as they were given. */
  readonly set: readonly string[]
  /** How many slices a sliced job has, from 1. */
  readonly slices: number
  /** Most slices at once; all of them where it is undefined. */
  readonly limit?: number
  /** Processors of a job. */
  readonly cpus: number
  /** Memory of a job in MiB. */
  readonly memory: number
}

/** A file for a cluster, or the script that submits the others. */
export interface JobFile {
  readonly name: string
  readonly text: string
  readonly executable?: true
}

/**
 * Arguments of `groundmill` for a segment, without those that say which slice.
 *
 * @throws UserError where one holds a newline or a NUL, which job files cannot, or a URL with a password
 */
export function argumentsOf({ path, dataset, set }: ClusterRun, { last }: Segment): string[] {
  const args = ['run', path, '--dataset', dataset, ...repeated('--set', set), ...repeated('--only', last)]
  for (const arg of args) requirePlain(arg)
  return args
}

const repeated = (flag: string, values: readonly string[]) => values.flatMap((value) => [flag, value])

/** @throws UserError where a text cannot stand in a job file */
export function requirePlain(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is refused
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw new UserError(
      `${JSON.stringify(text)}: a job file cannot hold a newline or another control character.`,
    )
  requireNoPassword(text)
}

/** @throws UserError where a text holds a URL with a user and a password: job files are read by many */
export function requireNoPassword(text: string): void {
  const [, scheme] = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']*:[^\s/@"']*@/i.exec(text) ?? []
  if (scheme !== undefined)
    throw new UserError(
      `A URL ${scheme}… holds a password, and job files are no place for one: give it to the jobs by their environment.`,
    )
}

/** The stages of a segment in words, such as `web (ingest), phrases (chunk)`. */
export const describeStages = ({ stages }: Segment): string =>
  stages.map(({ name, uses }) => `${name} (${uses})`).join(', ')

/** Number and name of a segment's file, so that a listing has them in order. */
export function fileName(index: number, count: number, { name }: Segment, suffix: string): string {
  return `${String(index + 1).padStart(Math.max(2, String(count).length), '0')}-${name}.${suffix}`
}
