import type { Metadata } from 'sharp'

/** A picture as it is given to a decoder, and what a look at its bytes tells beforehand. */
export interface Bare {
  /** Without what says nothing of its pixels: profiles, comments, EXIF but for the orientation. */
  readonly bytes: Uint8Array
  /** How often a decoder goes over the whole picture. */
  readonly scans: number
  /** Whether a decoder may find more in it than its header says. */
  readonly isOdd: boolean
  /** What its header says, where it is so plain that no decoder need be asked for it. */
  readonly metadata?: Metadata
}
