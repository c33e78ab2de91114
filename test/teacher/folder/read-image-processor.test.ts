import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configFiles } from '../../../src/teacher/folder/hf-folder.js'
import { resizedSize } from '../../../src/teacher/folder/hf-image-processor.js'
import {
  clip,
  detrProcessor,
  imagenet,
  type ProcessorClass,
  readImageProcessor,
} from '../../../src/teacher/folder/read-image-processor.js'
import { hashTeacher, openTeacher } from '../../../src/teacher/open-teacher.js'
import { hashRegionScorer } from '../../../src/teacher/region-scorer.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const fixtures = {
  'grounding-dino': join(import.meta.dirname, '../fixtures/grounding-dino'),
  owlvit: join(import.meta.dirname, '../fixtures/owlvit'),
  owlv2: join(import.meta.dirname, '../fixtures/owlv2'),
  detr: join(import.meta.dirname, '../fixtures/detr'),
  rt_detr: join(import.meta.dirname, '../fixtures/rt_detr'),
  clip: join(import.meta.dirname, '../../filter/fixtures/clip'),
}
const square: ProcessorClass = {
  names: ['Owlv2'],
  size: { width: 960, height: 960 },
  sizeOfNumber: 'square',
  resample: 2,
  normalise: true,
  ...clip,
  pads: false,
  square: 0.5,
}
const cropping: ProcessorClass = {
  ...square,
  names: ['CLIP'],
  size: { shortest: 224, longest: undefined },
  sizeOfNumber: 'shortest',
  crop: { width: 224, height: 224 },
  square: undefined,
}
const plain: ProcessorClass = { ...detrProcessor, names: ['RTDetr'], normalise: false, pads: false }

async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content))
  return folder
}
const read = async (config: object, family: ProcessorClass = detrProcessor) =>
  readImageProcessor(await folderWith({ 'preprocessor_config.json': config }), family)

