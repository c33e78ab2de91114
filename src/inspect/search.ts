import type { DatasetIndex, IndexedShard } from './dataset-index.js'
import type { LayerPart } from './index-part.js'
import type { Words } from './words.js'

type Field = 'phrase' | 'head' | 'key' | 'url'

interface Term {
  /** null: any of them. */
  readonly field: Field | null
  readonly text: string
}

/**
 * Terms of a search: words and "quoted words", each alone or behind `phrase:`, `head:`, `key:` or `url:`. A picture is
 * found where all of them are.
 */
export function readSearch(search: string): Term[] {
  const terms: Term[] = []
  for (const [, field, quoted, word] of search
    .toLowerCase()
    .matchAll(/(?:(phrase|head|key|url):)?(?:"([^"]*)"?|(\S+))/g)) {
    const text = quoted ?? word
    if (text) terms.push({ field: (field as Field | undefined) ?? null, text })
  }
  return terms
}

/** Finds rows by the text of their phrases, the heads of these, their keys and addresses. */
export class Search {
  readonly #terms: readonly Term[]
  readonly #flags = new Map<string, Uint8Array>()

  constructor(
    private readonly index: Pick<DatasetIndex, 'texts' | 'heads'>,
    readonly text: string,
  ) {
    this.#terms = readSearch(text)
  }

  /** 1 for each row of a shard that has all of the terms; undefined where nothing is searched for. */
  rows(shard: IndexedShard): Uint8Array | undefined {
    const [first, ...more] = this.#terms.map((term) => this.#rowsOf(term, shard))
    if (!first) return undefined
    for (const other of more) for (let row = 0; row < first.length; row++) first[row] &= other[row]
    return first
  }

  #rowsOf({ field, text }: Term, { images, layer }: IndexedShard): Uint8Array {
    const found = new Uint8Array(images.rows)
    if (field === null || field === 'phrase') {
      const flags = this.#flagsOf('text', text, this.index.texts, (word) => word.includes(text))
      markPhrases(found, layer, layer.phraseText, flags)
    }
    if (field === null || field === 'head') {
      const flags = this.#flagsOf('head', text, this.index.heads, (word) => word === text)
      markPhrases(found, layer, layer.phraseHead, flags)
    }
    if (field !== 'phrase' && field !== 'head') markNames(found, images, text, field)
    return found
  }

  /** Which of the words fit, looked up again only where words were added since. */
  #flagsOf(kind: string, text: string, words: Words, fits: (word: string) => boolean): Uint8Array {
    const name = `${kind} ${text}`
    const known = this.#flags.get(name)
    if (known?.length === words.list.length) return known
    const flags = new Uint8Array(words.list.length)
    words.list.forEach((word, id) => {
      if (fits(word)) flags[id] = 1
    })
    this.#flags.set(name, flags)
    return flags
  }
}

function markPhrases(found: Uint8Array, { phraseStart }: LayerPart, words: Int32Array, flags: Uint8Array) {
  for (let row = 0; row < found.length; row++) {
    for (let at = phraseStart[row]; at < phraseStart[row + 1]; at++) {
      if (flags[words[at]] === 1) {
        found[row] = 1
        break
      }
    }
  }
}

function markNames(
  found: Uint8Array,
  { names, nameStart }: IndexedShard['images'],
  text: string,
  field: 'key' | 'url' | null,
) {
  const wanted = Buffer.from(text)
  let row = 0
  for (let at = names.indexOf(wanted); at !== -1; at = names.indexOf(wanted, at)) {
    while (nameStart[row + 1] <= at) row++
    const url = names.indexOf(0, nameStart[row]) + 1
    if (field === null || (field === 'url') === at >= url) {
      found[row] = 1
      at = nameStart[row + 1]
    } else at++
  }
}
