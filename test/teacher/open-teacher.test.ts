import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { hashTeacher, openTeacher } from '../../src/teacher/open-teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

describe('opening a model folder', () => {
  it.each([
    [{}, /is not a model folder: .*config\.json is missing/],
    [{ 'config.json': '{' }, /config\.json is not JSON/],
    [{ 'config.json': '[]' }, /config\.json does not hold a JSON object/],
    [{ 'config.json': '{"a":\n\n x}' }, /^[^\n]*config\.json is not JSON: [^\n]*$/],
    [{ 'config.json': 'version https://git-lfs.github.com/spec/v1' }, /it is a pointer of Git LFS/],
    [{ 'config.json': '{}' }, /config\.json: there is no model_type; it must be one that groundmill knows/],
    [{ 'config.json': '{"model_type": ["detr"]}' }, /model_type \["detr"\] is not a family/],
    [
      { 'config.json': '{"model_type": "detr", "id2label": {"1": " "}}', 'onnx/model.onnx': 'text' },
      /config\.json: id2label has no names/,
    ],
    [
      { 'config.json': '{"model_type": "yolos"}' },
      /model_type "yolos" is not a family that groundmill knows \(groundmill-glip, grounding-dino, mm-grounding-dino, omdet-turbo, owlvit, owlv2, sam3, sam3_video, detr, rt_detr, rt_detr_v2, torchvision-detector, yolo\)/,
    ],
    [{ 'config.json': '{"model_type": "detr"}' }, /has no model\.onnx, nor any other \.onnx file/],
    [
      { 'config.json': '{"model_type": "detr"}', 'onnx/model_q4.onnx': '' },
      /has no model\.onnx; it has: model_q4\.onnx/,
    ],
    [
      {
        'config.json': '{"model_type": "detr", "id2label": {"1": "dog"}}',
        'preprocessor_config.json': '{}',
        'onnx/model.onnx': 'text',
      },
      /onnxruntime cannot load .*model\.onnx/,
    ],
    [{ 'config.json': '{"model_type": "detr"}', 'onnx/model.onnx': 'text' }, /config\.json has no id2label/],
    [
      { 'config.json': '{"model_type": "detr", "id2label": {}}', 'onnx/model.onnx': 'text' },
      /config\.json: id2label is empty/,
    ],
    [
      { 'config.json': '{"model_type": "detr", "id2label": {"dog": 1}}', 'onnx/model.onnx': 'text' },
      /config\.json: id2label has "dog": 1; it must give each class's name by its number/,
    ],
    [
      { 'config.json': '{"model_type": "detr", "id2label": {"1": "dog"}}', 'onnx/model.onnx': 'text' },
      /preprocessor_config\.json is missing, and so is processor_config\.json/,
    ],
    [
      {
        'config.json': '{"model_type": "detr", "id2label": {"1": "dog"}}',
        'preprocessor_config.json': '{"size": {"height": 1000000000, "width": 1000000000}}',
        'model.onnx': '',
      },
      /preprocessor_config\.json: size is .*, which groundmill does not do/,
    ],
    [
      { 'config.json': '{"model_type": "detr", "id2label": {"99999999999": "dog"}}', 'model.onnx': '' },
      /config\.json: id2label has "99999999999"/,
    ],
    [
      {
        'config.json': '{"model_type": "detr", "id2label": {"1": "dog"}}',
        'preprocessor_config.json': '{"do_center_crop": true}',
        'model.onnx': '',
      },
      /preprocessor_config\.json: do_center_crop is true, which groundmill does not do/,
    ],
  ])('says what is wrong with %j', async (files, message) => {
    const folder = await folderOf(files)
    const error = await openTeacher(folder).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(UserError)
    expect((error as Error).message).toMatch(message)
  })

  it('refuses a model that is of another family', async () => {
    const folder = await folderOf({
      'config.json': '{"model_type": "torchvision-detector", "id2label": {"1": "dog"}}',
    })
    const { copyFile } = await import('node:fs/promises')
    await copyFile(join(fixture('detr'), 'onnx/model.onnx'), join(folder, 'model.onnx'))
    await expect(openTeacher(folder)).rejects.toThrow(
      /expected one input \[3, H, W\]; it has: pixel_values \[batch, 3, height, width\], pixel_mask/,
    )
  })

  it('reads configurations of other encodings, and refuses prompts without room for a word', async () => {
    const folder = await temporaryFolder()
    await cp(fixture('grounding-dino'), folder, { recursive: true })
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))
    const write = (changes: object) =>
      writeFile(join(folder, 'config.json'), `\uFEFF${JSON.stringify({ ...config, ...changes })}`, 'utf16le')
    await write({})
    await (await openTeacher(folder)).close()
    await write({ max_text_len: 3 })
    await expect(openTeacher(folder)).rejects.toThrow(
      /config\.json: max_text_len is 3: a prompt has 4 tokens at least/,
    )
  })

  it('hashes what decides the answers: the file that is used, and not those beside it', async () => {
    const whole = await hashTeacher(fixture('owlvit'))
    expect(await hashTeacher(fixture('owlvit'))).toBe(whole)
    expect(await hashTeacher(fixture('owlvit'), { file: 'model_fp16' })).not.toBe(whole)
    const teacher = await openTeacher(fixture('owlvit'))
    expect(teacher.hash).toBe(whole)
    expect(teacher.name).toBe('owlvit')
    await teacher.close()
  })
})