describe('what a folder says of pictures', () => {
  it.each(Object.entries(fixtures))(
    'is the same where transformers 5 writes it: %s',
    async (name, fixture) => {
      const copy = await temporaryFolder()
      await cp(fixture, copy, { recursive: true })
      const hashOf = name === 'clip' ? hashRegionScorer : hashTeacher
      const [before, old] = [await hashOf(copy), join(copy, 'preprocessor_config.json')]
      const said = JSON.parse(await readFile(old, 'utf8'))
      const wanted = await readImageProcessor(copy, { ...detrProcessor, names: [], ...nameOf(said) })
      await rm(old)
      await writeFile(join(copy, 'processor_config.json'), JSON.stringify({ image_processor: said }))
      expect(await readImageProcessor(copy, { ...detrProcessor, names: [], ...nameOf(said) })).toEqual(wanted)
      // The hash goes with it.
      const after = await hashOf(copy)
      expect(after).not.toBe(before)
      const other = { image_processor: { ...said, rescale_factor: 1 } }
      await writeFile(join(copy, 'processor_config.json'), JSON.stringify(other))
      expect(await hashOf(copy)).not.toBe(after)
    },
  )

  it('stands in processor_config.json where both files have it', async () => {
    const files = {
      'preprocessor_config.json': { size: { shortest_edge: 10, longest_edge: 20 } },
      'processor_config.json': { image_processor: { size: { shortest_edge: 30, longest_edge: 40 } } },
    }
    const folder = await folderWith(files)
    expect((await readImageProcessor(folder, detrProcessor)).size).toEqual({ shortest: 30, longest: 40 })
    expect(await configFiles(folder, [])).toEqual([join(folder, 'processor_config.json')])
    // Older ones say other things in it.
    const older = await folderWith({ ...files, 'processor_config.json': { processor_class: 'P' } })
    expect((await readImageProcessor(older, detrProcessor)).size).toEqual({ shortest: 10, longest: 20 })
    expect(await configFiles(older, [])).toEqual([])
  })

  it('is refused where it is nowhere', async () => {
    await expect(readImageProcessor(await folderWith({}), detrProcessor)).rejects.toThrow(
      /preprocessor_config\.json is missing, and so is processor_config\.json with an image_processor/,
    )
    const copy = await temporaryFolder()
    await cp(fixtures['grounding-dino'], copy, { recursive: true })
    await rename(join(copy, 'preprocessor_config.json'), join(copy, 'other.json'))
    await expect(openTeacher(copy)).rejects.toThrow(/is not a whole model folder/)
  })

  it('is as the class has it where a key is absent or null', async () => {
    const keys = ['size', 'resample', 'do_normalize', 'image_mean', 'do_pad', 'pad_size', 'crop_size']
    const nulls = Object.fromEntries(keys.map((key) => [key, null]))
    for (const config of [{}, nulls]) {
      expect(await read(config)).toEqual({
        size: { shortest: 800, longest: 1333 },
        resample: 2,
        rescale: 1 / 255,
        ...imagenet,
        square: undefined,
      })
    }
    expect(await read({}, square)).toMatchObject({ size: { width: 960, height: 960 }, square: 0.5 })
    expect(await read({}, cropping)).toMatchObject({ crop: { width: 224, height: 224 } })
    expect(await read({}, plain)).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] })
    // RT-DETR does not normalise; where a folder asks for it, by the class's own mean.
    expect(await read({ do_normalize: true }, plain)).toMatchObject(imagenet)
  })

  it.each([
    [{ size: { height: 5, width: 7 } }, detrProcessor, { height: 5, width: 7 }],
    [{ size: { shortest_edge: 5 } }, detrProcessor, { shortest: 5, longest: undefined }],
    [{ size: { max_height: 5, max_width: 7 } }, detrProcessor, { maxHeight: 5, maxWidth: 7 }],
    [{ size: 600 }, detrProcessor, { shortest: 600, longest: 1333 }],
    [{ size: 600, max_size: 1000 }, detrProcessor, { shortest: 600, longest: 1000 }],
    [{ size: 768 }, square, { height: 768, width: 768 }],
    [{ size: [768, 700] }, square, { height: 768, width: 700 }],
    [{ size: 240 }, cropping, { shortest: 240, longest: undefined }],
  ])('has sizes of every form: %j', async (config, family, size) => {
    expect((await read(config, family)).size).toEqual(size)
  })

  it.each([
    ['GroundingDinoImageProcessorFast', detrProcessor],
    ['DetrFeatureExtractor', detrProcessor],
    ['Owlv2ImageProcessorPil', square],
    ['CLIPImageProcessor', cropping],
  ])('may be of class %s', async (image_processor_type, family) => {
    await read({ image_processor_type }, family)
    await read({ feature_extractor_type: image_processor_type }, family)
  })

  it.each<[Record<string, unknown>, ProcessorClass?]>([
    [{ image_processor_type: 'SiglipImageProcessor' }, cropping],
    [{ feature_extractor_type: 'YolosFeatureExtractor' }],
    [{ do_resize: false }],
    [{ do_resize: 'yes' }],
    [{ do_center_crop: true }],
    [{ do_normalize: 1 }],
    [{ resample: 1 }],
    [{ resample: 'bilinear' }],
    [{ size: { longest_edge: 800 } }],
    [{ size: { shortest_edge: '800' } }],
    [{ size: { shortest_edge: 800, longest_edge: 0 } }],
    [{ size: { height: 800 } }],
    [{ size: [800] }],
    [{ size: 0 }],
    [{ size: 'large' }],
    [{ rescale_factor: 0 }],
    [{ rescale_factor: '1/255' }],
    [{ image_mean: [0.5, 0.5] }],
    [{ image_mean: [1, 2, 3, 4] }],
    [{ image_std: 0 }],
    [{ pad_size: { height: 5 } }],
    [{ do_pad: false }, square],
    [{ pad_value: 3 }, square],
    [{ crop_size: 300 }, cropping],
    [{ crop_size: { height: 5 } }, cropping],
    [{ use_square_size: true }, cropping],
  ])('is refused with file and key where it is not done: %j', async (config, family) => {
    const [key] = Object.keys(config) as [string]
    const pattern = (file: string) => new RegExp(`/${file}${key} is .*(does not do|as .* does it)`)
    await expect(read(config, family)).rejects.toThrow(pattern('preprocessor_config\\.json: '))
    const nested = await folderWith({ 'processor_config.json': { image_processor: config } })
    await expect(readImageProcessor(nested, family ?? detrProcessor)).rejects.toThrow(
      pattern('processor_config\\.json: image_processor\\.'),
    )
  })

  it('pads, normalises and rescales as it says', async () => {
    expect(await read({ pad_size: { height: 20, width: 30 } })).toMatchObject({
      padTo: { height: 20, width: 30 },
    })
    for (const config of [{ do_pad: false, pad_size: 20 }, { pad_size: null }])
      expect((await read(config)).padTo).toBeUndefined()
    expect((await read({ pad_size: 20 }, plain)).padTo).toBeUndefined()
    expect(await read({ image_mean: 0.5, image_std: 0.25, rescale_factor: 0.5 })).toMatchObject({
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      rescale: 0.5,
    })
    for (const key of ['do_rescale', 'rescale']) expect((await read({ [key]: false })).rescale).toBe(1)
    expect((await read({ do_center_crop: false }, cropping)).crop).toBeUndefined()
  })

  it('within two bounds reaches one of them, cut to whole pixels', async () => {
    const processor = await read({ size: { max_height: 50, max_width: 60 } })
    expect(resizedSize(processor, { width: 200, height: 100 })).toEqual({ width: 60, height: 30 })
    expect(resizedSize(processor, { width: 33, height: 40 })).toEqual({ width: 41, height: 50 })
  })
})

/** The class that a fixture names, or none. */
function nameOf({ image_processor_type: type, do_center_crop }: Record<string, unknown>) {
  const name = typeof type === 'string' ? type.replace('ImageProcessor', '') : undefined
  const crop = do_center_crop === true ? { width: 1, height: 1 } : undefined
  return { ...(name !== undefined && { names: [name] }), ...(crop && { crop }) }
}
