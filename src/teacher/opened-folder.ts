import type { Device } from '../graph/device.js'
import type { SessionPool } from '../graph/session-pool.js'
import type { SizeMode } from './config.js'

/** A model folder of a known family, its files found and its devices chosen. */
export interface OpenedFolder {
  readonly path: string
  /** The `model_type` of `config.json`. */
  readonly kind: string
  /** The model, and for OWL in two parts the one that reads words. */
  readonly files: readonly [string, ...string[]]
  readonly hash: string
  readonly options: {
    readonly name?: string
    readonly threads?: number
    readonly devices: readonly Device[]
    readonly batch: number
    readonly openSizes: number
    readonly sizes: SizeMode | 'auto'
  }
  readonly notice: (text: string) => void
  /** Opens sessions of a file of the folder; where the folder is refused, they are closed. */
  readonly openPool: typeof SessionPool.open
}
