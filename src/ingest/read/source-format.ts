import type { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import type { Source } from './source.js'

/** A format that sources come in: what each file of `sources/` exports. */
export interface SourceFormat<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string
  /** The keys that a stage with this format has; see `sourceSchema`. */
  readonly schema: Schema
  /** Whether its files are read whole before the first row is known. */
  readonly isWhole?: boolean
  /** Whether its `path` may be of a bucket or of the Hub; else it reads files of this machine alone. */
  readonly isRemote?: boolean
  /** What its files end in, where a path may be a folder of them. */
  readonly endings?: readonly string[]
  /**
   * Whether rows come with boxes: then ingest writes phrases, grounding and negatives beside the
   * images.
   */
  hasBoxes(config: z.infer<Schema>): boolean
  /**
   * Opens the source. Files are read when rows are.
   *
   * @throws UserError where the configuration lacks a path that is needed
   */
  open(config: z.infer<Schema>): Source
}

/** The path of a source, which a stage or its card must give. */
export function requirePath({ format, path }: { readonly format: string; readonly path?: string }): string {
  if (path) return path
  throw new UserError(`An ingest stage of format ${format} needs \`path\`.`)
}
