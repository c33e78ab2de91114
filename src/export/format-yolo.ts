import { asciiJson } from '../base/ascii-json.js'
import { pictureFiles } from '../card/croissant-records.js'
import { count } from './export-sums.js'
import { toDecimals } from './float-text.js'
import type { Format, Writer } from './format.js'
import { writeNew } from './place-picture.js'
import { identityKeys } from './source-identity.js'

/** What the pictures are called in their source, a line each, as Hugging Face's image folders have it. */
const pictureList = 'metadata.jsonl'

/**
 * Ultralytics' YOLO: `images/<split>/…`, for each a text file of the same name under `labels/<split>/` with a
 * line a box (class, centre, width and height in shares of the picture's), and `data.yaml` with the names of
 * the classes. `metadata.jsonl` says what the source calls the pictures.
 */
export const yolo: Format = {
  pictures: 'files',
  folder: ({ split }) => `images/${split}`,
  urls: false,
  classes: true,
  lacks: [
    'captions',
    'caption kinds',
    'spans',
    'scores',
    'origins',
    'phrases without a box',
    'hashes',
    'meta',
    'negatives',
    'areas',
    'crowds',
  ],
  notes: [
    'boxes have a class and no words: see `classes`',
    'a box that several captions name by the same class is one box',
    'data.yaml names its one split for train and for val: put a held-out export in the place of val',
  ],
  async open({ folder, config, classes, memory }): Promise<Writer> {
    const { sums } = memory
    const { written, leftOut } = sums
    const list = await folder.part(pictureList)
    return {
      wants: classes.hasBox,
      async shard(_, rows) {
        for await (const { row, file } of rows) {
          const { width, height } = row
          const boxes = classes.boxes(
            row,
            () => count(leftOut.regions, 'not_in_classes'),
            () => count(leftOut.regions, 'same_box'),
          )
          const lines = boxes.map(({ index, region: { xyxy } }) => {
            const [x1, y1, x2, y2] = xyxy
            const shares = [
              (x1 + x2) / 2 / width,
              (y1 + y2) / 2 / height,
              (x2 - x1) / width,
              (y2 - y1) / height,
            ]
            return `${[index, ...shares.map(shareText)].join(' ')}\n`
          })
          written.regions += boxes.length
          writeNew(await folder.loosePath(labelName(file as string)), lines.join(''))
          const { url, license } = row
          const more = { ...(url !== null && { url }), ...(license !== null && { license }) }
          await list.write(`${asciiJson({ file_name: file, ...identityKeys(row), ...more })}\n`)
        }
      },
      async finish() {
        const { split } = config
        const names = classes.names.map((name, index) => `  ${index}: ${JSON.stringify(name)}\n`)
        const valComment =
          split === 'val' ? '' : '# Ultralytics asks for a val: put held-out pictures in its place.\n'
        await folder.write(
          'data.yaml',
          `train: images/${split}\n${valComment}val: images/${split}\nnames:${names.length > 0 ? `\n${names.join('')}` : ' {}\n'}`,
        )
      },
    }
  },
  layout({ config, memory }) {
    const lines = { fileSet: 'label-files' }
    return {
      fileSets: [
        {
          id: 'label-files',
          description: 'a text file for each picture, with a line for each of its boxes',
          ...{ includes: [`labels/${config.split}/*/*.txt`], encodingFormat: 'text/plain' },
        },
        ...pictureFiles(`images/${config.split}`, memory.sums.pictures),
      ],
      records: [
        {
          ...{ id: 'pictures', description: 'a picture', key: 'file_name' },
          fields: [
            {
              ...{ name: 'file_name', description: 'its file', type: 'sc:Text' },
              source: { of: { fileObject: pictureList }, extract: { column: 'file_name' } },
            },
          ],
        },
        {
          ...{ id: 'boxes', description: 'a box of a class' },
          fields: [
            {
              ...{ name: 'file', description: 'the file of labels that it stands in', type: 'sc:Text' },
              source: { of: lines, extract: { fileProperty: 'fullpath' } },
            },
            {
              ...{ name: 'class', description: 'number of its class in data.yaml', type: 'sc:Integer' },
              source: { of: lines, extract: { fileProperty: 'lines' }, transform: [{ regex: '^(\\d+) ' }] },
            },
            {
              ...{ name: 'box', type: 'sc:Float', shape: '4' },
              description: "centre x, centre y, width and height in shares of the picture's",
              source: {
                ...{ of: lines, extract: { fileProperty: 'lines' } },
                transform: [{ regex: '^\\d+ (.*)$' }, { separator: ' ' }],
              },
            },
          ],
        },
      ],
    }
  },
  ingest: (folder, { format, split }) => ({
    detection: { format, path: `${folder}/data.yaml`, split },
  }),
}

const labelName = (file: string) => file.replace(/^images\//, 'labels/').replace(/\.\w+$/, '.txt')

/** Ten places: less than a millionth of a pixel. */
const shareText = (share: number) => String(toDecimals(share, 10))
