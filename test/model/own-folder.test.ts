import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readModelConfig } from '../../src/model/model-folder.js'
import { requireOwnFolder } from '../../src/model/require-own-folder.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

it('a model is written where there is nothing, or what groundmill has made, and nowhere else', async () => {
  const folder = await temporaryFolder()
  const holding = async (name: string, ...files: readonly string[]) => {
    await mkdir(join(folder, name))
    for (const file of files) await writeFile(join(folder, name, file), '{}')
    return join(folder, name)
  }
  const mended = await holding('mended')
  await writeFile(join(mended, 'config.json'), '{ "model_type": "groundmill-glip" }')
  // Of a judge too, whose record was not written yet.
  const judge = await holding('judge', 'words.json')
  await writeFile(join(judge, 'config.json'), '{ "model_type": "groundmill-judge" }')
  for (const free of [
    mended,
    judge,
    join(folder, 'new'),
    await holding('empty'),
    await holding('trained', 'config.json', 'record.json', 'notes.txt'),
    await holding('imported', 'config.json', 'import.json'),
    await holding('stopped', 'tokenizer.json', 'checkpoint.safetensors'),
  ])
    await requireOwnFolder(free)
  const others = [await holding('photos', 'a.jpg'), await holding('detector', 'config.json', 'model.onnx')]
  for (const other of others)
    await expect(requireOwnFolder(other)).rejects.toThrow(
      `${other} is there and holds no model that groundmill`,
    )
  await expect(requireOwnFolder(join(others[0] as string, 'a.jpg'))).rejects.toThrow('a.jpg is a file')
  expect(await readdir(others[1] as string)).toEqual(['config.json', 'model.onnx'])
})

it('what is no model folder is told apart: a file, a name of the Hub, nothing', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'model.onnx'), '')
  const told = (path: string) =>
    readModelConfig(path).then(
      () => '',
      ({ message }: Error) => message.slice(path.length),
    )
  expect(await told(folder)).toMatch(/^ is not a model folder: .*config\.json is missing\.$/)
  expect(await told(join(folder, 'nosuch'))).toBe(' is not a model folder: there is no such folder.')
  expect(await told(join(folder, 'model.onnx'))).toContain('it is a file, and a folder with')
  await writeFile(join(folder, 'config.json'), '{}')
  expect(await told(join(folder, 'model.onnx'))).toContain(`name the folder that it lies in, ${folder}.`)
  for (const name of ['somebody/a-model', 'https://huggingface.co/somebody/a-model'])
    expect(await told(name)).toMatch(/: hf:\/\/somebody\/a-model\.$/)
})
