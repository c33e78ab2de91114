import type { Metadata } from 'sharp'

/** What is made of a picture: so written that another process can do it, which imports the module. */
export interface DecodeWork<Options, Result> {
  /** `import.meta.url` of the module that exports it. */
  readonly module: string
  /** Under which name. */
  readonly name: string
  /**
   * Holds a picture against the limits of the options before it is decoded.
   *
   * @throws PictureError
   */
  readonly check?: (metadata: Metadata, options: Options) => void
  /** Options and result are data, which go from process to process. */
  readonly run: (bytes: Uint8Array, metadata: Metadata, options: Options) => Promise<Result>
}
