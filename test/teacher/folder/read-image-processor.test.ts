import { readFileSync } from 'node:fs'
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Picture } from '../../../src/pictures/picture.js'
import { configFiles } from '../../../src/teacher/folder/hf-folder.js'
import { prepareImages, resizedSize } from '../../../src/teacher/folder/hf-image-processor.js'
import {
  clipProcessor,
  detrProcessor,
  owlVitProcessor,
  owlv2Processor,
  type ProcessorClass,
  rtDetrProcessor,
} from '../../../src/teacher/folder/processor-class.js'
import { readImageProcessor } from '../../../src/teacher/folder/read-image-processor.js'
import { hashTeacher, openTeacher } from '../../../src/teacher/open-teacher.js'
import { hashRegionScorer } from '../../../src/teacher/region-scorer.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const fixture = (name: string) => join(import.meta.dirname, '../fixtures', name)
const clipFolder = join(import.meta.dirname, '../../filter/fixtures/clip')

interface Case {
  readonly class: string
  readonly config: object
  readonly refused?: true
  readonly shape?: readonly number[]
  readonly sample?: readonly number[]
  readonly mean?: number
}
/** What `bench/parity/processor_cases.py` wrote. */
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(fixture('image-processors.json'), 'utf8'))
const classes: Readonly<Record<string, ProcessorClass>> = {
  Detr: detrProcessor,
  RTDetr: rtDetrProcessor,
  CLIP: clipProcessor,
  OwlViT: owlVitProcessor,
}
/** The picture of that program. */
const sweep: Picture = { width: 83, height: 61, scale: 1, data: new Uint8Array(83 * 61 * 3) }
for (let y = 0; y < 61; y++)
  for (let x = 0; x < 83; x++) sweep.data.set([x * 3, y * 4, x + y], 3 * (y * 83 + x))

async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content))
  return folder
}
const read = async (config: object, family: ProcessorClass = detrProcessor) =>
  readImageProcessor(await folderWith({ 'preprocessor_config.json': config }), family)

