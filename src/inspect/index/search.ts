import {
  isHead,
  isInText,
  looksInHeads,
  looksInTexts,
  readSearch,
  type SearchTerm,
} from '../view/read-search.js'
import type { DatasetIndex, IndexedShard } from './dataset-index.js'
import type { LayerPart } from './index-part.js'
import type { StringTable } from './string-table.js'

/** Finds rows by the text of their phrases, the heads of these, their keys and addresses. */
export class Search {
  readonly #terms: readonly SearchTerm[]
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
    for (const other of more) {
      for (let row = 0; row < first.length; row++) if (other[row] === 0) first[row] = 0
    }
    return first
  }

  #rowsOf(term: SearchTerm, { images, layer }: IndexedShard): Uint8Array {
    const { field, text } = term
    const found = new Uint8Array(images.rows)
    if (looksInTexts(term)) {
      const flags = this.#flagsOf('text', text, this.index.texts, (phrase) => isInText(term, phrase))
      markPhrases(found, layer, layer.phraseText, flags)
    }
    if (looksInHeads(term)) {
      const flags = this.#flagsOf('head', text, this.index.heads, (head) => isHead(term, head))
      markPhrases(found, layer, layer.phraseHead, flags)
    }
    if (field !== 'phrase' && field !== 'head') markNames(found, images, text, field)
    return found
  }

  /** Which strings of a table fit, looked up again only where strings were added since. */
  #flagsOf(kind: string, text: string, table: StringTable, fits: (text: string) => boolean): Uint8Array {
    const name = `${kind} ${text}`
    const known = this.#flags.get(name)
    if (known?.length === table.list.length) return known
    const flags = new Uint8Array(table.list.length)
    table.list.forEach((one, id) => {
      if (fits(one)) flags[id] = 1
    })
    this.#flags.set(name, flags)
    return flags
  }
}

function markPhrases(found: Uint8Array, { phraseStart }: LayerPart, words: Int32Array, flags: Uint8Array) {
  for (let row = 0; row < found.length; row++) {
    const end = phraseStart[row + 1] as number
    for (let at = phraseStart[row] as number; at < end; at++) {
      if (flags[words[at] as number] === 1) {
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
    while ((nameStart[row + 1] as number) <= at) row++
    const url = names.indexOf(0, nameStart[row]) + 1
    if (field === null || (field === 'url') === at >= url) {
      found[row] = 1
      at = nameStart[row + 1] as number
    } else at++
  }
}
