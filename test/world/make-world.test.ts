import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { thisProcess } from '../../src/base/process-identity.js'
import { UserError } from '../../src/base/user-error.js'
import { absentPhrases } from '../../src/world/absent-phrases.js'
import type { CocoFile } from '../../src/world/coco-file.js'
import { describeScene } from '../../src/world/describe-scene.js'
import { drawScene } from '../../src/world/draw-scene.js'
import { layoutScene } from '../../src/world/layout-scene.js'
import { makeWorld, type WorldProgress } from '../../src/world/make-world.js'
import { measureInk } from '../../src/world/measure-ink.js'
import type { Recipe } from '../../src/world/recipe.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { toyRecipe } from './toy-recipe.js'

let recipe: Recipe
let folder: string
const progress: WorldProgress[] = []

beforeAll(async () => {
  const toy = await toyRecipe()
  recipe = {
    ...toy,
    splits: { gold: 12, web: 60, known: 8, novel: 8, attributes: 8 },
    web: { ...toy.web, broken_share: 0.1 },
  }
  folder = join(await temporaryFolder(), 'world')
  await makeWorld(recipe, folder, { onProgress: (step) => progress.push(step) })
})

/** Hash of every file below a folder, by name. */
async function hashes(root: string): Promise<Record<string, string>> {
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  )
  const entries = files.map(async (file) => {
    const path = join(file.parentPath, file.name)
    const hash = createHash('sha256').update(await readFile(path))
    return [path.slice(root.length), hash.digest('hex')] as const
  })
  return Object.fromEntries((await Promise.all(entries)).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const coco = async (path: string): Promise<CocoFile> => JSON.parse(await readFile(join(folder, path), 'utf8'))

test('a picture that fails fails the whole, though scenes are still being laid out', async () => {
  const many = { ...recipe, splits: { ...recipe.splits, gold: 300 } }
  const onProgress = () => {
    throw new Error('no room')
  }
  // A promise that fails while nobody awaits it ends a program with a stack: that fails this test too.
  await expect(makeWorld(many, join(await temporaryFolder(), 'world'), { onProgress })).rejects.toThrow(
    'no room',
  )
})

describe('the folders', () => {
  test.each(['gold', 'known', 'novel', 'attributes'] as const)(
    '%s is a COCO folder with captions and spans',
    async (split) => {
      const ink = await measureInk(recipe)
      const file = await coco(`${split}/annotations.json`)
      expect(file.info.exhaustive).toBe(true)
      expect(file.images).toHaveLength(recipe.splits[split])
      const { known, novel } = recipe.concepts
      const named = split === 'gold' ? known : [...known, ...novel]
      expect(file.categories.map(({ name }) => name)).toEqual(named.map(({ name }) => name))
      for (const image of file.images) {
        const bytes = await readFile(join(folder, split, 'images', image.file_name))
        const meta = await sharp(bytes).metadata()
        expect([meta.format, meta.width, meta.height]).toEqual(['jpeg', image.width, image.height])
        const scene = layoutScene(recipe, ink, split, image.id)
        expect(bytes).toEqual(await drawScene(scene, ink, recipe.scene.jpeg_quality))
        const { caption, mentions } = describeScene(recipe, scene)
        expect(image.caption).toBe(caption)
        expect(image.negatives).toEqual(absentPhrases(recipe, scene, describeScene(recipe, scene)))
        expect(image.negatives).toHaveLength(6)
        const own = file.annotations.filter(({ image_id }) => image_id === image.id)
        expect(own).toHaveLength(scene.objects.length)
        own.forEach((annotation, at) => {
          const { box, concept, colour, size } = scene.objects[at]
          expect(annotation.attributes).toEqual({ colour, size })
          const [x, y, width, height] = annotation.bbox
          for (const [side, value] of [x, y, x + width, y + height].entries()) {
            expect(Math.abs(value - box[side])).toBeLessThan(0.011)
          }
          expect(annotation.area).toBeCloseTo(width * height, 1)
          const category = file.categories.find(({ id }) => id === annotation.category_id)
          expect(category?.name).toBe(concept.name)
          const named = mentions.filter(({ objects }) => objects.includes(at))
          expect(annotation.tokens_positive).toEqual(named.map(({ start, end }) => [start, end]))
        })
      }
      expect(new Set(file.annotations.map(({ id }) => id)).size).toBe(file.annotations.length)
      expect(Math.min(...file.annotations.map(({ id }) => id))).toBe(1)
    },
  )

  test('progress counts every scene of every split', () => {
    for (const [split, total] of Object.entries(recipe.splits)) {
      const steps = progress.filter((step) => step.split === split)
      expect(steps.map(({ done }) => done)).toEqual(Array.from({ length: total }, (_, at) => at + 1))
      expect(steps.every((step) => step.total === total)).toBe(true)
    }
  })
})

test('the web, served: pictures arrive, and the broken share fails in each of its ways', async () => {
  const text = await readFile(join(folder, 'web', 'pairs.tsv'), 'utf8')
  const [header, ...rows] = text.trimEnd().split('\n')
  expect(header).toBe('url\tcaption')
  const truth = await coco('web/truth.json')
  expect(rows.map((row) => row.split('\t')[1])).toEqual(truth.images.map(({ caption }) => caption))
  expect(truth.images.some((image) => 'negatives' in image)).toBe(false)
  expect(truth.annotations.every(({ attributes }) => attributes.colour in recipe.colours)).toBe(true)
  const served = await serveFolder(join(folder, 'web'))
  const outcomes: Record<string, number> = {}
  for (const row of rows) {
    const response = await fetch(new URL(row.split('\t')[0], served.url))
    const bytes = Buffer.from(await response.arrayBuffer())
    const type = response.headers.get('content-type')
    const outcome = !response.ok
      ? `http ${response.status}`
      : type !== 'image/jpeg'
        ? String(type)
        : await sharp(bytes, { failOn: 'truncated' })
            .raw()
            .toBuffer()
            .then(
              () => 'picture',
              () => 'cut',
            )
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  await served.close()
  expect(outcomes).toEqual({ picture: 54, 'http 404': 2, 'text/html; charset=utf-8': 2, cut: 2 })
})

describe('made again', () => {
  test('elsewhere, it is the same byte for byte', async () => {
    const other = join(await temporaryFolder(), 'world')
    await makeWorld(recipe, other)
    expect(await hashes(other)).toEqual(await hashes(folder))
  })

  test('from the same recipe, it is left alone', async () => {
    const before = await stat(join(folder, 'gold', 'annotations.json'))
    expect(await makeWorld(recipe, folder)).toEqual({ skipped: true })
    expect((await stat(join(folder, 'gold', 'annotations.json'))).mtimeMs).toBe(before.mtimeMs)
  })

  test('after an interrupt, it goes on with what there is and ends the same', async () => {
    const other = join(await temporaryFolder(), 'world')
    const stop = new AbortController()
    const interrupted = makeWorld(recipe, other, {
      signal: stop.signal,
      onProgress: ({ split, done }) => {
        if (split === 'web' && done === 20) stop.abort()
      },
    })
    await expect(interrupted).rejects.toThrow(/abort/i)
    const images = join(other, 'web', 'images')
    const there = await readdir(images)
    expect(there.length).toBeGreaterThan(10)
    expect(there.length).toBeLessThan(50)
    // As a power cut leaves it, and as a kill does.
    await truncate(join(images, '000000.jpg'))
    const { host, pid, started } = thisProcess
    const aside = `000055.jpg.${host}-${pid}-${started.split('t')[0]}t1-01234567.aside`
    await writeFile(join(images, aside), 'half')
    const before = await stat(join(images, '000001.jpg'))
    expect(await makeWorld(recipe, other)).toEqual({ skipped: false })
    expect((await stat(join(images, '000001.jpg'))).mtimeMs).toBe(before.mtimeMs)
    expect(await hashes(other)).toEqual(await hashes(folder))
  })

  test('from another recipe, nothing of the old one stays', async () => {
    const small = { ...recipe, splits: { gold: 3, web: 2, known: 0, novel: 0, attributes: 0 } }
    const other = join(await temporaryFolder(), 'world')
    await makeWorld(small, other)
    await makeWorld({ ...small, seed: 7, splits: { ...small.splits, gold: 1 } }, other)
    expect(await readdir(join(other, 'gold', 'images'))).toEqual(['000000.jpg'])
    await rm(join(other, 'gold'), { recursive: true })
    expect(await makeWorld(small, other)).toEqual({ skipped: false })
    expect(await readdir(join(other, 'gold', 'images'))).toHaveLength(3)
  })

  test('a folder with something else in it is not touched', async () => {
    const other = await temporaryFolder()
    await mkdir(join(other, 'gold'))
    await writeFile(join(other, 'gold', 'mine.txt'), 'mine')
    await expect(makeWorld(recipe, other)).rejects.toThrow(UserError)
    await writeFile(join(other, 'world.json'), '{"of": "Warcraft"}')
    await expect(makeWorld(recipe, other)).rejects.toThrow(/world\.json is not of a world/)
    expect(await readFile(join(other, 'gold', 'mine.txt'), 'utf8')).toBe('mine')
  })
})
