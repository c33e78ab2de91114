import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseConfig } from '../parse-config.js'
import type { Caption } from '../shards/rows.js'
import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { type GoldRegion, type Mark, type SourceRow, sourceRow } from './source-row.js'

const id = z.union([z.number(), z.string()])

const imageSchema = z.looseObject({
  id,
  file_name: z.string(),
  width: z.number().optional(),
  height: z.number().optional(),
  caption: z.string().optional(),
  license: id.optional(),
  coco_url: z.string().optional(),
})

const captionsSchema = z.looseObject({
  images: z.array(imageSchema),
  annotations: z.array(z.looseObject({ image_id: id, caption: z.string() })),
})

const instancesSchema = z.looseObject({
  images: z.array(imageSchema),
  annotations: z.array(
    z.looseObject({
      image_id: id,
      category_id: id.optional(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      iscrowd: z.number().optional(),
      tokens_positive: z.array(z.tuple([z.number(), z.number()])).optional(),
    }),
  ),
  categories: z.array(z.looseObject({ id, name: z.string() })),
})

type Image = z.infer<typeof imageSchema>
type Id = z.infer<typeof id>

/**
 * Pictures with captions and boxes from COCO JSON: `captions`, `instances`, or both. In MDETR's form a picture has
 * its `caption` and a box the spans of the words that name it (`tokens_positive`); GLIP's gold data come so.
 * Crowd boxes name no one thing and are left out, and counted.
 */
export async function* readCoco(config: IngestConfig, from?: Mark): AsyncGenerator<SourceRow> {
  if (!config.captions && !config.instances) {
    throw new UserError('A coco source needs `captions`, `instances`, or both: the paths of its JSON files.')
  }
  const captions = config.captions ? await readJson(captionsSchema, config.captions) : undefined
  const instances = config.instances ? await readJson(instancesSchema, config.instances) : undefined
  const images = new Map<Id, Image>()
  for (const image of [...(captions?.images ?? []), ...(instances?.images ?? [])]) {
    images.set(image.id, { ...images.get(image.id), ...image })
  }
  const texts = groupBy(captions?.annotations ?? [], ({ image_id }) => image_id)
  const boxes = groupBy(instances?.annotations ?? [], ({ image_id }) => image_id)
  const names = new Map(instances?.categories.map((category) => [category.id, category.name]))
  const ordered = [...images.values()].sort((a, b) => (Number(a.id) || 0) - (Number(b.id) || 0))

  for (let at = from?.at ?? 0; at < ordered.length; at++) {
    const image = ordered[at]
    const place = `${config.instances ?? config.captions} image ${image.id}`
    const own: Caption[] = image.caption ? [{ text: image.caption, kind: 'gold' }] : []
    const written = (texts.get(image.id) ?? []).map(
      ({ caption }): Caption => ({ text: caption, kind: 'gold' }),
    )
    const all = boxes.get(image.id) ?? []
    yield sourceRow({
      mark: { at, line: 0 },
      place,
      url: config.base_url || !config.images ? image.file_name : null,
      file: config.base_url || !config.images ? null : join(config.images, image.file_name),
      captions: [...own, ...written],
      regions: instances
        ? all
            .filter(({ iscrowd }) => !iscrowd)
            .map((box) => regionOf(box, names.get(box.category_id ?? '') ?? ''))
        : null,
      size: image.width && image.height ? { width: image.width, height: image.height } : null,
      license: image.license === undefined ? null : String(image.license),
      meta: { id: image.id, file_name: image.file_name, ...(all.length ? { boxes: all.length } : {}) },
    })
  }
}

function regionOf(
  { bbox: [x, y, width, height], tokens_positive }: z.infer<typeof instancesSchema>['annotations'][number],
  category: string,
): GoldRegion {
  return { category, xyxy: [x, y, x + width, y + height], spans: tokens_positive ?? [] }
}

async function readJson<T extends z.ZodType>(schema: T, path: string): Promise<z.infer<T>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  try {
    return parseConfig(schema, JSON.parse(text), path)
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`${path} is not JSON: ${error.message}`)
    throw error
  }
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
