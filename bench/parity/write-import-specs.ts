/**
 * Writes names and PyTorch shapes of the tiny official network for glip_checkpoint.py:
 * `tsx write-import-specs.ts FILE`.
 */
import { writeFileSync } from 'node:fs'
import { tinyOfficialSpecs } from '../../test/helpers/tiny-official.js'

const shapes = tinyOfficialSpecs.map(({ name, torchShape }) => [name, torchShape])
writeFileSync(process.argv[2]!, JSON.stringify(shapes))
