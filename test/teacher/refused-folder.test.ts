import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SessionPool } from '../../src/graph/session-pool.js'
import { checkTeacherFolder, openTeacher } from '../../src/teacher/open-teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

afterEach(() => {
  vi.restoreAllMocks()
})

async function folderOf(family: string): Promise<string> {
  const folder = await temporaryFolder()
  await cp(fileURLToPath(new URL(`fixtures/${family}`, import.meta.url)), folder, { recursive: true })
  return folder
}

describe('a folder whose files are wrong', () => {
  it.each([
    ['owlvit', 'tokenizer.json', '{}', /tokenizer\.json is not a tokenizer/],
    ['owlv2', 'preprocessor_config.json', '{"size": 0}', /preprocessor_config\.json: size is 0/],
    [
      'grounding-dino',
      'config.json',
      '{"model_type": "grounding-dino", "max_text_len": 1}',
      /max_text_len is 1/,
    ],
    ['detr', 'config.json', '{"model_type": "detr"}', /no id2label/],
    ['torchvision', 'config.json', '{"model_type": "torchvision-detector"}', /no id2label/],
    [
      'mm-grounding-dino',
      'config.json',
      '{"model_type": "mm-grounding-dino", "max_text_len": 1}',
      /max_text_len is 1/,
    ],
    ['omdet-turbo', 'preprocessor_config.json', '{"size": 0}', /preprocessor_config\.json: size is 0/],
    [
      'sam3',
      'preprocessor_config.json',
      '{"image_processor_type": "DetrImageProcessor"}',
      /image_processor_type is "DetrImageProcessor"/,
    ],
    ['yolo-world', 'tokenizer.json', '{}', /tokenizer\.json is not a tokenizer/],
  ])('is refused before a session of %s is opened', async (family, file, text, message) => {
    const folder = await folderOf(family)
    await writeFile(join(folder, file), text)
    const opened = vi.spyOn(SessionPool, 'open')
    await expect(checkTeacherFolder(folder)).rejects.toThrow(message)
    await expect(openTeacher(folder, { threads: 1 })).rejects.toThrow(message)
    expect(opened).not.toHaveBeenCalled()
  })
})

describe('a model that does not fit its folder', () => {
  it.each([
    ['owlvit', 'detr'],
    ['detr', 'owlvit'],
    ['mm-grounding-dino', 'detr'],
    ['omdet-turbo', 'detr'],
  ])('leaves no session of %s open', async (family, other) => {
    const folder = await folderOf(family)
    await cp(
      fileURLToPath(new URL(`fixtures/${other}/onnx/model.onnx`, import.meta.url)),
      join(folder, 'onnx/model.onnx'),
    )
    const opened = vi.spyOn(SessionPool, 'open')
    const closed = vi.spyOn(SessionPool.prototype, 'close')
    await expect(openTeacher(folder, { threads: 1 })).rejects.toThrow(/there is no|not one that/)
    expect(opened.mock.calls.length).toBeGreaterThan(0)
    expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length)
  })
})
