import { join } from 'node:path'
import { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { random } from '../../base/random.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { readJsonElements } from '../../formats/read-json-elements.js'
import { nameInPrompt, type Span } from '../../words/name-prompt.js'
import { type PackedNames, packNames } from '../../words/pack-names.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, prompt, sourceSchema } from '../read/source-keys.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('visual-genome', {
  path: optionalText('region_descriptions.json'),
  images: imageFolder,
  image_list: optionalText('image_data.json'),
  base_url: baseUrl,
  prompt,
})
type Config = z.infer<typeof schema>

const regionSchema = z.object({
  phrase: z.string(),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
})
const entrySchema = z.object({
  id: z.number().int().optional(),
  image_id: z.number().int().optional(),
  regions: z.array(z.unknown()),
})
const imageSchema = z.object({
  image_id: z.number().int(),
  url: z.string(),
  width: z.number().positive(),
  height: z.number().positive(),
})

/**
 * Pictures of Visual Genome with its region descriptions: `path` is `region_descriptions.json`, `images` the
 * folder of `ID.jpg`; without it pictures are fetched from where `image_list` (`image_data.json`) has them.
 * The descriptions of a picture are joined by '. ' into as few captions as the prompt's limit allows, each a
 * phrase with its boxes.
 */
export const visualGenome: SourceFormat<typeof schema> = {
  name: 'visual-genome',
  schema,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const { image_list } = config
    if (!image_list && !config.images && !config.base_url)
      throw new UserError(
        'A visual-genome source needs `image_list` (image_data.json), `images` or `base_url`.',
      )
    const images = memoize(async () => (image_list ? readImages(image_list) : undefined))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(path, config, await images(), from)
      },
      files: async () => [path, image_list],
    })
  },
}

async function* rowsOf(
  path: string,
  config: Config,
  images: Images | undefined,
  from: Mark | undefined,
): AsyncGenerator<SourceRow> {
  const before = from?.line ?? 0
  for await (const { at, index, value } of readJsonElements(path, { from: from?.at })) {
    const mark = { at, line: before + index }
    const entry = entrySchema.safeParse(value)
    const id = entry.data?.image_id ?? entry.data?.id
    if (!entry.success || id === undefined)
      yield problemRow(mark, `${path} entry ${mark.line}`, 'no id, or no list of regions')
    else yield pictureRow(mark, `${path} picture ${id}`, id, entry.data.regions, config, images)
  }
}

type Images = ReadonlyMap<number, z.infer<typeof imageSchema>>

function pictureRow(
  mark: Mark,
  place: string,
  id: number,
  given: readonly unknown[],
  config: Config,
  images: Images | undefined,
): SourceRow {
  const image = images?.get(id)
  let bad = 0
  const regions = given.flatMap((value) => {
    const parsed = regionSchema.safeParse(value)
    // A full stop of its own would stand beside the one that joins the phrases.
    const phrase = parsed.data ? nameInPrompt(parsed.data.phrase).replace(/[\s.]+$/, '') : ''
    if (parsed.success && phrase !== '') return [{ ...parsed.data, phrase }]
    bad++
    return []
  })
  const phrases = regions.map(({ phrase }) => phrase)
  const prompts = packNames(phrases, [], { ...config.prompt, negatives: 0 }, random(0))
  const missing = { reason: 'malformed_row', detail: `${place}: ${config.image_list} has no such picture` }
  return sourceRow({
    mark,
    place,
    file: config.images && !config.base_url ? join(config.images, `${id}.jpg`) : null,
    url: config.base_url ? `${id}.jpg` : (image?.url ?? null),
    captions: prompts.map(({ text }) => ({ text, kind: 'gold' })),
    regions: regions.map(({ phrase, x, y, width, height }, order): GoldRegion => {
      const caption = prompts.findIndex(({ names }) => names.includes(phrase))
      const { names, spans } = prompts[caption] as PackedNames
      const span = spans[names.indexOf(phrase)] as Span
      return { category: '', order, xyxy: [x, y, x + width, y + height], spans: [span], caption }
    }),
    size: image ? { width: image.width, height: image.height } : null,
    dropped: bad > 0 ? { malformed_box: bad } : {},
    meta: { id },
    problem: images && !image ? missing : null,
  })
}

async function readImages(path: string): Promise<Images> {
  const images = new Map<number, z.infer<typeof imageSchema>>()
  for await (const { value, index } of readJsonElements(path)) {
    const parsed = imageSchema.safeParse(value)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw new UserError(`${path} entry ${index}: ${issue?.path.join('.')}: ${issue?.message}`)
    }
    images.set(parsed.data.image_id, parsed.data)
  }
  return images
}
