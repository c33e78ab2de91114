import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { hashModelFiles } from '../../src/model/hash-model-files.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

it('the hash of a model folder is of its bytes, or of names and bytes, as records have it', async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'onnx'))
  await writeFile(join(folder, 'config.json'), '{}')
  await writeFile(join(folder, 'onnx/model.onnx'), 'weights')
  const paths = [join(folder, 'config.json'), join(folder, 'onnx/model.onnx')]
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  expect(await hashModelFiles(folder, paths, { withNames: false })).toBe(sha256('{}weights'))
  const named = '/config.json\0{}/onnx/model.onnx\0weights'
  expect(await hashModelFiles(folder, paths, { withNames: true })).toBe(sha256(named))
  const missing = hashModelFiles(folder, [join(folder, 'tokenizer.json')], { withNames: true })
  await expect(missing).rejects.toThrow(UserError)
  await expect(missing).rejects.toThrow(`${folder} is not a whole model folder: tokenizer.json is missing.`)
})
