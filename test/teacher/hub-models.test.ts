import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { isHub } from '../../src/hub/hub-address.js'
import { NotFetched, withoutFetching } from '../../src/hub/without-fetching.js'
import { modelFacts } from '../../src/teacher/model-facts.js'
import { checkTeacherFolder, hashTeacher, openTeacher, teacherName } from '../../src/teacher/open-teacher.js'
import { hashRegionScorer } from '../../src/teacher/region-scorer.js'
import { hashTextEncoder } from '../../src/teacher/text-encoder.js'
import { hubHome } from '../helpers/hub-home.js'

const teachers = join(import.meta.dirname, 'fixtures')
const encoders = join(import.meta.dirname, '../filter/fixtures')

let hub: Awaited<ReturnType<typeof hubHome>>
beforeAll(async () => {
  hub = await hubHome()
})

async function filesOf(folder: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files[relative(folder, path)] = await readFile(path)
  }
  return files
}

/** What many repositories have beside what is needed. */
const others = {
  'README.md': '# model\n',
  'model.safetensors': 'weights of PyTorch',
  'pytorch_model.bin': 'weights of PyTorch',
  'onnx/model_q4.onnx': 'another one',
  'onnx/model_q4.onnx_data': 'its weights',
}

/** The files of a repository that the cache has, without their texts. */
async function fetched(id: string): Promise<string[]> {
  const folder = join(hub.home, 'hub', `models--${id.replace('/', '--')}`, 'snapshots')
  const [commit = ''] = await readdir(folder)
  const names = Object.keys(await filesOf(join(folder, commit)).catch(() => ({})))
  const links = (await readdir(join(folder, commit), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => relative(join(folder, commit), join(entry.parentPath, entry.name)))
  return [...names, ...links].filter((name) => !name.endsWith('.json')).sort()
}

describe('a model of the Hub', () => {
  test.each([
    ['grounding-dino', {}, ['onnx/model.onnx', 'onnx/weights.bin']],
    ['grounding-dino', { file: 'model_one_phrase' }, ['onnx/model_one_phrase.onnx', 'onnx/weights.bin']],
    ['owlv2', {}, ['onnx/text_model.onnx', 'onnx/vision_model.onnx']],
    ['owlvit', {}, ['onnx/model.onnx']],
    ['torchvision', {}, ['onnx/model.onnx']],
    ['omdet-turbo', {}, ['onnx/model.onnx']],
    [
      'sam3',
      {},
      ['onnx/decoder.onnx', 'onnx/text_encoder.onnx', 'onnx/vision_encoder.onnx', 'onnx/weights.bin'],
    ],
    ['yolo-world', {}, ['model.onnx', 'text_model.onnx']],
  ] as const)(
    '%s %o: what its family opens is fetched, and it is the model of the folder',
    async (name, options, files) => {
      const id = `org/${name}-${Object.keys(options).length}`
      hub.add(id, { ...(await filesOf(join(teachers, name))), ...others })
      const weights = files.some((file) => file.endsWith('.bin'))
        ? files
        : files.filter((file) => file.endsWith('.onnx'))
      expect(await hashTeacher(`hf://${id}`, options)).toBe(await hashTeacher(join(teachers, name), options))
      expect(await fetched(id)).toEqual([...weights].sort())
    },
  )

  test('of Ultralytics is its one file, or the one that is named', async () => {
    const { 'tiny-world.onnx': world, 'tiny-open.onnx': open } = await filesOf(join(teachers, 'yolo'))
    hub.add('org/yolo', { 'best.onnx': world as Buffer, 'best.pt': 'weights of PyTorch' })
    const teacher = await openTeacher('hf://org/yolo')
    expect(teacher.name).toBe('yolo')
    await teacher.close()
    hub.add('org/yolos', { 'a.onnx': world as Buffer, 'b.onnx': open as Buffer })
    expect(await hashTeacher('hf://org/yolos/b.onnx')).not.toBe(await hashTeacher('hf://org/yolos/a.onnx'))
    expect(await teacherName('hf://org/yolos/b.onnx')).toBe('b')
    await expect(hashTeacher('hf://org/yolos')).rejects.toThrow(
      'nor a single ONNX file. It has: a.onnx, b.onnx',
    )
  })

  test('is opened under the name of its repository', async () => {
    hub.add('org/detector', { ...(await filesOf(join(teachers, 'torchvision'))), ...others })
    expect(isHub('hf://org/detector')).toBe(true)
    expect(await teacherName('hf://org/detector@main')).toBe('detector')
    const teacher = await openTeacher('hf://org/detector')
    expect(teacher.name).toBe('detector')
    expect(teacher.hash).toBe(await hashTeacher(join(teachers, 'torchvision')))
    await teacher.close()
  })

  test('whose file the cache has only in part is fetched again, not refused', async () => {
    hub.add('org/cut', await filesOf(join(teachers, 'torchvision')))
    const hash = await hashTeacher('hf://org/cut')
    const folder = join(hub.home, 'hub/models--org--cut/snapshots')
    const [commit = ''] = await readdir(folder)
    const [model, config] = ['onnx/model.onnx', 'config.json'].map((name) => join(folder, commit, name))
    for (const path of [model, config] as string[]) {
      const { length } = await readFile(path)
      for (const bytes of ['', Buffer.alloc(1000), Buffer.alloc(length)]) {
        await writeFile(path, bytes)
        expect(await hashTeacher('hf://org/cut')).toBe(hash)
      }
    }
  })

  test('with more texts than any model has is not fetched', async () => {
    const texts = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`${at}.json`, '{}']))
    hub.add('org/texts', texts)
    await expect(hashTeacher('hf://org/texts')).rejects.toThrow('has 1001 texts')
  })

  test('is looked at without its weights', async () => {
    hub.add('org/unseen', { ...(await filesOf(join(teachers, 'torchvision'))), ...others })
    await expect(withoutFetching(() => checkTeacherFolder('hf://org/unseen'))).rejects.toThrow(NotFetched)
    expect((await withoutFetching(() => modelFacts('hf://org/unseen'))).family).toBe('torchvision-detector')
    expect(await fetched('org/unseen')).toEqual([])
  })

  test('may lie in a folder of its repository', async () => {
    const files = Object.entries(await filesOf(join(teachers, 'torchvision')))
    hub.add('org/many', Object.fromEntries(files.map(([name, bytes]) => [`exports/a/${name}`, bytes])))
    expect(await hashTeacher('hf://org/many/exports/a')).toBe(
      await hashTeacher(join(teachers, 'torchvision')),
    )
    await expect(hashTeacher('hf://org/many/exports/b')).rejects.toThrow('the repository has no such folder')
  })

  test('that has no ONNX file is refused with what it has', async () => {
    const config = '{"model_type":"detr"}'
    hub.add('org/torch', { 'config.json': config, 'model.safetensors': 'x', 'pytorch_model.bin': 'x' })
    await expect(hashTeacher('hf://org/torch')).rejects.toThrow(
      'hf://org/torch has no ONNX file (onnx/model.onnx); it has: model.safetensors, pytorch_model.bin. Name a repository that has one, such as an export in onnx-community/, or export it: optimum-cli export onnx --model org/torch FOLDER',
    )
    hub.add('org/small', { 'config.json': config, 'onnx/model_q4.onnx': 'x' })
    await expect(hashTeacher('hf://org/small')).rejects.toThrow(
      'has no model.onnx, in it or in onnx/; it has: onnx/model_q4.onnx',
    )
    await expect(hashTeacher('hf://datasets/org/small')).rejects.toThrow(
      'is a dataset, where a model is needed',
    )
  })
})

test('encoders of rules are models of the Hub too', async () => {
  hub.add('org/sentence', { ...(await filesOf(join(encoders, 'sentence'))), ...others })
  expect(await hashTextEncoder('hf://org/sentence')).toBe(await hashTextEncoder(join(encoders, 'sentence')))
  hub.add('org/clip', { ...(await filesOf(join(encoders, 'clip'))), ...others })
  expect(await hashRegionScorer('hf://org/clip')).toBe(await hashRegionScorer(join(encoders, 'clip')))
  expect((await fetched('org/clip')).filter((name) => name.endsWith('.onnx'))).toHaveLength(2)
})
