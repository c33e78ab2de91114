import { join } from 'node:path'
import { UserError } from '../base/user-error.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { longs, Session, type Value } from '../graph/session.js'
import { hashModelFiles } from '../model/hash-model-files.js'
import { readTokenizer, type Tokenizer } from '../model/word-piece.js'
import { cachedEmbeddings } from './cached-embeddings.js'
import { modelFile, readJson, weightFiles } from './hf-folder.js'

/** A BERT-style `TextEmbedder` of the filter's rules. Holds native memory until it is closed. */
export interface TextEncoder {
  /**
   * Vectors of unit length, one for each text, in their order. A text is encoded once, however often it
   * comes.
   */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>
  close(): Promise<void>
}

/** Texts in one run of the model. */
const batch = 64
/** Vectors in the LRU cache: 30 MB at 384 numbers each. Phrases of captions repeat a lot. */
const cacheCapacity = 20_000

/**
 * Opens a sentence encoder in ONNX: a folder with `model.onnx` (here or in `onnx/`) and a WordPiece
 * `tokenizer.json`, as sentence-transformers exports it. The vector of a text is the mean of its tokens'
 * hidden states, of unit length.
 *
 * @throws UserError where a file is missing, or where the folder pools in another way
 */
export async function openTextEncoder(
  folder: string,
  options: { readonly threads?: number } = {},
): Promise<TextEncoder> {
  const path = await modelFile(folder, 'model')
  const tokenizer = await readTokenizer(join(folder, 'tokenizer.json'))
  const length = await checkFolder(folder)
  const session = await Session.open(path, options)

  const encode = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const tokens = texts.map((text) => tokenIds(text, tokenizer, length))
    const width = Math.max(...tokens.map((ids) => ids.length))
    const { ids, mask } = padded(tokens, width, tokenizer.pad)
    const shape = [texts.length, width]
    const values: Record<string, Value> = {
      input_ids: longs(ids, shape),
      attention_mask: longs(mask, shape),
      token_type_ids: longs(new BigInt64Array(ids.length), shape),
    }
    const feeds = Object.fromEntries(
      session.inputs.map(({ name }) => {
        if (!values[name]) throw new UserError(`${path}: input "${name}" is not one that a text encoder has.`)
        return [name, values[name]]
      }),
    )
    const hidden = Object.values(await session.run(feeds)).find((value) => value.shape.length === 3)
    if (!hidden) throw new UserError(`${path} has no output of hidden states [texts, tokens, width].`)
    return tokens.map((ids, index) => meanOf(hidden, index, ids.length))
  }

  const embedAll = cachedEmbeddings(encode, {
    capacity: cacheCapacity,
    batch,
    // Texts of like length go together, so that little is padded.
    compare: (a, b) => a.length - b.length || (a < b ? -1 : 1),
  })

  return {
    async embed(texts) {
      const embedded = await embedAll(texts)
      return texts.map((text) => embedded.get(text)!)
    },
    close: () => session.close(),
  }
}

/** SHA-256 over what decides the vectors of a text encoder's folder. */
export async function hashTextEncoder(folder: string): Promise<string> {
  const path = await modelFile(folder, 'model')
  return hashModelFiles(folder, [path, ...(await weightFiles(path)), join(folder, 'tokenizer.json')], {
    withNames: true,
  })
}

/**
 * Tokens that a text may have. Throws a UserError where the folder says that its texts are pooled in another
 * way.
 */
async function checkFolder(folder: string): Promise<number> {
  const pooling = await readJson(folder, '1_Pooling/config.json')
  const other = Object.entries(pooling ?? {}).find(
    ([key, value]) => key.startsWith('pooling_mode_') && key !== 'pooling_mode_mean_tokens' && value === true,
  )
  const mode = pooling?.pooling_mode
  if (other || (typeof mode === 'string' && mode !== 'mean')) {
    throw new UserError(
      `${folder}/1_Pooling/config.json asks for ${other?.[0] ?? `pooling_mode ${mode}`}: only the mean of the tokens is done here.`,
    )
  }
  const sentenceConfig = await readJson(folder, 'sentence_bert_config.json')
  const config = await readJson(folder, 'config.json')
  const lengths = [sentenceConfig?.max_seq_length, config?.max_position_embeddings, 512]
  return Math.min(...lengths.filter((value): value is number => typeof value === 'number'))
}

/** [CLS], the text's pieces as far as there is room, [SEP]. */
function tokenIds(text: string, tokenizer: Tokenizer, length: number): number[] {
  const ids = tokenizer.encode(text).map(({ id }) => id)
  return ids.length > length ? [...ids.slice(0, length - 1), ...ids.slice(-1)] : ids
}

function padded(tokens: readonly (readonly number[])[], width: number, pad: number) {
  const ids = new BigInt64Array(tokens.length * width).fill(BigInt(pad))
  const mask = new BigInt64Array(tokens.length * width)
  tokens.forEach((rowIds, row) => {
    rowIds.forEach((id, at) => {
      ids[row * width + at] = BigInt(id)
      mask[row * width + at] = 1n
    })
  })
  return { ids, mask }
}

/** Mean of the first `count` hidden states of a text, of unit length. */
function meanOf(hidden: Value, row: number, count: number): Float32Array {
  const [, length, width] = sizesOf(hidden, 3)
  const { data } = hidden
  const vector = new Float32Array(width)
  for (let token = 0; token < count; token++) {
    const at = (row * length + token) * width
    for (let index = 0; index < width; index++) vector[index]! += Number(data[at + index])
  }
  return unit(vector)
}

/** The vector scaled to length 1; a vector of zeros stays as it is. */
export function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return norm === 0 ? vector : vector.map((value) => value / norm)
}
