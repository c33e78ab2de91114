import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { add } from '../../src/graph/ops/elementwise.js'
import { input, parameter } from '../../src/graph/ops/tensor.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { checkOnnxFile } from '../../src/weights/check-onnx-file.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const path = join(folder, 'model.onnx')
const weights = join(folder, 'model.safetensors')
const numbers = 30_000
const sum = add(input('x', [numbers]), parameter('w', [numbers], { kind: 'constant', value: 0 }))
const graph = (data: unknown) => toOnnx({ outputs: { sum }, parameters: () => data as never })

it('a whole model is right, with its weights within it or beside it, and cut at any byte it is not', async () => {
  const whole = Buffer.from(graph(new Float32Array(numbers)))
  await writeFile(path, whole)
  await checkOnnxFile(path)
  // Every end of what stands behind the weights, and some within them.
  for (const length of [
    0,
    1,
    30,
    70_000,
    ...Array.from({ length: 40 }, (_, cut) => whole.length - 40 + cut),
  ]) {
    await writeFile(path, whole.subarray(0, length))
    await expect(checkOnnxFile(path), `${length}`).rejects.toThrow('is cut short, or is no ONNX model')
  }
  for (const text of [
    'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
    '<!doctype html>',
    '{}',
  ]) {
    await writeFile(path, text)
    await expect(checkOnnxFile(path)).rejects.toThrow('is no ONNX model')
  }
  await writeFile(path, graph({ location: 'model.safetensors', offset: 8, length: 4 * numbers }))
  expect((await readFile(path)).length).toBeLessThan(1000)
  await expect(checkOnnxFile(path)).rejects.toThrow('keeps its weights in model.safetensors beside it')
  await writeFile(weights, new Uint8Array(8 + 4 * numbers))
  await checkOnnxFile(path)
  await truncate(weights, 4 * numbers)
  await expect(checkOnnxFile(path)).rejects.toThrow(
    `model.safetensors is cut short: it has 120000 bytes, and ${path} reads 120008 of it`,
  )
  // Another's model would have files read that are none of it.
  for (const location of ['../model.safetensors', '/etc/passwd', 'a/../../b', '..\\x', 'C:x', '', './']) {
    await writeFile(path, graph({ location, offset: 0, length: 4 * numbers }))
    await expect(checkOnnxFile(path), location).rejects.toThrow('which is not in its own folder')
  }
  await rm(path)
  await expect(checkOnnxFile(path)).rejects.toThrow('there is no such file')
})
