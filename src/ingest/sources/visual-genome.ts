import { join } from 'node:path'
import type { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { random } from '../../base/random.js'
import { UserError } from '../../base/user-error.js'
import { numberOf } from '../../formats/box-numbers.js'
import { entryId, idNumber } from '../../formats/entry-id.js'
import type { Mark } from '../../formats/mark.js'
import { readJsonElements } from '../../formats/read-json-elements.js'
import { nameInPrompt, type Span } from '../../words/name-prompt.js'
import { type PackedNames, packNames } from '../../words/pack-names.js'
import { sizeOf } from '../read/region-values.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, outside, prompt, sourceSchema } from '../read/source-keys.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('visual-genome', {
  path: optionalText('region_descriptions.json'),
  images: imageFolder,
  image_list: optionalText('image_data.json'),
  base_url: baseUrl,
  prompt,
  outside,
}).describe('described regions of Visual Genome')
type Config = z.infer<typeof schema>

/** A picture of the list: where it is fetched from, and the size that its boxes are in. */
interface ListedImage {
  readonly url: string
  readonly size: SourceRow['size']
}

/** By id; what is wrong with those that cannot be used. */
type Images = ReadonlyMap<string, ListedImage | string>

/**
 * Pictures of Visual Genome with its region descriptions: `path` is `region_descriptions.json`, `images` the
 * folder of `ID.jpg`; without it pictures are fetched from where `image_list` (`image_data.json`) has them.
 * The descriptions of a picture are joined by '. ' into as few captions as the prompt's limit allows, each a
 * phrase with its boxes.
 */
export const visualGenome: SourceFormat<typeof schema> = {
  name: 'visual-genome',
  schema,
  isWhole: true,
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
  for await (const { key, at, index, value } of readJsonElements(path, { from: from?.at })) {
    if (key !== null) throw new UserError(`${path}: expected a list of pictures with their regions.`)
    const mark = { at, line: before + index }
    const { id: own, image_id, regions } = Object(value) as Record<string, unknown>
    const id = entryId(image_id) ?? entryId(own)
    if (id === undefined || !Array.isArray(regions))
      yield problemRow(mark, `${path} entry ${mark.line}`, 'no id, or no list of regions')
    else yield pictureRow(mark, `${path} picture ${id}`, id, regions, config, images)
  }
}

function pictureRow(
  mark: Mark,
  place: string,
  id: string,
  given: readonly unknown[],
  config: Config,
  images: Images | undefined,
): SourceRow {
  const listed = images?.get(id) ?? 'has no such picture'
  const image = typeof listed === 'string' ? undefined : listed
  let bad = 0
  const regions = given.flatMap((value) => {
    const { phrase: words, ...sides } = Object(value) as Record<string, unknown>
    // A full stop of its own would stand beside the one that joins the phrases.
    const phrase = typeof words === 'string' ? nameInPrompt(words).replace(/[\s.]+$/, '') : ''
    const [x, y, width, height] = [sides.x, sides.y, sides.width, sides.height].map(numberOf)
    const isBox = x !== undefined && y !== undefined && width !== undefined && height !== undefined
    if (isBox && phrase !== '') return [{ x, y, width, height, phrase }]
    bad++
    return []
  })
  const phrases = regions.map(({ phrase }) => phrase)
  const prompts = packNames(phrases, [], { ...config.prompt, negatives: 0 }, random(0))
  const missing = { reason: 'malformed_row', detail: `${place}: ${config.image_list} ${listed}` }
  return sourceRow({
    mark,
    place,
    file: config.images && !config.base_url ? join(config.images, `${id}.jpg`) : null,
    roots: config.images ? [config.images] : [],
    url: config.base_url ? `${id}.jpg` : (image?.url ?? null),
    captions: prompts.map(({ text }) => ({ text, kind: 'gold' })),
    regions: regions.map(({ phrase, x, y, width, height }, order): GoldRegion => {
      const caption = prompts.findIndex(({ names }) => names.includes(phrase))
      const { names, spans } = prompts[caption] as PackedNames
      const span = spans[names.indexOf(phrase)] as Span
      return { category: '', order, xyxy: [x, y, x + width, y + height], spans: [span], caption }
    }),
    size: image?.size ?? null,
    dropped: bad > 0 ? { malformed_box: bad } : {},
    meta: { id: idNumber(id) },
    problem: images && !image ? missing : null,
  })
}

/** Throws a UserError where no entry of the list can be used. */
async function readImages(path: string): Promise<Images> {
  const images = new Map<string, ListedImage | string>()
  let good = 0
  let fault: string | undefined
  for await (const { key, value, index } of readJsonElements(path)) {
    if (key !== null) throw new UserError(`${path}: expected a list of pictures.`)
    const { image_id, url, width, height } = Object(value) as Record<string, unknown>
    const id = entryId(image_id)
    const size = sizeOf(numberOf(width), numberOf(height))
    const known = images.get(id ?? '')
    if (id !== undefined && typeof url === 'string' && url !== '') {
      const isOther = typeof known === 'object' && known.url !== url
      images.set(id, isOther ? `has several pictures ${id}` : { url, size })
      good++
      continue
    }
    const problem = `entry ${index}: ${id === undefined ? 'no image_id' : 'no url'}`
    fault ??= problem
    if (id !== undefined && !known) images.set(id, `${problem}`)
  }
  if (good === 0 && fault !== undefined) throw new UserError(`${path} ${fault}.`)
  if (good === 0) throw new UserError(`${path}: expected a list of pictures.`)
  return images
}
