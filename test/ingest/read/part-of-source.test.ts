import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/base/files/parse-config.js'
import { ingestConfig } from '../../../src/ingest/config.js'
import { plainRows, planOf, rowsByShards, rowsOf } from '../../helpers/rows-of.js'
import { sourceSamples } from '../../helpers/source-samples.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const samples = Object.entries(await sourceSamples(folder))

const pictures = Array.from({ length: 400 }, (_, id) => ({ id, file_name: `${id % 7}/${id}.jpg` }))

/** A folder in COCO's form: captions of all pictures, boxes of some. */
async function coco(name: string) {
  const place = join(folder, name)
  await mkdir(place)
  const captions = pictures.map(({ id }) => ({ id, image_id: id, caption: `picture ${id}` }))
  const annotations = pictures.map(({ id }) => ({ id, image_id: id, category_id: 1, bbox: [0, 0, 1, 1] }))
  const boxes = { images: [...pictures].reverse().slice(100), categories: [{ id: 1, name: 'cat' }] }
  const [captionFile, instances] = [join(place, 'captions.json'), join(place, 'instances.json')]
  await writeFile(captionFile, JSON.stringify({ images: pictures, annotations: captions }))
  await writeFile(instances, JSON.stringify({ ...boxes, annotations: annotations.slice(0, 300) }))
  const images = join(place, 'images')
  return {
    captions: { format: 'coco', images, captions: captionFile },
    instances: { format: 'coco', images, instances },
  }
}

const namesOf = async (given: object) =>
  (await rowsOf(given)).map(({ meta }) => meta?.file_name as string).filter(Boolean)

describe('a part of the pictures', () => {
  it.each(samples)(
    'of %s is, with the others, all of them once, in their order and from any shard',
    async (_, given) => {
      const whole = plainRows(await rowsOf(given))
      await fc.assert(
        fc.asyncProperty(fc.double({ min: 0.1, max: 0.9, noNaN: true }), async (cut) => {
          const parts = [{ to: cut }, { from: cut }]
          const split = await Promise.all(parts.map((part) => rowsOf({ ...given, part })))
          const places = new Map(whole.map((row, at) => [JSON.stringify(row), at]))
          const found = split.map((rows) =>
            plainRows(rows).map((row) => places.get(JSON.stringify(row)) ?? -1),
          )
          for (const ones of found) expect(ones).toEqual([...ones].sort((a, b) => a - b))
          expect(found.flat().sort((a, b) => a - b)).toEqual(whole.map((_, at) => at))
          for (const [at, part] of parts.entries())
            if (split[at]?.length)
              expect(plainRows(await rowsByShards({ ...given, part, shard_size: 2 }))).toEqual(
                plainRows(split[at] ?? []),
              )
        }),
        { numRuns: 1 },
      )
    },
  )

  it('is as large as it says, and shares no picture with the rest, whatever list names them', async () => {
    const { captions, instances } = await coco('photos')
    const learned = await namesOf({ ...captions, part: { to: 0.8 } })
    expect(learned.length).toBeGreaterThan(290)
    expect(learned.length).toBeLessThan(350)
    const heldOut = await namesOf({ ...instances, part: { from: 0.8 } })
    expect(heldOut.length).toBeGreaterThan(30)
    expect(heldOut.filter((name) => learned.includes(name))).toEqual([])
    // A third part is cut off the first, and moves no picture of the last.
    const tuned = await namesOf({ ...instances, part: { from: 0.7, to: 0.8 } })
    expect(tuned.length).toBeGreaterThan(10)
    expect(tuned.every((name) => learned.includes(name))).toBe(true)
  })

  it('is the same where the folder lies elsewhere, and knows rows of one address as one picture', async () => {
    const { captions } = await coco('before')
    const before = await namesOf({ ...captions, part: { from: 0.5 } })
    await rename(join(folder, 'before'), join(folder, 'after'))
    const moved = JSON.parse(JSON.stringify(captions).replaceAll('/before/', '/after/'))
    expect(await namesOf({ ...moved, part: { from: 0.5 } })).toEqual(before)
    const path = join(folder, 'twice.tsv')
    const lines = pictures.flatMap(({ id }) => [
      `one ${id}\thttp://a/${id}.jpg`,
      `two ${id}\thttp://a/${id}.jpg`,
    ])
    await writeFile(path, lines.join('\n'))
    const rows = await rowsOf({
      format: 'tsv',
      path,
      header: false,
      columns: { caption: 0, url: 1 },
      join: 'no',
      part: { to: 0.3 },
    })
    expect(rows.length).toBeGreaterThan(150)
    expect(new Set(rows.map(({ url }) => url)).size).toBe(rows.length / 2)
  })

  it('says how many rows name a picture again that is not next to them', async () => {
    const path = join(folder, 'apart.tsv')
    const lines = pictures.map(({ id }) => `a cat\thttp://a/${id}.jpg`)
    await writeFile(path, ['caption\turl', ...lines, ...lines.toReversed()].join('\n'))
    const source = { format: 'tsv', path }
    const [whole, part] = [await planOf(source), await planOf({ ...source, part: { to: 0.3 } })]
    expect(whole.repeated).toBe(399)
    expect(part.repeated).toBe(Math.floor(part.rows / 2))
    expect(part.rows).toBeGreaterThan(150)
  })

  it('is refused where it has nothing, or is none', async () => {
    const path = join(folder, 'one.tsv')
    await writeFile(path, 'caption\turl\na cat\tu')
    await expect(planOf({ format: 'tsv', path, part: { to: 1e-9 } })).rejects.toThrow(
      `${path} has no rows to ingest in the part from 0 to 1e-9: take a larger one.`,
    )
    const read = (part: object) => () => parseConfig(ingestConfig, { format: 'tsv', path, part }, 'p.yaml')
    expect(read({ from: 0.8, to: 0.8 })).toThrow('`from` must be less than `to`')
    expect(read({ share: 0.8 })).toThrow('share')
    expect(read({ to: 80 })).toThrow(/part.to.*1/)
  })
})
