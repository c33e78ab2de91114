import type { Device } from '../graph/device.js'
import type { SessionPool } from '../graph/session-pool.js'
import type { SizeMode } from './config.js'
import type { Teacher } from './teacher.js'

/** A model folder of a known family, its files found and its devices chosen. */
export interface FamilyFolder {
  readonly path: string
  /** The `model_type` of `config.json`. */
  readonly kind: string
  /** The model, or its parts: for OWL and YOLO-World then the one that reads words, for SAM 3 that and the one that finds. */
  readonly files: readonly [string, ...string[]]
  readonly options: {
    readonly name?: string
    readonly threads?: number
    readonly devices: readonly Device[]
    readonly batch: number
    readonly openSizes: number
    readonly sizes: SizeMode | 'auto'
  }
}

/** What a folder that was read is opened with. */
export interface FamilyOpening {
  readonly hash: string
  readonly notice: (text: string) => void
  /** Opens sessions of a file of the folder; where the folder is refused, they are closed. */
  readonly openPool: typeof SessionPool.open
}

/** Opens the sessions of a folder whose configuration was read. Throws a UserError where its model does not fit it. */
export type OpenFamily = (opening: FamilyOpening) => Promise<Teacher>

/**
 * Reads and checks all files of a folder but its model, so that what is wrong in them is said before the first session
 * is opened. Throws a UserError that names the file and the key.
 */
export type ReadFamily = (folder: FamilyFolder) => Promise<OpenFamily>
