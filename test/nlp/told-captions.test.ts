import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dictionaryExample } from './dictionary-examples.js'
import { toldOf } from './told-caption.js'

/**
 * What was found in many captions stays as it is. Where it is meant to change, write the files anew, and read what
 * changed in them:
 *
 *     WRITE_TOLD=1 npx vitest run test/nlp/told-captions.test.ts && git diff test/nlp/fixtures
 *
 * Each line has a caption or where it is in WordNet (see `dictionaryExample`), its tags and its phrases (see
 * `toldOf`), parted by tabs. The captions were chosen by what they notice: each of them shows another change of a
 * rule of `src/nlp/tags` or `src/nlp/lexicon`.
 */
const isWritten = process.env.WRITE_TOLD === '1'
/** A block fails early, and says little enough to be read. */
const blockSize = 25

function itStays(file: string, captionOf: (key: string) => string): void {
  const path = new URL(`fixtures/${file}`, import.meta.url)
  const lines = readFileSync(path, 'utf8').replace(/\n$/, '').split('\n')
  const keys = lines.map((line) => line.slice(0, line.indexOf('\t')))
  const found = (key: string) => {
    const { tags, phrases } = toldOf(captionOf(key))
    return `${key}\t${tags}\t${phrases}`
  }
  if (isWritten) writeFileSync(path, `${keys.map(found).join('\n')}\n`)
  const blocks = Array.from({ length: Math.ceil(lines.length / blockSize) }, (_, at) => at * blockSize)
  it.skipIf(isWritten).each(blocks)(`stays as it is from line %i of ${file} on`, (from) => {
    for (let at = from; at < Math.min(lines.length, from + blockSize); at++) {
      const key = keys[at] as string
      expect(found(key), `line ${at + 1}: ${captionOf(key)}`).toBe(lines[at])
    }
  })
}

describe('what is found in examples of a dictionary', () => {
  itStays('dictionary-examples.tsv', dictionaryExample)
})

describe('what is found in captions', () => {
  itStays('tagged-captions.tsv', (caption) => caption)
})
