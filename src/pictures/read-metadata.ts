import sharp, { type Metadata } from 'sharp'

/**
 * What the header of a picture says. Its size is for others to judge, and its small faults are the decoder's
 * business.
 *
 * @throws where there is no header
 */
export const readMetadata = (bytes: Uint8Array): Promise<Metadata> =>
  sharp(bytes, { limitInputPixels: false, failOn: 'none' }).metadata()
