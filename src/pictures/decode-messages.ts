import type { Metadata } from 'sharp'

/** What a process that decodes is asked, one at a time. */
export type ToDecoder =
  /** To read the header of a picture, which is the one of the next `decode`. */
  | {
      readonly kind: 'open'
      readonly bytes: Uint8Array
      /** Of the processor, which the picture may take. */
      readonly seconds: number
    }
  | {
      readonly kind: 'decode'
      readonly module: string
      readonly name: string
      readonly options: unknown
      /** Bytes that it may take. */
      readonly memory: number
    }

/** What it answers. */
export type FromDecoder =
  | { readonly kind: 'opened'; readonly metadata: Metadata }
  | { readonly kind: 'decoded'; readonly result: unknown }
  /** With a reason where it is a PictureError. */
  | { readonly kind: 'failed'; readonly message: string; readonly reason?: string }
  /** It took more than it may, and is about to end itself. */
  | { readonly kind: 'over'; readonly reason: string; readonly message: string }
