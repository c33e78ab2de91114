import { z } from 'zod'
import { parseConfig } from '../base/files/parse-config.js'
import { readListText } from '../base/files/read-file.js'
import { jsonOf } from '../base/files/read-json.js'
import { UserError } from '../base/user-error.js'
import { bertWords, type Word } from './bert-words.js'

/** A token of a prompt. Special tokens have the empty span [0, 0). */
export interface WordPiece {
  readonly id: number
  /** Span in the text, in code points, half open. */
  readonly start: number
  readonly end: number
}

/**
 * BERT's tokenizer (lower case, WordPiece). It is our own, although `@huggingface/tokenizers` is a
 * dependency, because each token must come with its span in the text, in code points, which that package does
 * not give.
 */
export interface Tokenizer {
  readonly vocabulary: ReadonlyMap<string, number>
  readonly pad: number
  readonly mask: number
  /** [CLS], the text's pieces, [SEP]; no padding and no truncation. */
  encode(text: string): WordPiece[]
}

export const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const
/** Of a token that goes on within a word. */
export const prefix = '##'
/** Longer words become [UNK], as in the original. */
const maxWordCharacters = 100

/** @param path of the vocabulary, for messages */
export function createTokenizer(vocabulary: ReadonlyMap<string, number>, path = 'The tokenizer'): Tokenizer {
  const id = (token: string): number => {
    const found = vocabulary.get(token)
    if (found === undefined) throw new UserError(`${path}: the vocabulary has no ${token}.`)
    return found
  }
  // All of them must be there, also those that no text is encoded with.
  specialTokens.forEach(id)
  const [first, last, unknown] = [id('[CLS]'), id('[SEP]'), id('[UNK]')]
  return {
    vocabulary,
    pad: id('[PAD]'),
    mask: id('[MASK]'),
    encode(text) {
      const pieces: WordPiece[] = [{ id: first, start: 0, end: 0 }]
      for (const word of bertWords(text)) pieces.push(...piecesOf(word, vocabulary, unknown))
      pieces.push({ id: last, start: 0, end: 0 })
      return pieces
    },
  }
}

/** Longest match first from the left; a word that cannot be made of pieces is one [UNK]. */
function piecesOf(word: Word, vocabulary: ReadonlyMap<string, number>, unknown: number): WordPiece[] {
  const whole = { id: unknown, start: word[0]!.at, end: word.at(-1)!.at + 1 }
  if (word.length > maxWordCharacters) return [whole]
  const pieces: WordPiece[] = []
  for (let start = 0; start < word.length; ) {
    let end = word.length
    let id: number | undefined
    for (; end > start; end--) {
      const text = word.slice(start, end).map(({ char }) => char)
      id = vocabulary.get((start > 0 ? prefix : '') + text.join(''))
      if (id !== undefined) break
    }
    if (id === undefined) return [whole]
    pieces.push({ id, start: word[start]!.at, end: word[end - 1]!.at + 1 })
    start = end
  }
  return pieces
}

/** The `tokenizer.json` of Hugging Face tokenizers for a vocabulary. */
export function tokenizerJson(vocabulary: ReadonlyMap<string, number>): string {
  const id = (token: string) => vocabulary.get(token) as number
  const single = [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ]
  const added = specialTokens.map((content) => ({
    id: id(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }))
  const special = (token: string) => ({ id: token, ids: [id(token)], tokens: [token] })
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, { Sequence: { id: 'B', type_id: 1 } }, { SpecialToken: { id: '[SEP]', type_id: 1 } }],
      special_tokens: { '[CLS]': special('[CLS]'), '[SEP]': special('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: prefix,
      max_input_chars_per_word: maxWordCharacters,
      vocab: Object.fromEntries(vocabulary),
    },
  }
  return `${JSON.stringify(json, null, 1)}\n`
}

/**
 * Reads a WordPiece tokenizer: `tokenizer.json`, or the `vocab.txt` that BERT came with, a token a line.
 *
 * @throws UserError where it is neither, or splits texts in another way than the uncased BERT does
 */
export async function readTokenizer(path: string): Promise<Tokenizer> {
  const text = await readListText(path)
  if (path.endsWith('.txt')) return createTokenizer(vocabularyOfLines(text, path), path)
  const json = jsonOf(text, path)
  if ((json as TokenizerFile | null)?.model?.type !== 'WordPiece')
    throw new UserError(`${path} is not a WordPiece tokenizer.json.`)
  const { model, normalizer } = parseConfig(tokenizerSchema, json, path)
  const { continuing_subword_prefix: joined, max_input_chars_per_word: longest } = model
  // Newer files may have it as the one step of a sequence. One that says nothing of case keeps it.
  const steps = normalizer?.normalizers ?? [normalizer]
  const isUncased = steps.some((step) => step?.lowercase === true && step.strip_accents !== false)
  if (!isUncased || steps.some((step) => step?.handle_chinese_chars === false))
    throw new UserError(`${path} is not the tokenizer of an uncased BERT, the only kind that is read.`)
  if ((joined ?? prefix) !== prefix || (longest ?? maxWordCharacters) !== maxWordCharacters)
    throw new UserError(
      `${path} has the prefix "${joined}" and words of up to ${longest} characters; read are "${prefix}" and ${maxWordCharacters}.`,
    )
  return createTokenizer(new Map(Object.entries(model.vocab)), path)
}

interface TokenizerFile {
  readonly model?: { readonly type?: unknown }
}

/** Ten times the tokens of the largest vocabularies. */
const mostTokens = 2_000_000

const normalizerSchema = z.looseObject({
  lowercase: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  handle_chinese_chars: z.boolean().nullish(),
})

/** What is read of `tokenizer.json`; a key that is not known is let be. */
const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    type: z.literal('WordPiece'),
    // Not a record of zod, which would take a second copy of a large vocabulary for its checks.
    vocab: z.custom<Readonly<Record<string, number>>>(isVocabulary, {
      error: `expected the numbers of at most ${mostTokens} tokens, whole ones from 0 on`,
    }),
    continuing_subword_prefix: z.string().nullish(),
    max_input_chars_per_word: z.number().nullish(),
  }),
  normalizer: normalizerSchema
    .extend({ normalizers: z.array(normalizerSchema.nullable()).max(100).optional() })
    .nullish(),
})

function isVocabulary(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const ids = Object.values(value)
  const isId = (id: unknown) => Number.isInteger(id) && Number(id) >= 0 && Number(id) < mostTokens
  return ids.length <= mostTokens && ids.every(isId)
}

/** A token's id is the number of its line, from 0. */
function vocabularyOfLines(text: string, path: string): Map<string, number> {
  const lines = text.split(/\r?\n/)
  if (lines[lines.length - 1] === '') lines.pop()
  const vocabulary = new Map(lines.map((token, id) => [token, id]))
  if (vocabulary.size !== lines.length) throw new UserError(`${path} has a token twice.`)
  return vocabulary
}