describe('what a folder says of pictures', () => {
  it.each([
    [fixture('grounding-dino'), detrProcessor, hashTeacher],
    [fixture('detr'), detrProcessor, hashTeacher],
    [fixture('rt_detr'), rtDetrProcessor, hashTeacher],
    [fixture('owlvit'), owlVitProcessor, hashTeacher],
    [fixture('owlv2'), owlv2Processor, hashTeacher],
    [clipFolder, clipProcessor, hashRegionScorer],
  ])('is the same where transformers 5 writes it: %s', async (folder, family, hashOf) => {
    const copy = await temporaryFolder()
    await cp(folder, copy, { recursive: true })
    const [before, old] = [await hashOf(copy), join(copy, 'preprocessor_config.json')]
    const said = JSON.parse(await readFile(old, 'utf8'))
    const wanted = await readImageProcessor(copy, family)
    await rm(old)
    await writeFile(join(copy, 'processor_config.json'), JSON.stringify({ image_processor: said }))
    expect(await readImageProcessor(copy, family)).toEqual(wanted)
    // The hash goes with it.
    const after = await hashOf(copy)
    expect(after).not.toBe(before)
    const other = { image_processor: { ...said, rescale_factor: 1 } }
    await writeFile(join(copy, 'processor_config.json'), JSON.stringify(other))
    expect(await hashOf(copy)).not.toBe(after)
  })

  it.each(cases)('is done as transformers does it: $class $config', async ({ config, ...wanted }) => {
    const family = classes[wanted.class] as ProcessorClass
    if (wanted.refused) return expect(read(config, family)).rejects.toThrow(/does not do/)
    const processor = await read(config, family)
    const [, height, width] = wanted.shape as [number, number, number]
    const { pixels, ...batch } = prepareImages(processor, [sweep], processor.padTo, false)
    expect([batch.height, batch.width]).toEqual([height, width])
    const step = Math.floor(pixels.length / 20)
    const sample = pixels.filter((_, at) => at % step === 0)
    expect(sample).toHaveLength(wanted.sample?.length ?? 0)
    sample.forEach((value, at) => {
      expect(value).toBeCloseTo(wanted.sample?.[at] ?? Number.NaN, 3)
    })
    expect(pixels.reduce((sum, value) => sum + value, 0) / pixels.length).toBeCloseTo(wanted.mean ?? 0, 3)
  })

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
    await cp(fixture('grounding-dino'), copy, { recursive: true })
    await rename(join(copy, 'preprocessor_config.json'), join(copy, 'other.json'))
    await expect(openTeacher(copy)).rejects.toThrow(/is not a whole model folder/)
  })

  it('is as the class has it where a key is absent or null', async () => {
    const keys = ['size', 'max_size', 'resample', 'image_mean', 'image_std', 'rescale_factor', 'pad_size']
    const nulls = Object.fromEntries(keys.map((key) => [key, null]))
    for (const config of [{}, nulls]) {
      expect(await read(config)).toEqual({
        size: { shortest: 800, longest: 1333 },
        resample: 2,
        rescale: 1 / 255,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        square: undefined,
      })
    }
    expect(await read({}, owlv2Processor)).toMatchObject({ size: { width: 960, height: 960 }, square: 0.5 })
    expect(await read({}, clipProcessor)).toMatchObject({ crop: { width: 224, height: 224 } })
    expect(await read({}, rtDetrProcessor)).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] })
    // A step that is null is not done, for Python takes it for false.
    expect(await read({ do_normalize: null })).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] })
    expect((await read({ do_center_crop: null }, clipProcessor)).crop).toBeUndefined()
    await expect(read({ do_resize: null })).rejects.toThrow(/do_resize is false/)
    // RT-DETR does not normalise; where a folder asks for it, by the class's own mean.
    expect(await read({ do_normalize: true }, rtDetrProcessor)).toMatchObject({
      mean: [0.485, 0.456, 0.406],
    })
  })

  it.each([
    [{ size: { height: 5, width: 7 } }, detrProcessor, { height: 5, width: 7 }],
    [{ size: { shortest_edge: 5 } }, clipProcessor, { shortest: 5, longest: undefined }],
    [{ size: { max_height: 5, max_width: 7 } }, detrProcessor, { maxHeight: 5, maxWidth: 7 }],
    [{ size: 600 }, detrProcessor, { shortest: 600, longest: 1333 }],
    [{ size: 600, max_size: 1000 }, detrProcessor, { shortest: 600, longest: 1000 }],
    [{ size: 768 }, owlv2Processor, { height: 768, width: 768 }],
    [{ size: [768, 700] }, owlv2Processor, { height: 768, width: 700 }],
    [{ size: 240 }, clipProcessor, { shortest: 240, longest: undefined }],
  ])('has sizes of every form: %j', async (config, family, size) => {
    expect((await read({ ...config, do_center_crop: false }, family)).size).toEqual(size)
  })

  it.each([
    ['GroundingDinoImageProcessorFast', detrProcessor],
    ['DetrFeatureExtractor', detrProcessor],
    ['Owlv2ImageProcessorPil', owlv2Processor],
    ['CLIPImageProcessor', clipProcessor],
  ])('may be of class %s', async (image_processor_type, family) => {
    await read({ image_processor_type }, family)
    await read({ feature_extractor_type: image_processor_type }, family)
  })

  it.each<[Record<string, unknown>, ProcessorClass?]>([
    [{ image_processor_type: 'SiglipImageProcessor' }, clipProcessor],
    [{ feature_extractor_type: 'YolosFeatureExtractor' }],
    [{ do_resize: false }],
    [{ do_resize: 'yes' }],
    [{ do_center_crop: true }],
    [{ do_normalize: 1 }],
    [{ resample: 1 }],
    [{ resample: 'bilinear' }],
    [{ size: { longest_edge: 800 } }],
    [{ size: { shortest_edge: 800 } }],
    [{ size: 640 }, rtDetrProcessor],
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
    [{ do_pad: false }, owlv2Processor],
    [{ pad_value: 3 }, owlv2Processor],
    [{ crop_size: 300 }, clipProcessor],
    [{ crop_size: { height: 5 } }, clipProcessor],
    [{ use_square_size: true }, clipProcessor],
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
    expect(await read({ pad_size: { height: 900, width: 1400 } })).toMatchObject({
      padTo: { height: 900, width: 1400 },
    })
    // transformers refuses every picture that is larger than that.
    for (const config of [{ pad_size: 20 }, { size: { height: 20, width: 30 }, pad_size: [20, 29] }])
      await expect(read(config)).rejects.toThrow(/pad_size is .* does not do/)
    for (const config of [{ do_pad: false, pad_size: 20 }, { pad_size: null }])
      expect((await read(config)).padTo).toBeUndefined()
    expect((await read({ pad_size: 20 }, rtDetrProcessor)).padTo).toBeUndefined()
    expect(await read({ image_mean: 0.5, image_std: 0.25, rescale_factor: 0.5 })).toMatchObject({
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      rescale: 0.5,
    })
    for (const key of ['do_rescale', 'rescale']) expect((await read({ [key]: false })).rescale).toBe(1)
    expect((await read({ do_center_crop: false }, clipProcessor)).crop).toBeUndefined()
  })

  it('within two bounds reaches one of them, cut to whole pixels', async () => {
    const processor = await read({ size: { max_height: 50, max_width: 60 } })
    expect(resizedSize(processor, { width: 200, height: 100 })).toEqual({ width: 60, height: 30 })
    expect(resizedSize(processor, { width: 33, height: 40 })).toEqual({ width: 41, height: 50 })
  })
})
