import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ExportFormat, exportFormats } from '../../src/export/config.js'
import { readExportRows } from '../../src/export/export-rows.js'
import { GroupMemory } from '../../src/parquet/group-memory.js'
import type { Caption, GroundingRow, ImageRow, PhraseRow, Region } from '../../src/rows/rows.js'
import { exportTo, groundedDataset, type PictureSpec, side } from '../helpers/grounded-dataset.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { some } from '../helpers/thorough.js'

const folder = await temporaryFolder()

/**
 * Captions that are hard on formats: several units a code point, marks, quotes, tabs, line ends of all kinds.
 */
const word = fc.constantFrom(
  ...[
    'a',
    'dog',
    '"',
    ',',
    '\t',
    '\n',
    '\r\n',
    '\r',
    '\\',
    '🐕‍🦺',
    'é',
    'e\u0301',
    '<b>',
    "'",
    '日本',
    '\u2028',
    '𝒳',
    ' ',
  ],
)
const captionText = fc
  .array(word, { minLength: 1, maxLength: 8 })
  .map((words) => words.join(' '))
  .filter((text) => text.trim() !== '')
const sentence = fc.record({ text: captionText, kind: fc.constantFrom<Caption['kind']>('web', 'gold') })
const coordinate = fc.float({ min: 0, max: side - 2, noNaN: true, noDefaultInfinity: true })
const extent = fc.float({ min: 1, max: side, noNaN: true, noDefaultInfinity: true })
const box = fc
  .tuple(coordinate, coordinate, extent, extent)
  .map(
    ([x, y, w, h]) =>
      [x, y, Math.min(side, x + Math.max(1.01, w)), Math.min(side, y + Math.max(1.01, h))] as const,
  )
const regionSpec = fc
  .record({
    caption: fc.nat(2),
    start: fc.nat(12),
    length: fc.integer({ min: 1, max: 6 }),
    xyxy: box,
    score: fc.float({ min: 0, max: 1, noNaN: true }),
    isGold: fc.boolean(),
  })
  .map(({ length, isGold, ...region }) => ({
    ...region,
    end: region.start + length,
    ...(isGold ? { score: 1, origin: 'gold' } : { origin: 'teacher é' }),
  }))
const picture: fc.Arbitrary<PictureSpec> = fc.record({
  captions: fc.array(sentence, { minLength: 1, maxLength: 3 }),
  regions: fc.array(regionSpec, { maxLength: 5 }),
  license: fc.option(fc.constantFrom('CC BY 4.0', 'a, "b"')),
  meta: fc.option(fc.constantFrom('{"id":1,"a":"x,\\"y\\"\\n"}')),
})
const shards = fc.array(fc.array(picture, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 })

let count = 0

type Back = Awaited<ReturnType<typeof ingestAll>> & {
  readonly grounding: readonly GroundingRow[]
  readonly phrases: readonly PhraseRow[]
}

/** Exports pictures and ingests what came of it; what was ingested is shown by the names of its parts. */
async function there(format: ExportFormat, given: readonly (readonly PictureSpec[])[], config: object = {}) {
  const base = join(folder, String(count++))
  const source = await groundedDataset(join(base, 'dataset'), given)
  const { report } = await exportTo(source, join(base, 'out'), { format, keep_empty: true, ...config })
  const before = []
  for (const shard of source.shards)
    for await (const row of readExportRows(source, shard, { pictures: new GroupMemory() }))
      before.push({ ...row, bytes: row.bytes.slice() })
  const back: Record<string, Back> = {}
  for (const [name, stage] of Object.entries(report.ingest)) {
    const read = await ingestAll(join(base, name), stage)
    back[name] = { ...read, grounding: await read.all('grounding'), phrases: await read.all('phrases') }
  }
  await rm(base, { recursive: true })
  return { before, back, report }
}

