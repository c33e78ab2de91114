import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import type { Xyxy } from '../../rows/rows.js'
import { readPlainPickle } from '../../weights/read-plain-pickle.js'
import { type GoldRegion, type Mark, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'
import type { IngestConfig } from './config.js'
import { type Id, readCocoIndex } from './read-coco.js'

type Located = IngestConfig & { path: string }

const idSchema = z.union([z.number(), z.string()])
const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])
const refSchema = z.object({
  ref_id: idSchema,
  ann_id: idSchema,
  image_id: idSchema,
  split: z.string(),
  sentences: z.array(z.object({ sent: z.string() })),
})
type Ref = z.infer<typeof refSchema>

/**
 * Pictures of RefCOCO, RefCOCO+, RefCOCOg and RefCLEF as REFER gives them: `path` is the file of references (such as
 * `refs(unc).p`, a pickle that is read as data, or the same as JSON), `instances` the `instances.json` beside it,
 * `images` the folder of pictures, `split` which of them to take (such as `val`; all by default). Each expression is a
 * caption that names one box.
 */
export async function* readRefcoco(config: Located, from?: Mark): AsyncGenerator<SourceRow> {
  const { path, instances, split } = config
  if (!instances)
    throw new UserError('A refcoco source needs `instances`: the instances.json beside its references.')
  const { refs, problems, splits } = await readRefs(path, split)
  if (split && refs.size === 0)
    throw new UserError(`${path} has no split "${split}"; it has: ${[...splits].sort().join(', ')}.`)
  const index = await readCocoIndex(undefined, instances)
  const images = index.images.filter(({ id }) => refs.has(String(id)))
  const known = new Set(images.map(({ id }) => String(id)))
  const lost = [...refs].filter(([id]) => !known.has(id)).map(([id]) => `no picture ${id} in ${instances}`)
  const bad = [...problems, ...lost]
  for (let at = from?.at ?? 0; at < images.length + bad.length; at++) {
    const mark = { at, line: 0 }
    if (at >= images.length) {
      yield problemRow(mark, path, bad[at - images.length])
      continue
    }
    const { id, file_name, width, height, license } = images[at]
    const captions: string[] = []
    const regions: GoldRegion[] = []
    let missing = 0
    const boxes = new Map((index.boxes.get(id) ?? []).map((box) => [String(box.id), box.bbox]))
    for (const { ann_id, sentences } of refs.get(String(id)) ?? []) {
      const box = boxSchema.safeParse(boxes.get(String(ann_id)))
      if (!box.success) {
        missing++
        continue
      }
      const [x, y, w, h] = box.data
      for (const { sent } of sentences) {
        const text = sent.trim()
        if (text === '') continue
        const caption = captions.push(text) - 1
        const xyxy: Xyxy = [x, y, x + w, y + h]
        regions.push({ category: '', order: 0, xyxy, spans: [[0, [...text].length]], caption })
      }
    }
    yield sourceRow({
      mark,
      place: `${path} picture ${id}`,
      ...(config.base_url || !config.images ? { url: file_name } : { file: join(config.images, file_name) }),
      captions: captions.map((text) => ({ text, kind: 'gold' })),
      regions,
      dropped: missing > 0 ? { malformed_box: missing } : {},
      size: width && height ? { width, height } : null,
      license: license === undefined ? null : (index.licenses.get(license) ?? null),
      meta: { id, file_name },
    })
  }
}

/** References by picture, of one split or of all. */
async function readRefs(path: string, split: string | undefined) {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  const value = /\.json$/i.test(path) ? parseJson(bytes.toString('utf8'), path) : readPlainPickle(bytes, path)
  if (!Array.isArray(value)) throw new UserError(`${path} is no list of references.`)
  const refs = new Map<string, Ref[]>()
  const problems: string[] = []
  const splits = new Set<string>()
  for (const [index, item] of value.entries()) {
    const parsed = refSchema.safeParse(item)
    if (!parsed.success) {
      const [{ path: at, message }] = parsed.error.issues
      problems.push(`reference ${index}: ${at.join('.')}: ${message}`)
      continue
    }
    splits.add(parsed.data.split)
    if (split && parsed.data.split !== split) continue
    const id = String(parsed.data.image_id satisfies Id)
    refs.set(id, [...(refs.get(id) ?? []), parsed.data])
  }
  return { refs, problems, splits }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`)
  }
}
