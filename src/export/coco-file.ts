import { join } from 'node:path'
import { asciiJson } from '../base/ascii-json.js'
import { pictureFiles, type RecordField, type RecordLayout } from '../card/croissant-records.js'
import { helperPrefix } from './export-folder.js'
import type { WriterContext } from './format.js'
import { appendFile, type PartFile } from './part-file.js'

type ListName = 'images' | 'annotations'

/** A COCO file whose two lists grow in files of their own, to be joined at the end. */
export async function openCocoFile(folder: WriterContext['folder'], name: string) {
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
      folder.end(file)
    },
  }
}

type Keys = readonly Pick<RecordField, 'name' | 'description' | 'type' | 'shape'>[]

/** A COCO file, and keys that every image or box of it has beside COCO's own. */
interface DescribedCoco {
  readonly name: string
  readonly images: Keys
  readonly boxes: Keys
}

const imageKeys: Keys = [
  { name: 'id', description: 'number of the entry', type: 'sc:Integer' },
  { name: 'file_name', description: 'the file of the picture', type: 'sc:Text' },
  { name: 'width', description: 'pixels', type: 'sc:Integer' },
  { name: 'height', description: 'pixels', type: 'sc:Integer' },
]
const boxKeys: Keys = [
  { name: 'id', description: 'number of the box', type: 'sc:Integer' },
  { name: 'image_id', description: 'id of its entry of images', type: 'sc:Integer' },
  { name: 'category_id', description: 'number of its category', type: 'sc:Integer' },
  { name: 'bbox', description: 'x y width height', type: 'cr:BoundingBox' },
]

/**
 * The lists of COCO files as records. Each list is a file set of its own, since mlcroissant reads a file in one way
 * alone; keys that some entries lack are left out, since it puts values together by their number.
 */
export function cocoLayout(
  { memory }: Pick<WriterContext, 'memory'>,
  files: readonly DescribedCoco[],
): RecordLayout {
  const lists = files.flatMap(({ name, images, boxes }) => [
    { name, list: 'images', keys: [...imageKeys, ...images], what: 'entries' },
    { name, list: 'annotations', keys: [...boxKeys, ...boxes], what: 'boxes' },
  ])
  return {
    fileSets: [
      ...lists.map(({ name, list }) => ({
        ...{ id: `${name}.json/${list}`, description: `the list \`${list}\` of ${name}.json` },
        ...{ includes: [`${name}.json`], encodingFormat: 'application/json' },
      })),
      ...pictureFiles('images', memory.sums.pictures),
    ],
    records: lists.map(({ name, list, keys, what }) => ({
      ...{ id: `${name}-${list}`, description: `the ${what} of ${name}.json`, key: 'id' },
      fields: keys.map((key) => ({
        ...key,
        source: {
          of: { fileSet: `${name}.json/${list}` },
          extract: { jsonPath: `${list}[*].${key.name}` },
        },
      })),
    })),
  }
}