/** A region by its caption and its words, which is what all formats with captions hold. */
const named = ({ captions }: Pick<ImageRow, 'captions'>, { caption, start, end, xyxy }: Region) => ({
  text: captions[caption].text,
  start,
  end,
  xyxy,
})
const sorted = <T>(values: readonly T[]) =>
  [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

describe('export, then ingest', () => {
  it.each(['hf', 'webdataset', 'csv'] as const)(
    '%s gives the same pictures, captions and regions',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(shards, async (given) => {
          const { before, back } = await there(format, given)
          const { images, grounding, rejects } = back.regions
          expect(rejects).toEqual([])
          expect(images.map(({ captions }) => captions)).toEqual(before.map(({ captions }) => captions))
          expect(images.map(({ sha256, license }) => ({ sha256, license }))).toEqual(
            before.map(({ sha256, license }) => ({ sha256, license })),
          )
          // The phrases' numbers alone are new: those that no region names are gone.
          // A table has the regions of each caption together.
          const inOrder = format === 'csv' ? sorted : <T>(values: readonly T[]) => [...values]
          expect(
            grounding.map(({ regions }) => inOrder(regions.map(({ phrase: _, ...rest }) => rest))),
          ).toEqual(
            before.map(({ regions }) =>
              inOrder(regions.map(({ phrase: _, text: __, head: ___, ...rest }) => rest)),
            ),
          )
          for (const { phrases } of back.regions.phrases)
            for (const { head } of phrases) expect(head).toBe('thing')
        }),
        { numRuns: some(6, 15) },
      )
    },
  )

  it.each(['coco', 'odvg', 'glip-tsv'] as const)(
    '%s gives the same regions, a caption a row',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(shards, async (given) => {
          const { before, back } = await there(format, given)
          const { images, grounding, rejects } = back.grounding
          expect(rejects).toEqual([])
          const samples = before.flatMap((row) =>
            row.captions.map(({ text }, caption) => ({
              text,
              regions: sorted(
                row.regions
                  .filter((region) => region.caption === caption)
                  .map((region) => named(row, region)),
              ),
            })),
          )
          const read = grounding.map(({ regions }, at) => ({
            text: images[at].captions[0].text,
            regions: sorted(regions.map((region) => named(images[at], region))),
          }))
          expect(read).toEqual(samples)
          const scores = grounding.flatMap(({ regions }) =>
            regions.map(({ score, origin }) => [score, origin]),
          )
          const given2 = before.flatMap(({ regions }) => regions.map(({ score, origin }) => [score, origin]))
          if (format === 'coco') expect(sorted(scores)).toEqual(sorted(given2))
          if (format === 'glip-tsv')
            expect(sorted(scores.map(([score]) => score))).toEqual(sorted(given2.map(([score]) => score)))
          if (format === 'odvg')
            expect(scores.every(([score, origin]) => score === 1 && origin === 'gold')).toBe(true)
        }),
        { numRuns: some(6, 15) },
      )
    },
  )

  it.each(['yolo', 'coco', 'odvg'] as const)(
    '%s gives the same boxes of the same classes',
    async (format) => {
      const names = ['dog', 'Traffic light', 'TV: "flat"', 'é 🐕']
      const own = fc.record({
        captions: fc.constant([{ text: names.join('. '), kind: 'categories' as const }]),
        regions: fc.array(fc.tuple(fc.nat(names.length - 1), box), { maxLength: 6 }).map((boxes) =>
          boxes.map(([name, xyxy]) => {
            const start = [...names.slice(0, name).join('. ')].length + (name > 0 ? 2 : 0)
            // On a grid: below, places are rounded, and values in between might be on the edge of it.
            const onGrid = xyxy.map((value) =>
              Math.fround(Math.round(value * 1e3) / 1e3),
            ) as unknown as typeof xyxy
            const end = start + [...names[name]].length
            return { caption: 0, start, end, xyxy: onGrid, score: 1, origin: 'gold' }
          }),
        ),
      })
      const pictures = fc
        .array(own, { minLength: 1, maxLength: 4 })
        .filter((all) => all.some(({ regions }) => regions.length > 0))
      await fc.assert(
        fc.asyncProperty(pictures, async (given) => {
          const { before, back } = await there(format, [given], { classes: 'categories', keep_empty: false })
          const filled = before.filter(({ regions }) => regions.length > 0)
          const { images, grounding } = back.detection
          const places = ({ xyxy }: { xyxy: Region['xyxy'] }) =>
            xyxy.map((value) => Math.round(value * 1e5) / 1e5)
          const unique = (values: readonly unknown[]) =>
            [...new Set(values.map((value) => JSON.stringify(value)))].sort()
          expect(
            grounding.map(({ regions }, at) =>
              unique(
                regions.map((region) => [
                  [...images[at].captions[region.caption].text].slice(region.start, region.end).join(''),
                  places(region),
                ]),
              ),
            ),
          ).toEqual(
            filled.map(({ regions }) => unique(regions.map((region) => [region.text, places(region)]))),
          )
        }),
        { numRuns: some(6, 15) },
      )
    },
  )

  it('is tried for every format', () => {
    expect([...exportFormats].sort()).toEqual([
      'coco',
      'csv',
      'glip-tsv',
      'hf',
      'odvg',
      'saco',
      'webdataset',
      'yolo',
    ])
  })
})
