import { expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'

/** The phrases of a caption that are asked for. */
export const keptPhrases = (caption: string): string[] =>
  chunk(caption).flatMap(({ text, leftOut }) => (leftOut ? [] : [text]))

/** Those that are not, each with its reason. */
export const leftPhrases = (caption: string): string[] =>
  chunk(caption).flatMap(({ text, leftOut }) => (leftOut ? [`${text}: ${leftOut}`] : []))

/** A test for each caption: the phrases that are kept of it, parted by bars. */
export function itKeeps(captions: Readonly<Record<string, string>>): void {
  for (const [caption, phrases] of Object.entries(captions))
    it(caption, () => expect(keptPhrases(caption).join(' | ')).toBe(phrases))
}
