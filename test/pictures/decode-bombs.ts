/** Prints what becomes of every picture that is made to take a machine, and the milliseconds of each. */
import { imageConfig } from '../../src/ingest/image/image-config.js'
import { normaliseImage } from '../../src/ingest/image/normalise-image.js'
import { pictureBombs } from '../helpers/picture-bombs.js'

const config = imageConfig.parse({})
const outcomes: Record<string, string> = {}
for (const [name, bytes] of Object.entries(await pictureBombs())) {
  outcomes[name] = await normaliseImage(bytes, 'p', config).then(
    ({ width, height }) => `${width} x ${height}`,
    ({ reason, message }) => String(reason ?? message),
  )
}
console.log(JSON.stringify(outcomes))
