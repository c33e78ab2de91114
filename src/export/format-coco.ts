import { join } from 'node:path'
import type { Xyxy } from '../boxes/xyxy.js'
import type { Caption } from '../rows/rows.js'
import { asciiJson } from './ascii-json.js'
import { captionSamples } from './caption-samples.js'
import { helperPrefix } from './export-folder.js'
import { lengthBetween, shortFloat } from './float-text.js'
import type { Format, Memory, RowWithFile, Writer, WriterContext } from './format.js'
import type { PartFile } from './part-file.js'
import { appendFile } from './part-file.js'

const isSentence = ({ kind }: Caption) => kind !== 'categories'

/** MDETR and GLIP give all boxes of captions this one category: the words name them. */
const grounded = [{ supercategory: 'object', id: 1, name: 'object' }]

/**
 * COCO's JSON. `grounding.json` has MDETR's and GLIP's form: an image is a picture with one `caption`, and a
 * box has the spans of the words that name it, in Python's character offsets (`tokens_positive`).
 * `instances.json` has boxes with categories. Boxes are x y width height. Beside COCO's own keys a box that a
 * model found has its `score` and `origin`, which COCO's readers pass over.
 */
export const coco: Format = {
  pictures: 'files',
  folder: () => 'images',
  urls: true,
  classes: 'categories',
  lacks: ['caption kinds', 'heads', 'phrases without a box', 'hashes', 'meta'],
  notes: [
    'an image of grounding.json is a caption: a picture with several captions is several images of one file_name',
    'boxes are x y width height; ids are counted from 1',
  ],
  async open(context: WriterContext): Promise<Writer> {
    const { folder, config, classes, memory, source } = context
    const { sums, counters } = memory
    const grounding = await openList(folder, 'grounding')
    const detection = classes.names.length > 0 ? await openList(folder, 'instances') : undefined
    const next = (name: string) => {
      counters[name] = (counters[name] ?? 0) + 1
      return counters[name]
    }
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
            await grounding.add('images', {
              id,
              ...image,
              caption: caption.text,
              dataset_name: source.name,
              original_img_id: row.key,
              sentence_id: index,
            })
            for (const { xyxy, start, end, score, origin } of regions) {
              await grounding.add('annotations', {
                id: next('grounding.annotations'),
                image_id: id,
                category_id: 1,
                ...boxOf(xyxy),
                tokens_positive: [[start, end]],
                ...(origin !== 'gold' && { score: shortFloat(score), origin }),
              })
            }
          }
          const boxes = classes.boxes(row)
          if (!detection || (boxes.length === 0 && !config.keep_empty)) continue
          sums.written.detections += boxes.length
          const id = next('instances.images')
          await detection.add('images', { id, ...image })
          for (const { index, region } of boxes) {
            const { xyxy, score, origin } = region
            await detection.add('annotations', {
              id: next('instances.annotations'),
              image_id: id,
              category_id: index + 1,
              ...boxOf(xyxy),
              ...(origin !== 'gold' && { score: shortFloat(score), origin }),
            })
          }
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

function imageOf({ file, row }: RowWithFile, { licenses }: Memory) {
  const { key, width, height, url, license } = row
  if (license !== null && !licenses.includes(license)) licenses.push(license)
  return {
    file_name: file ?? `${key}.jpg`,
    width,
    height,
    ...(url !== null && { coco_url: url }),
    ...(license !== null && { license: licenses.indexOf(license) + 1 }),
  }
}

function boxOf([x1, y1, x2, y2]: Xyxy) {
  const width = lengthBetween(x1, x2)
  const height = lengthBetween(y1, y2)
  return { bbox: [shortFloat(x1), shortFloat(y1), width, height], area: width * height, iscrowd: 0 }
}

type ListName = 'images' | 'annotations'

/** A COCO file whose two lists grow in files of their own, to be joined at the end. */
async function openList(folder: WriterContext['folder'], name: string) {
  const helper = (list: ListName) => `${helperPrefix}${name}-${list}.json`
  const parts: Record<ListName, PartFile> = {
    images: await folder.part(helper('images')),
    annotations: await folder.part(helper('annotations')),
  }
  return {
    async add(list: ListName, value: object) {
      const part = parts[list]
      await part.write(`${part.length() > 0 ? ',\n' : ''}${asciiJson(value)}`)
    },
    async finish(head: object) {
      const file = `${name}.json`
      const whole = await folder.part(file)
      await whole.write(`${asciiJson({ info: { description: name }, ...head }).slice(0, -1)}`)
      for (const list of ['images', 'annotations'] as const) {
        await parts[list].flush()
        await whole.write(`,\n"${list}": [\n`)
        await appendFile(join(folder.path, helper(list)), whole)
        await whole.write('\n]')
      }
      await whole.write('}\n')
      await folder.end(file)
    },
  }
}
