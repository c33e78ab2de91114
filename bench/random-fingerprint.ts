import type { Random } from '../src/base/random.js'
import { fingerprintLayout } from '../src/rows/fingerprint.js'

/** A fingerprint as it could be, of a picture that is none. */
export function fillRandom(print: Uint32Array, draw: Random): void {
  const { keypoints, side } = fingerprintLayout
  const place = () => 36 + draw.integer(4 * side - 72)
  for (let at = 0; at < print.length; at++) print[at] = draw.integer(2 ** 32)
  for (let at = 1; at < 2 * keypoints; at += 2)
    print[at] = ((print[at]! & 0xffff0000) | place() | (place() << 8)) >>> 0
}
