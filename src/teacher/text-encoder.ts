import { join } from 'node:path'
import { readTextIfThere } from '../base/files/read-file.js'
import { jsonOf } from '../base/files/read-json.js'
import { nameList, shownName, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { longs, Session, type Value } from '../graph/session.js'
import { localModelFolder, requireOnnx } from '../model/fetch-onnx.js'
import { hashModelFiles } from '../model/hash-model-files.js'
import { readTokenizer, type Tokenizer } from '../model/word-piece.js'
import { checkOnnxFile } from '../weights/check-onnx-file.js'
import { cachedEmbeddings } from './folder/cached-embeddings.js'
import { configFiles, countIn, modelFile, readJson, weightFiles } from './folder/hf-folder.js'

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
 * @throws UserError where a file is missing, or where the folder makes vectors in another way
 */
export async function openTextEncoder(
  folder: string,
  options: { readonly threads?: number } = {},
): Promise<TextEncoder> {
  const { path, tokenizer, length } = await readTextEncoder(folder)
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

/**
 * Reads and checks the files of a text encoder's folder, its model aside.
 *
 * @returns the path of the model, and how many tokens a text may have
 * @throws UserError as `openTextEncoder` does
 */
export async function readTextEncoder(
  model: string,
): Promise<{ readonly path: string; readonly tokenizer: Tokenizer; readonly length: number }> {
  const folder = await localEncoder(model)
  const path = await modelFile(folder, 'model')
  const tokenizer = await readTokenizer(join(folder, 'tokenizer.json'))
  return { path, tokenizer, length: await checkFolder(folder) }
}

const localEncoder = (model: string) =>
  localModelFolder(model, (listing) => [requireOnnx(model, listing, 'model')])

/** Throws as `openTextEncoder` does of all that can be told without opening the model. */
export async function checkTextEncoder(folder: string): Promise<void> {
  const { path } = await readTextEncoder(folder)
  await checkOnnxFile(path)
}

/** SHA-256 over what decides the vectors of a text encoder's folder. */
export async function hashTextEncoder(model: string): Promise<string> {
  const folder = await localEncoder(model)
  const path = await modelFile(folder, 'model')
  const configs = await configFiles(folder, [
    'config.json',
    'sentence_bert_config.json',
    'modules.json',
    'config_sentence_transformers.json',
    '1_Pooling/config.json',
  ])
  const files = [path, ...(await weightFiles(path)), join(folder, 'tokenizer.json'), ...configs]
  return hashModelFiles(folder, files, { withNames: true })
}

/**
 * Tokens that a text may have. A folder that says nothing of pooling is pooled by the mean, and one that says
 * nothing of its length reads 512 tokens: so have sentence-transformers and BERT's own configuration it.
 *
 * @throws UserError where the folder says that its texts are made vectors of in another way
 */
async function checkFolder(folder: string): Promise<number> {
  await checkModules(folder)
  const pooling = await readJson(folder, '1_Pooling/config.json')
  const other = Object.entries(pooling ?? {}).find(
    ([key, value]) => key.startsWith('pooling_mode_') && key !== 'pooling_mode_mean_tokens' && value === true,
  )
  const modes = pooling?.pooling_mode === undefined ? [] : [pooling.pooling_mode].flat()
  if (other || modes.some((mode) => mode !== 'mean')) {
    throw new UserError(
      `${folder}/1_Pooling/config.json asks for ${other ? shownName(other[0]) : `pooling_mode ${nameList(modes.map(String))}`}: only the mean of the tokens is done here.`,
    )
  }
  const sentence = await readJson(folder, 'sentence_bert_config.json')
  const config = await readJson(folder, 'config.json')
  const lengths = [
    countIn(sentence, 'max_seq_length', `${folder}/sentence_bert_config.json: `),
    countIn(config, 'max_position_embeddings', `${folder}/config.json: `),
  ]
  return Math.min(512, ...lengths.filter((length) => length !== undefined))
}

/** Throws a UserError where more is done to vectors, or to texts, than is done here. */
async function checkModules(folder: string): Promise<void> {
  const text = await readTextIfThere(join(folder, 'modules.json'))
  const modules = text === undefined ? [] : jsonOf(text, join(folder, 'modules.json'))
  const kinds = (Array.isArray(modules) ? modules : []).map((module: { readonly type?: unknown } | null) =>
    typeof module?.type === 'string' ? module.type.split('.').at(-1) : 'without a name',
  )
  const unknown = kinds.find((kind) => kind && !['Transformer', 'Pooling', 'Normalize'].includes(kind))
  if (unknown)
    throw new UserError(
      `${folder}/modules.json has a module ${shownName(unknown)}: only Transformer, Pooling and Normalize are done here.`,
    )
  const { default_prompt_name: name, prompts } =
    (await readJson(folder, 'config_sentence_transformers.json')) ?? {}
  const prompt = typeof name === 'string' ? (prompts as Record<string, unknown> | undefined)?.[name] : ''
  if (prompt)
    throw new UserError(
      `${folder}/config_sentence_transformers.json puts ${shownValue(prompt)} before every text (default_prompt_name ${shownValue(name)}), which groundmill does not do.`,
    )
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

/**
 * The mean of vectors of length 1, scaled to length 1: one classifier of several texts, as CLIP makes it of templates
 * (Radford et al., 2021, 3.1.4). A single one stays as it is.
 */
export function unitMean([first = new Float32Array(), ...others]: readonly Float32Array[]): Float32Array {
  if (others.length === 0) return first
  return unit(first.map((value, at) => others.reduce((sum, other) => sum + other[at]!, value)))
}
