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
export function disallowedUses(value: string): ReadonlySet<string> {
  try {
    const isNo = (item: unknown) => item instanceof Token && item.toString() === 'n'
    return new Set([...parseDictionary(value)].filter(([, [item]]) => isNo(item)).map(([use]) => use))
  } catch {
    return new Set()
  }
}

/**
 * The signals that a value of Content-Signal (contentsignals.org) denies: `no` in any case. It has no grammar that
 * could be broken: whatever stands between the signals, each is read, and of two that contradict each other the
 * denial counts.
 */
export const deniedSignals = (value: string): ReadonlySet<string> =>
  new Set(
    [...value.toLowerCase().matchAll(/(?<![\w*.-])([a-z][\w*.-]{0,63})[ \t]*=[ \t]*"?no(?![\w*.-])/g)].map(
      ([, use = '']) => use,
    ),
  )

/** Why a picture is left out of which a use is disallowed, such as `opt_out_train_ai`. */
export const usageReason = (use: string): string => `opt_out_${use.replace(/[^a-z0-9]+/g, '_')}`
