import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { backgroundKinds, colourDistance, minContrast } from '../../src/world/choose-background.js'
import { describeScene } from '../../src/world/describe-scene.js'
import { drawScene, objectSvg, sceneSvg } from '../../src/world/draw-scene.js'
import { layoutScene, type Scene } from '../../src/world/layout-scene.js'
import { type InkMap, measureInk } from '../../src/world/measure-ink.js'
import type { Recipe, Rgb, Split } from '../../src/world/recipe.js'
import { toyRecipe } from './toy-recipe.js'

let recipe: Recipe
let ink: InkMap
beforeAll(async () => {
  recipe = await toyRecipe()
  ink = await measureInk(recipe)
})

const anySplit = fc.constantFrom<Split>('gold', 'web', 'known', 'novel', 'attributes')
const anyIndex = fc.integer({ min: 0, max: 999_999 })

test('a scene is the same whenever and in whatever order it is made', async () => {
  const bytes = async (index: number) => drawScene(layoutScene(recipe, ink, 'web', index), ink, 92)
  const forward = await Promise.all([3, 4, 5].map(bytes))
  const freshInk = await measureInk(recipe)
  for (const [at, index] of [5, 4, 3].entries()) {
    const scene = layoutScene(recipe, freshInk, 'web', index)
    expect(await drawScene(scene, freshInk, 92)).toEqual(forward[2 - at])
    expect(describeScene(recipe, scene)).toEqual(
      describeScene(recipe, layoutScene(recipe, ink, 'web', index)),
    )
  }
})

test('seeds, splits and indices make different scenes', () => {
  const svgs = [
    sceneSvg(layoutScene(recipe, ink, 'gold', 1), ink),
    sceneSvg(layoutScene(recipe, ink, 'gold', 2), ink),
    sceneSvg(layoutScene(recipe, ink, 'known', 1), ink),
    sceneSvg(layoutScene({ ...recipe, seed: recipe.seed + 1 }, ink, 'gold', 1), ink),
  ]
  expect(new Set(svgs).size).toBe(svgs.length)
})

describe('boxes', () => {
  test('are the ink of each pictogram drawn alone, to within a pixel', async () => {
    const seen = new Set<string>()
    let mirrored = 0
    for (let index = 0; seen.size < ink.size; index++) {
      const scene = layoutScene(recipe, ink, index % 2 === 0 ? 'known' : 'novel', index)
      for (const object of scene.objects) {
        const key = object.concept.name
        if (seen.has(key)) continue
        seen.add(key)
        mirrored += Number(object.mirrored)
        const drawn = await inkBounds(objectSvg(object, ink.get(key)!), scene.size)
        for (const side of [0, 1, 2, 3]) {
          expect(Math.abs(drawn[side] - object.box[side]), `${key} side ${side}`).toBeLessThanOrEqual(1)
        }
      }
    }
    expect(mirrored).toBeGreaterThan(ink.size / 5)
  })

  test('lie in the scene, apart from each other, in the sizes of the recipe', () => {
    fc.assert(
      fc.property(anySplit, anyIndex, (split, index) => {
        const { objects, size } = layoutScene(recipe, ink, split, index)
        expect(objects.length).toBeGreaterThan(0)
        expect(objects.length).toBeLessThanOrEqual((recipe.gold.objects ?? recipe.scene.objects)[1])
        objects.forEach(({ box, size: word }, at) => {
          expect(Math.min(...box)).toBeGreaterThanOrEqual(0)
          expect(Math.max(...box)).toBeLessThanOrEqual(size)
          const side = Math.max(box[2] - box[0], box[3] - box[1])
          expect(side).toBeGreaterThan(recipe.scene.object_size[0] - 1e-6)
          expect(side).toBeLessThan(recipe.scene.object_size[1] + 1e-6)
          expect(word === 'small').toBe(side < recipe.scene.small_below)
          expect(word === 'big').toBe(side > recipe.scene.big_above)
          for (const { box: other } of objects.slice(at + 1)) {
            const across = Math.min(box[2], other[2]) - Math.max(box[0], other[0])
            const down = Math.min(box[3], other[3]) - Math.max(box[1], other[1])
            expect(across <= 0 || down <= 0).toBe(true)
          }
        })
      }),
      { numRuns: 500 },
    )
  })
})

