import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { importModelCommand } from '../../src/cli/import-model.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('import-model --sizes', () => {
  it.each([
    ['glip-t', '800x1344,800', /--sizes 800x1344,800: expected HEIGHTxWIDTH, with commas between/],
    ['glip-t', '800x1344,800x1333', /--sizes 800x1333: sizes of preset "glip-t" are multiples of 32/],
    ['toy', '96x128', /preset "toy" shows every picture on one square/],
  ])('of %s says what is wrong with %s', async (preset, sizes, message) => {
    const out = join(await temporaryFolder(), 'model')
    const options = { out, preset, sizes, part: ['backbone'], batch: 1, set: [] }
    const error = await importModelCommand(['none.safetensors'], options).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UserError)
    expect((error as Error).message).toMatch(message)
  })
})
