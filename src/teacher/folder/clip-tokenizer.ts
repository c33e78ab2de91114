import { Tokenizer } from '@huggingface/tokenizers'
import { shownValue } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { readJson, requireJson } from './hf-folder.js'

/** CLIP's tokenizer as detectors use it: every query in a row of its own, of a fixed length. */
export interface QueryTokenizer {
  readonly length: number
  /** Tokens that a text takes, those of its beginning and end included, however many there are. */
  tokensOf(text: string): number
  /**
   * Ids and mask of a query, padded to the length. One that is too long keeps its beginning and the closing
   * token, which is where CLIP reads the meaning of a text.
   */
  encode(text: string): {
    readonly ids: readonly number[]
    readonly mask: readonly number[]
    readonly isCut: boolean
  }
}

/**
 * @param pad number of the token that queries are padded with where `tokenizer_config.json` names none
 * @returns the tokenizer for queries of a length
 * @throws UserError where the folder has no tokenizer.json
 */
export async function readClipTokenizer(
  folder: string,
  pad: number,
): Promise<(length: number) => QueryTokenizer> {
  const json = await requireJson(folder, 'tokenizer.json')
  const config = (await readJson(folder, 'tokenizer_config.json')) ?? {}
  const tokenizer = made(folder, json, config)
  const token = textOf(config.pad_token)
  const configured = token === undefined ? undefined : tokenizer.token_to_id(token)
  if (token !== undefined && configured === undefined)
    throw new UserError(
      `${folder}/tokenizer_config.json: pad_token ${shownValue(token)} is not in the vocabulary of tokenizer.json.`,
    )
  const padding = configured ?? pad
  return (length) => ({
    length,
    tokensOf: (text) => tokenizer.encode(text).ids.length,
    encode(text) {
      const { ids: all } = tokenizer.encode(text)
      const isCut = all.length > length
      const ids = isCut ? [...all.slice(0, length - 1), ...all.slice(-1)] : all
      const rest = Array.from({ length: length - ids.length }, () => 0)
      return { ids: [...ids, ...rest.map(() => padding)], mask: [...ids.map(() => 1), ...rest], isCut }
    },
  })
}

/** The package takes a file at its word: what is missing in it is an error of JavaScript there. */
function made(folder: string, json: Readonly<Record<string, unknown>>, config: object): Tokenizer {
  const { model } = json
  const vocab = Object(model).vocab
  const tokens = typeof vocab === 'object' && vocab !== null ? Object.keys(vocab).length : 0
  const wrong = (what: string) =>
    new UserError(`${folder}/tokenizer.json is not a tokenizer that is read: ${what}.`)
  if (tokens === 0 || tokens > mostTokens)
    throw wrong(`model.vocab: expected a vocabulary of 1 to ${mostTokens} tokens`)
  const numbers: readonly unknown[] = Array.isArray(vocab) ? [] : Object.values(vocab as object)
  const isNumber = (number: unknown) =>
    Number.isSafeInteger(number) && Number(number) >= 0 && Number(number) < mostTokens
  if (!numbers.every(isNumber)) throw wrong('model.vocab: expected a number for each token')
  const { merges } = model as { readonly merges?: unknown }
  const isPair = (pair: unknown) =>
    typeof pair === 'string' || (Array.isArray(pair) && pair.every((part) => typeof part === 'string'))
  if (merges !== undefined && merges !== null && !(Array.isArray(merges) && merges.every(isPair)))
    throw wrong('model.merges: expected a list of pairs of tokens')
  try {
    return new Tokenizer(json, config)
  } catch {
    throw wrong('a part of it is missing or of another kind')
  }
}

/** Ten times the tokens of the largest vocabularies. */
const mostTokens = 2_000_000

/** A token as configurations write it: its text, or an object with the text as `content`. */
function textOf(token: unknown): string | undefined {
  const { content } = (typeof token === 'object' && token !== null ? token : {}) as { content?: unknown }
  const text = content ?? token
  return typeof text === 'string' ? text : undefined
}
