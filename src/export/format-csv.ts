import { pictureFiles, type RecordField } from '../card/croissant-records.js'
import { floatText } from './float-text.js'
import type { Format, Writer } from './format.js'

export const csvColumns = [
  'key',
  'file_name',
  'url',
  'width',
  'height',
  'license',
  'meta',
  'caption',
  'kind',
  'text',
  'start',
  'end',
  'phrase',
  'head',
  'x1',
  'y1',
  'x2',
  'y2',
  'score',
  'origin',
  'source_id',
  'source_name',
] as const

const file = 'regions.csv'

/**
 * A table of regions (RFC 4180), those of a picture one behind the other: the picture, the number, kind and
 * text of the caption, the span and what it covers, the box, the score. A caption without a region has a row
 * with no box.
 */
export const csv: Format = {
  pictures: 'files',
  folder: () => 'images',
  urls: true,
  lacks: ['phrases without a box', 'hashes', 'negatives', 'areas', 'crowds'],
  notes: ['a region is a row, and its picture and caption are written with each'],
  async open({ folder, memory }): Promise<Writer> {
    const { written } = memory.sums
    const table = await folder.part(file)
    if (table.length() === 0) await table.write(`${csvColumns.join(',')}\n`)
    return {
      async shard(_, rows) {
        for await (const { row, file: name } of rows) {
          const { key, url, width, height, license, meta, captions, regions } = row
          const identity = [row.sourceId ?? '', row.sourceName ?? '']
          const picture = [key, name ?? '', url ?? '', width, height, license ?? '', meta ?? '']
          const lines = captions.flatMap(({ text, kind }, index) => {
            const captionRegions = regions.filter(({ caption }) => caption === index)
            const caption = [...picture, index, kind, text]
            written.captions++
            written.regions += captionRegions.length
            if (captionRegions.length === 0)
              return [lineOf([...caption, ...Array<string>(10).fill(''), ...identity])]
            return captionRegions.map(({ start, end, text: phrase, head, xyxy, score, origin }) =>
              lineOf([
                ...caption,
                start,
                end,
                phrase,
                head,
                ...xyxy.map(floatText),
                floatText(score),
                origin,
                ...identity,
              ]),
            )
          })
          await table.write(lines.join(''))
        }
      },
      async finish() {},
    }
  },
  layout: ({ memory }) => ({
    fileSets: pictureFiles('images', memory.sums.pictures),
    records: [
      {
        ...{
          id: 'regions',
          description: 'a region of a caption of a picture; a caption without one has no box',
        },
        fields: csvFields.map(
          ([name, type, description]): RecordField => ({
            ...{ name, description, type },
            source: { of: { fileObject: file }, extract: { column: name } },
          }),
        ),
      },
    ],
  }),
  ingest: (folder, { images }) => ({
    regions: {
      format: 'csv-regions',
      path: `${folder}/${file}`,
      ...(images === 'url' ? {} : { images: folder }),
    },
  }),
}

/** Without columns of digits that are no numbers, such as keys: mlcroissant's reader of CSV takes them for numbers. */
const csvFields = [
  ['file_name', 'sc:Text', 'the file of the picture'],
  ['url', 'sc:URL', 'where the picture was crawled'],
  ['width', 'sc:Integer', 'pixels'],
  ['height', 'sc:Integer', 'pixels'],
  ['license', 'sc:Text', 'of the picture, as its source says'],
  ['caption', 'sc:Integer', "number of the caption among the picture's"],
  ['kind', 'sc:Text', 'of the caption: web, gold or categories'],
  ['text', 'sc:Text', 'the caption'],
  ['start', 'sc:Integer', 'where the words begin, in characters'],
  ['end', 'sc:Integer', 'where they end'],
  ['phrase', 'sc:Text', 'the words'],
  ['head', 'sc:Text', 'their head noun'],
  ['x1', 'sc:Float', 'left edge of the box in pixels'],
  ['y1', 'sc:Float', 'its upper edge'],
  ['x2', 'sc:Float', 'its right edge'],
  ['y2', 'sc:Float', 'its lower edge'],
  ['score', 'sc:Float', 'of who found the box, 0 to 1'],
  ['origin', 'sc:Text', 'who gave the box'],
] as const

const lineOf = (cells: readonly (string | number)[]) => `${cells.map(cellOf).join(',')}\n`

function cellOf(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
