/** A word's normalised characters, each with the place of the character it came from. */
export type Word = readonly { readonly char: string; readonly at: number }[]

/** Words of a text: runs between white space, with every punctuation mark and every ideograph on its own. */
export const bertWords = (text: string): Word[] =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  /^[\x00-\x7f]*$/.test(text) ? asciiWords(text) : wordsOfAny(text)

/** The same of ASCII, which most text is, without asking Unicode of each character. */
function asciiWords(text: string): Word[] {
  const found: Word[] = []
  let word: { char: string; at: number }[] = []
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : 0x20
    const char = String.fromCharCode(code >= 0x41 && code <= 0x5a ? code + 0x20 : code)
    const isLetter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
    if (isLetter || (code >= 0x30 && code <= 0x39)) {
      word.push({ char, at })
      continue
    }
    // Control characters vanish.
    if (code === 0x7f || (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d)) continue
    if (word.length > 0) found.push(word)
    word = []
    if (code > 0x20) found.push([{ char, at }])
  }
  return found
}

function wordsOfAny(text: string): Word[] {
  const found: Word[] = []
  let word: { char: string; at: number }[] = []
  const end = () => {
    if (word.length > 0) found.push(word)
    word = []
  }
  ;[...text].forEach((point, at) => {
    if (/[\t\n\r]/.test(point)) end()
    // Other control characters vanish, also those that count as white space.
    else if (/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/u.test(point)) return
    else if (/\s/u.test(point)) end()
    else {
      const isAlone = isIdeograph(point)
      if (isAlone) end()
      // Without accents and in lower case; one character may become several, or none.
      for (const char of point.normalize('NFD')) {
        if (/\p{Mn}/u.test(char)) continue
        if (isPunctuation(char)) {
          end()
          found.push([{ char, at }])
        } else for (const lower of char.toLowerCase()) word.push({ char: lower, at })
      }
      if (isAlone) end()
    }
  })
  end()
  return found
}

/** BERT counts every ASCII sign that is neither letter nor digit as punctuation. */
function isPunctuation(point: string): boolean {
  return /\p{P}/u.test(point) || /[!-/:-@[-`{-~]/.test(point)
}

/** The blocks that BERT splits into single characters, as Hugging Face's tokenizers have them. */
const ideographs: readonly (readonly [number, number])[] = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  // BERT's own code begins this one at 0x2b820.
  [0x2b920, 0x2ceaf],
  [0x2f800, 0x2fa1f],
]

function isIdeograph(char: string): boolean {
  const code = char.codePointAt(0) as number
  return code >= 0x3400 && ideographs.some(([first, last]) => code >= first && code <= last)
}
