import type { Xyxy } from '../boxes/xyxy.js'
import type { Caption } from '../rows/rows.js'
import { captionSamples } from './caption-samples.js'
import { cocoLayout, openCocoFile } from './coco-file.js'
import type { ExportRow } from './export-rows.js'
import { count } from './export-sums.js'
import { lengthBetween, shortFloat } from './float-text.js'
import type { Format, Memory, RowWithFile, Writer, WriterContext } from './format.js'
import { identityKeys, sourceNumber } from './source-identity.js'

const isSentence = ({ kind }: Caption) => kind !== 'categories'

/** MDETR and GLIP give all boxes of captions this one category: the words name them. */
const grounded = [{ supercategory: 'object', id: 1, name: 'object' }]

/**
 * COCO's JSON. `grounding.json` has MDETR's and GLIP's form: an image is a picture with one `caption`, and a
 * box has the spans of the words that name it, in Python's character offsets (`tokens_positive`).
 * `instances.json` has boxes with categories. Boxes are x y width height. Beside COCO's own keys a box that a
 * model found has its `score` and `origin`, and a picture what is known not to be in it, which COCO's readers
 * pass over; of a set that is not exhaustive LVIS' keys say it. An `area` is the source's where it has one;
 * crowds come out with `iscrowd`, other boxes that evaluation passes over with `ignore`.
 */
export const coco: Format = {
  pictures: 'files',
  folder: () => 'images',
  urls: true,
  classes: true,
  lacks: ['caption kinds', 'heads', 'phrases without a box', 'hashes', 'meta'],
  notes: [
    'an entry of `images` in grounding.json is a caption: a picture with several captions has several, of one file_name',
    'boxes are x y width height; a picture of instances.json has the id of the source where every picture has a number of its own, else ids are counted from 1',
  ],
  async open(context: WriterContext): Promise<Writer> {
    const { folder, config, classes, names, memory, source } = context
    const { sums, counters } = memory
    const grounding = await openCocoFile(folder, 'grounding')
    const detection = classes.names.length > 0 ? await openCocoFile(folder, 'instances') : undefined
    const next = (name: string) => {
      counters[name] = (counters[name] ?? 0) + 1
      return counters[name]
    }
    const ownId = (row: ExportRow) => (names.areNumbered ? sourceNumber(row) : undefined)
    return {
      async shard(_, rows) {
        for await (const rowWithFile of rows) {
          const { row } = rowWithFile
          const image = imageOf(rowWithFile, memory)
          for (const { caption, index, regions } of captionSamples(
            row,
            config.keep_empty,
            sums,
            isSentence,
          )) {
            const id = next('grounding.images')
            const absent = row.absence?.negatives ?? []
            await grounding.add('images', {
              id,
              ...image,
              ...(absent.length > 0 && { negatives: absent }),
              caption: caption.text,
              dataset_name: source.name,
              original_img_id: ownId(row) ?? row.key,
              sentence_id: index,
            })
            for (const { xyxy, start, end, score, origin, area } of regions) {
              await grounding.add('annotations', {
                id: next('grounding.annotations'),
                image_id: id,
                category_id: 1,
                ...boxOf(xyxy, area),
                tokens_positive: [[start, end]],
                ...(origin !== 'gold' && { score: shortFloat(score), origin }),
              })
            }
          }
          const boxes = classes.boxes(row)
          if (!detection || (boxes.length === 0 && !config.keep_empty)) continue
          sums.written.detections += boxes.length
          const ignored = row.ignored.flatMap(({ text, ...box }) => {
            const index = classes.indexOf(text)
            if (index === undefined) count(sums.lost, 'crowds')
            return index === undefined ? [] : [{ index, ...box }]
          })
          const id = ownId(row) ?? next('instances.images')
          await detection.add('images', { id, ...image, ...absenceKeys(row, classes.names) })
          for (const { index, region } of boxes) {
            const { xyxy, score, origin, area } = region
            await detection.add('annotations', {
              id: next('instances.annotations'),
              image_id: id,
              category_id: index + 1,
              ...boxOf(xyxy, area),
              ...(origin !== 'gold' && { score: shortFloat(score), origin }),
            })
          }
          for (const { index, xyxy, area, crowd } of ignored)
            await detection.add('annotations', {
              id: next('instances.annotations'),
              image_id: id,
              category_id: index + 1,
              ...boxOf(xyxy, area),
              ...(crowd ? { iscrowd: 1 } : { ignore: 1 }),
            })
        }
      },
      async finish() {
        const licenses = memory.licenses.map((name, index) => ({ id: index + 1, name, url: name }))
        if (sums.written.captions > 0 || !detection)
          await grounding.finish({ licenses, categories: grounded })
        const categories = classes.names.map((name, index) => ({
          id: index + 1,
          name,
          supercategory: 'object',
        }))
        await detection?.finish({ licenses, categories })
      },
    }
  },
  layout({ memory }) {
    const { captions, detections } = memory.sums.written
    return cocoLayout({ memory }, [
      ...(captions > 0 || detections === 0 ? [{ name: 'grounding', images: [caption], boxes: [spans] }] : []),
      ...(detections > 0 ? [{ name: 'instances', images: [], boxes: [] }] : []),
    ])
  },
  ingest: (folder, { images }, { written }) => {
    const pictures = images === 'url' ? {} : { images: folder }
    return {
      ...((written.captions > 0 || written.detections === 0) && {
        grounding: { format: 'coco', instances: `${folder}/grounding.json`, ...pictures },
      }),
      ...(written.detections > 0 && {
        detection: { format: 'coco', instances: `${folder}/instances.json`, ...pictures },
      }),
    }
  },
}

const caption = { name: 'caption', description: 'the caption', type: 'sc:Text' } as const
const spans = {
  name: 'tokens_positive',
  description: 'spans of the words in the caption that name the box, in characters',
  ...({ type: 'sc:Integer', shape: '-1,2' } as const),
}

/**
 * What is absent, as LVIS says it of a federated set; the rest by keys that COCO's readers pass over. Of a
 * picture that is exhaustive LVIS' keys would say that only some categories were looked for.
 */
function absenceKeys({ absence }: ExportRow, classes: readonly string[]) {
  if (!absence) return {}
  const { negatives, exhaustive, partial } = absence
  const idsOf = (names: readonly string[]) =>
    names.flatMap((name) => (classes.includes(name) ? [classes.indexOf(name) + 1] : []))
  const unlisted = exhaustive ? negatives : negatives.filter((name) => !classes.includes(name))
  return {
    ...(exhaustive ? { exhaustive } : { neg_category_ids: idsOf(negatives) }),
    not_exhaustive_category_ids: idsOf(partial),
    ...(unlisted.length > 0 && { negatives: unlisted }),
  }
}

function imageOf({ file, name, row }: RowWithFile, { licenses }: Memory) {
  const { width, height, url, license } = row
  if (license !== null && !licenses.includes(license)) licenses.push(license)
  return {
    file_name: file ?? `${name}.jpg`,
    width,
    height,
    ...(url !== null && { coco_url: url }),
    ...(license !== null && { license: licenses.indexOf(license) + 1 }),
    ...identityKeys(row),
  }
}

/** @param area what the source calls the thing's; else it is the box's */
function boxOf([x1, y1, x2, y2]: Xyxy, area?: number | null) {
  const width = lengthBetween(x1, x2)
  const height = lengthBetween(y1, y2)
  return { bbox: [shortFloat(x1), shortFloat(y1), width, height], area: area ?? width * height, iscrowd: 0 }
}
