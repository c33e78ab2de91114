import { parseDictionary, Token } from 'structured-headers'

/**
 * Uses of a picture that a dataset of training data is one of, in the words of AIPREF's vocabulary
 * (draft-ietf-aipref-vocab-08: train-ai), of its earlier drafts, and of Content Signals (ai-train).
 */
export const trainingUses = ['train-ai', 'ai-train', 'train-genai', 'genai', 'ai', 'tdm', 'bots'] as const

/**
 * The uses that a value of Content-Usage disallows (draft-ietf-aipref-vocab-08, 6: a dictionary of RFC 9651 whose
 * token is `n`; of a use that is named twice the last one counts). What cannot be read disallows nothing: that is
 * `unknown` there.
 */
export const disallowedUses = (value: string): ReadonlySet<string> => usesThatAre('n', value)

/** The same of a value of Content-Signal (contentsignals.org), whose words are `yes` and `no`, in any case. */
export const deniedSignals = (value: string): ReadonlySet<string> => usesThatAre('no', value.toLowerCase())

function usesThatAre(word: string, value: string): ReadonlySet<string> {
  try {
    const isWord = (item: unknown) => item instanceof Token && item.toString() === word
    return new Set([...parseDictionary(value)].filter(([, [item]]) => isWord(item)).map(([use]) => use))
  } catch {
    return new Set()
  }
}

/** Why a picture is left out of which a use is disallowed, such as `opt_out_train_ai`. */
export const usageReason = (use: string): string => `opt_out_${use.replace(/[^a-z0-9]+/g, '_')}`