/** x1 y1 x2 y2 of the pixels that are at least half covered. */
async function inkBounds(shape: string, size: number): Promise<number[]> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${shape}</svg>`
  const alpha = await sharp(Buffer.from(svg)).ensureAlpha().extractChannel(3).raw().toBuffer()
  const columns: number[] = []
  const rows: number[] = []
  alpha.forEach((value, at) => {
    if (value < 64) return
    columns.push(at % size)
    rows.push(Math.floor(at / size))
  })
  return [Math.min(...columns), Math.min(...rows), Math.max(...columns) + 1, Math.max(...rows) + 1]
}

describe('which concepts are where', () => {
  const scenes = (split: Split, count: number): Scene[] =>
    Array.from({ length: count }, (_, index) => layoutScene(recipe, ink, split, index))

  test('gold and held-out known: never a novel one', () => {
    const known = new Set(recipe.concepts.known.map(({ name }) => name))
    for (const { objects } of [
      ...scenes('gold', 2000),
      ...scenes('known', 500),
      ...scenes('attributes', 500),
    ]) {
      for (const { concept, novel } of objects) {
        expect(novel).toBe(false)
        expect(known.has(concept.name)).toBe(true)
      }
    }
  })

  test('web: one novel at least, about the share of the recipe overall, every concept', () => {
    const all = scenes('web', 2000)
    for (const { objects } of all) expect(objects.some(({ novel }) => novel)).toBe(true)
    const objects = all.flatMap((scene) => scene.objects)
    const share = objects.filter(({ novel }) => novel).length / objects.length
    expect(Math.abs(share - recipe.web.novel_share)).toBeLessThan(0.07)
    expect(new Set(objects.map(({ concept }) => concept.name)).size).toBe(ink.size)
  })

  test('held-out novel: a novel one and a known one at least', () => {
    for (const { objects } of scenes('novel', 500)) {
      expect(objects.some(({ novel }) => novel)).toBe(true)
      expect(objects.some(({ novel }) => !novel)).toBe(true)
    }
  })
})

test('every object stands out from every background', async () => {
  const kinds = new Set<string>()
  for (let index = 0; index < 2000; index++) {
    const { objects, background } = layoutScene(recipe, ink, 'web', index)
    kinds.add(background.kind)
    for (const { rgb } of objects) {
      for (const colour of background.colours) {
        expect(colourDistance(colour, rgb)).toBeGreaterThan(minContrast)
      }
    }
  }
  expect([...kinds].sort()).toEqual([...backgroundKinds].sort())
})

test('a background is drawn in its own colours', async () => {
  for (let index = 0; index < 60; index++) {
    const scene = layoutScene(recipe, ink, 'gold', index)
    const svg = sceneSvg({ ...scene, objects: [] }, ink)
    const data = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer()
    const [first, second] = scene.background.colours
    for (let at = 0; at < data.length; at += 3 * 97) {
      const pixel: Rgb = [data[at], data[at + 1], data[at + 2]]
      pixel.forEach((value, channel) => {
        // Turned patterns are resampled, which goes past a colour by a few levels at edges.
        expect(value).toBeGreaterThanOrEqual(Math.min(first[channel], second[channel]) - 15)
        expect(value).toBeLessThanOrEqual(Math.max(first[channel], second[channel]) + 15)
      })
    }
  }
})

test('colour distance is that of CIE Lab', () => {
  expect(colourDistance([0, 0, 0], [255, 255, 255])).toBeCloseTo(100, 0)
  // Lab of sRGB red is (53.24, 80.09, 67.20), of green (87.73, -86.18, 83.18): Bruce Lindbloom's calculator.
  expect(colourDistance([255, 0, 0], [0, 255, 0])).toBeCloseTo(
    Math.hypot(53.24 - 87.73, 80.09 + 86.18, 67.2 - 83.18),
    0,
  )
})
