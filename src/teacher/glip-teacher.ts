import { basename, join, resolve } from 'node:path'
import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import { unscaleBox } from '../boxes/xyxy.js'
import { floats, longs } from '../graph/session.js'
import { encodePrompt, tokensOf } from '../model/encode-prompt.js'
import { plainPlacement, writeImage } from '../model/image-input.js'
import { modelFiles, readModelConfig } from '../model/model-folder.js'
import { anchorsOf } from '../model/network/anchors.js'
import { inputSizes } from '../model/network/config.js'
import { readTokenizer } from '../model/word-piece.js'
import type { Xyxy } from '../rows/rows.js'
import { joinNames } from '../words/name-prompt.js'
import { fitPicture, toPicture, writeFitted } from './fit-picture.js'
import type { OpenedFolder } from './opened-folder.js'
import { phraseBoxes } from './phrase-boxes.js'
import { selectBoxes, withinOptions } from './select-boxes.js'
import { SizeSessions } from './size-sessions.js'
import type { DetectOptions, Found, Query, Teacher } from './teacher.js'

/** Queries that are sorted by the size of their input before they are asked, where there are several. */
const sortedAhead = 16

/**
 * Opens a model folder of the family `glip`, as `src/model` writes it. One with several sizes of input shows a picture on the
 * one that suits it; queries of a size are asked together, so that few sessions are opened anew.
 */
export async function openGlipTeacher({ path, hash, options }: OpenedFolder): Promise<Teacher> {
  const config = await readModelConfig(path)
  const tokenizer = await readTokenizer(join(path, 'tokenizer.json'))
  const sizes = inputSizes(config)
  const files = modelFiles(config).map((file) => join(path, file))
  const sessions = new SizeSessions(files, options.openSizes, { ...options, own: true })
  // The first is opened at once: a model or a device that is no good is told now, and the size of a batch is in the file.
  const batch = await sessions.use(0, async (pool) => Number(pool.input('image')?.shape[0] ?? 1))
  const parallel = options.devices.length
  const { image_resize: resize, selection } = config
  const levelStarts = sizes.map((size) => (selection ? anchorsOf(config, size).levelStarts : []))
  const length = config.text.max_tokens

  /** Where a query's picture lies on its input, and how it is written there and boxes are brought back. */
  const placeOn = ({ picture }: Query) => {
    if (resize) {
      const { input, covered } = fitPicture(picture, resize, sizes)
      return {
        input,
        covered,
        write: (into: Float32Array, sample: number) =>
          writeFitted(into, sample, picture, covered, sizes[input], config),
        toPicture: (xyxy: Xyxy) => toPicture(xyxy, covered, picture),
      }
    }
    const placement = plainPlacement(picture, config)
    return {
      input: 0,
      covered: sizes[0],
      write: (into: Float32Array, sample: number) => writeImage(into, sample, picture, placement, config),
      toPicture: (xyxy: Xyxy) => unscaleBox(xyxy, placement.scale),
    }
  }
  type Placed = ReturnType<typeof placeOn> & { readonly query: Query; readonly index: number }

  const detectBatch = async (placed: readonly Placed[], detect: DetectOptions): Promise<Found[][]> => {
    const own = config.prompt && joinNames(config.prompt).text
    const other = own !== undefined && placed.find(({ query }) => query.text !== own)
    if (other) {
      throw new UserError(
        `${path} was prompt-tuned: it can be asked for "${own}" alone, not for "${other.query.text}".`,
      )
    }
    const [{ input }] = placed
    const { height, width } = sizes[input]
    const prompts = placed.map(({ query }) => encodePrompt(query.text, tokenizer, length))
    const image = new Float32Array(batch * height * width * 3)
    const ids = new BigInt64Array(batch * length)
    const mask = new Float32Array(batch * length)
    placed.forEach(({ write }, index) => {
      write(image, index)
      ids.set(prompts[index].ids, index * length)
      mask.set(prompts[index].mask, index * length)
    })
    const { scores, boxes, objectness } = await sessions.use(input, (pool) =>
      pool.run({
        image: floats(image, [batch, height, width, 3]),
        ids: longs(ids, [batch, length]),
        mask: floats(mask, [batch, length]),
      }),
    )
    const places = boxes.shape[1]
    return placed.map(({ query, covered, toPicture: back }, index) => {
      const of = (values: typeof scores, each: number) =>
        (values.data as Float32Array).subarray(index * each, (index + 1) * each)
      const answer = {
        scores: of(scores, places * length),
        boxes: of(boxes, places * 4),
        objectness: objectness && of(objectness, places),
        length,
      }
      const tokens = query.phrases.map((span) => tokensOf(prompts[index], span))
      if (!selection) return phraseBoxes(answer, tokens, query.picture, back, detect)
      const selected = selectBoxes(answer, levelStarts[input], tokens, covered, selection, detect.nms)
      return withinOptions(selected, query.picture, back, detect)
    })
  }

  return {
    name: options.name ?? basename(resolve(path)),
    hash,
    pictureSide: resize ? Number.POSITIVE_INFINITY : Math.ceil(config.image_size * 1.5),
    batch: sizes.length > 1 ? Math.max(sortedAhead, 4 * batch) : batch,
    parallel,
    ...(config.prompt && { prompt: config.prompt }),
    tokensOf: (text) => tokenizer.encode(text).length,
    maxTokens: length,
    async detect(queries, detect) {
      const placed = queries.map((query, index) => ({ query, index, ...placeOn(query) }))
      const found: Found[][] = queries.map(() => [])
      // Sizes that are open come first, before one of them is closed for another.
      const order = [...new Set([...sessions.open, ...sizes.keys()])]
      const batches = order.flatMap((size) => {
        const all = placed.filter(({ input }) => input === size)
        return Array.from({ length: Math.ceil(all.length / batch) }, (_, at) =>
          all.slice(at * batch, (at + 1) * batch),
        )
      })
      const answered = orderedMap(batches, parallel + 1, async (one) => ({
        one,
        answers: await detectBatch(one, detect),
      }))
      for await (const { one, answers } of answered)
        one.forEach(({ index }, at) => {
          found[index] = answers[at]
        })
      return found
    },
    close: () => sessions.close(),
  }
}
