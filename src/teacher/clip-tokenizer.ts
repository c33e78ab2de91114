import { Tokenizer } from '@huggingface/tokenizers'
import { readJson, requireJson } from './hf-folder.js'

/** CLIP's tokenizer as OWL uses it: every query in a row of its own, of a fixed length. */
export interface QueryTokenizer {
  readonly length: number
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

/** @throws UserError where the folder has no tokenizer.json */
export async function readClipTokenizer(
  folder: string,
  length: number,
  pad: number,
): Promise<QueryTokenizer> {
  const json = await requireJson(folder, 'tokenizer.json')
  const config = (await readJson(folder, 'tokenizer_config.json')) ?? {}
  const tokenizer = new Tokenizer(json, config)
  const configured =
    typeof config.pad_token === 'string' ? tokenizer.token_to_id(config.pad_token) : undefined
  const padding = configured ?? pad
  return {
    length,
    encode(text) {
      const { ids: all } = tokenizer.encode(text)
      const isCut = all.length > length
      const ids = isCut ? [...all.slice(0, length - 1), ...all.slice(-1)] : all
      const rest = Array.from({ length: length - ids.length }, () => 0)
      return { ids: [...ids, ...rest.map(() => padding)], mask: [...ids.map(() => 1), ...rest], isCut }
    },
  }
}
