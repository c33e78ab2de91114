import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Span } from './read-annotation.js'

export interface SpacyChunks {
  /** Which spaCy and which model, for the report. */
  readonly versions: string
  /** The noun chunks of a caption among those that were given. */
  readonly of: (caption: string) => readonly Span[]
}

/**
 * spaCy's noun chunks without those that are a pronoun alone, which favours it, from a Python that has spaCy and
 * `model`.
 */
export function spacyChunks(python: string, model: string, captions: readonly string[]): SpacyChunks {
  const script = fileURLToPath(new URL('spacy-chunks.py', import.meta.url))
  const input = JSON.stringify(captions)
  const out = execFileSync(python, [script, model], { input, encoding: 'utf8', maxBuffer: 2 ** 28 })
  const read = JSON.parse(out) as { version: string; model: string; spans: Span[][] }
  const chunks = new Map(captions.map((caption, at) => [caption, read.spans[at]!]))
  return { versions: `spaCy ${read.version}, ${model} ${read.model}`, of: (caption) => chunks.get(caption)! }
}
