import { asciiJson } from '../base/ascii-json.js'
import { listField, pictureFiles, type RecordField, type Records } from '../card/croissant-records.js'
import type { Caption } from '../rows/rows.js'
import { captionSamples } from './caption-samples.js'
import type { ClassBox } from './classes.js'
import type { ExportRegion, ExportRow } from './export-rows.js'
import { shortFloat } from './float-text.js'
import type { Format, RowWithFile, Writer } from './format.js'
import { identityKeys } from './source-identity.js'

const grounding = 'grounding.jsonl'
const detection = 'detection.jsonl'
const labelMap = 'label_map.json'

/** Category names are detection, which ODVG has its own lines for. */
const isSentence = ({ kind }: Caption) => kind !== 'categories'

/**
 * MMDetection's ODVG, an object a line: `grounding.jsonl` has a caption and its phrases' boxes,
 * `detection.jsonl` boxes with the labels of `label_map.json`. ODVG has no key for what is absent: it stands
 * in keys of the line that its readers pass over.
 */
export const odvg: Format = {
  pictures: 'files',
  folder: () => 'images',
  urls: true,
  classes: true,
  lacks: [
    'caption kinds',
    'scores',
    'origins',
    'heads',
    'phrases without a box',
    'urls',
    'hashes',
    'licenses',
    'meta',
    'areas',
    'crowds',
  ],
  notes: [
    'a caption is a line: a picture with several captions stands on several lines',
    'boxes of one span are one region with a list of boxes, in the order of the spans',
    'readers of detection.jsonl take every class that a line has no box of for absent, whatever its key `exhaustive` says',
  ],
  async open({ folder, config, classes, memory }): Promise<Writer> {
    const { sums } = memory
    const lines = await folder.part(grounding)
    const boxLines = classes.names.length > 0 ? await folder.part(detection) : undefined
    return {
      async shard(_, rows) {
        for await (const rowWithFile of rows) {
          const { row } = rowWithFile
          for (const { caption, regions } of captionSamples(row, config.keep_empty, sums, isSentence)) {
            const part = { caption: caption.text, regions: phraseRegions(regions) }
            const absent = row.absence?.negatives ?? []
            const more = absent.length > 0 ? { negatives: absent } : {}
            await lines.write(`${asciiJson({ ...pictureOf(rowWithFile), ...more, grounding: part })}\n`)
          }
          const boxes = classes.boxes(row)
          if (!boxLines || (boxes.length === 0 && !config.keep_empty)) continue
          sums.written.detections += boxes.length
          const line = { ...pictureOf(rowWithFile), ...row.absence }
          await boxLines.write(`${asciiJson({ ...line, detection: { instances: boxes.map(instanceOf) } })}\n`)
        }
      },
      async finish() {
        if (!boxLines) return
        // Of detection data alone there is no caption.
        if (sums.written.captions === 0) await folder.discard(grounding)
        await folder.write(labelMap, `${asciiJson({ ...classes.names })}\n`)
      },
    }
  },
  layout({ memory }) {
    const { captions, detections } = memory.sums.written
    return {
      fileSets: pictureFiles('images', memory.sums.pictures),
      records: [
        ...(captions > 0 || detections === 0 ? [captionRecords] : []),
        ...(detections > 0 ? [detectionRecords] : []),
      ],
    }
  },
  ingest: (folder, { images, format }, { written }) => {
    const pictures = images === 'url' ? {} : { images: folder }
    return {
      ...((written.captions > 0 || written.detections === 0) && {
        grounding: { format, path: `${folder}/${grounding}`, ...pictures },
      }),
      ...(written.detections > 0 && {
        detection: {
          format,
          path: `${folder}/${detection}`,
          classes: `${folder}/${labelMap}`,
          ...pictures,
        },
      }),
    }
  },
}

const column = (file: string, name: string) => ({ of: { fileObject: file }, extract: { column: name } })

const pictureFields = (file: string): RecordField[] => [
  {
    ...{ name: 'filename', description: 'the file of the picture, or its address', type: 'sc:Text' },
    source: column(file, 'filename'),
  },
  { name: 'height', description: 'pixels', type: 'sc:Integer', source: column(file, 'height') },
  { name: 'width', description: 'pixels', type: 'sc:Integer', source: column(file, 'width') },
]

const captionRecords: Records = {
  ...{ id: 'captions', description: 'a caption of a picture, and the boxes that its words name' },
  fields: [
    ...pictureFields(grounding),
    {
      ...{ name: 'caption', description: 'the caption', type: 'sc:Text' },
      source: { ...column(grounding, 'grounding'), transform: [{ jsonPath: 'caption' }] },
    },
    listField(
      'regions',
      'words of the caption and what they name',
      column(grounding, 'grounding'),
      [
        { name: 'phrase', description: 'the words', type: 'sc:Text' },
        {
          ...{ name: 'bbox', type: 'sc:Float', shape: '-1' },
          description: 'x1 y1 x2 y2 in pixels, or a list of such boxes',
        },
        {
          ...{ name: 'tokens_positive', type: 'sc:Integer', shape: '-1,2' },
          description: 'spans of the words in the caption, in characters',
        },
      ],
      [{ jsonPath: 'regions' }],
    ),
  ],
}

const detectionRecords: Records = {
  ...{ id: 'detections', description: 'a picture and its boxes of classes' },
  fields: [
    ...pictureFields(detection),
    listField(
      'instances',
      'its boxes',
      column(detection, 'detection'),
      [
        { name: 'bbox', description: 'x1 y1 x2 y2 in pixels', type: 'sc:Float', shape: '4' },
        { name: 'label', description: 'number of its class in label_map.json', type: 'sc:Integer' },
        { name: 'category', description: 'name of its class', type: 'sc:Text' },
      ],
      [{ jsonPath: 'instances' }],
    ),
  ],
}

const pictureOf = ({ file, row }: RowWithFile) => ({
  filename: file ?? row.url,
  height: row.height,
  width: row.width,
  ...identityKeys(row),
})

export const boxOf = ({ xyxy }: ExportRegion) => xyxy.map(shortFloat)

const instanceOf = ({ index, name, region }: ClassBox) => ({
  bbox: boxOf(region),
  label: index,
  category: name,
})

/** The boxes of each span together. */
function phraseRegions(regions: ExportRow['regions']) {
  const spans = new Map<string, { phrase: string; span: [number, number]; boxes: number[][] }>()
  for (const region of regions) {
    const { start, end, text } = region
    const known = spans.get(`${start} ${end}`)
    if (known) known.boxes.push(boxOf(region))
    else spans.set(`${start} ${end}`, { phrase: text, span: [start, end], boxes: [boxOf(region)] })
  }
  return [...spans.values()].map(({ phrase, span, boxes }) => ({
    bbox: boxes.length === 1 ? boxes[0] : boxes,
    phrase,
    tokens_positive: [span],
  }))
}
