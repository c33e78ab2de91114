/** Whether a command line asks for JSON: then an error is JSON too, however early it comes. */
export function isJsonAsked(words: readonly string[] = process.argv.slice(2)): boolean {
  const end = words.indexOf('--')
  const options = end === -1 ? words : words.slice(0, end)
  return options.some(
    (word, at) =>
      word === '--json' ||
      /^--format=jsonl?$/.test(word) ||
      (word === '--format' && /^jsonl?$/.test(options[at + 1] ?? '')),
  )
}
