import { type ShownName, shownMeasures, shownNames } from '../view/shown-measures.js'
import type { View } from '../view/view.js'
import type { DatasetIndex } from './dataset-index.js'
import type { StringTable } from './string-table.js'

/** What is chosen of each histogram and list: 1 for what is, null where nothing is chosen. */
export interface Choices {
  readonly bins: Readonly<Record<ShownName, Uint8Array | null>>
  readonly heads: Uint8Array | null
  readonly hosts: Uint8Array | null
  readonly boxes: View['boxes']
  readonly verdicts: View['verdicts']
  /** Whether a picture must have a box that fits. */
  readonly wantsBox: boolean
}

/** The choices of a view, as arrays that are looked into for every row and box. */
export function choicesOf(view: View, index: Pick<DatasetIndex, 'heads' | 'hosts'>): Choices {
  const bins = perMeasure((name) => flagsOf(view.bins[name], binsOf(name)))
  const heads = wordFlags(view.heads, index.heads)
  const wantsBox = Boolean(bins.score || bins.area_share || bins.aspect || heads)
  const { boxes, verdicts } = view
  return { bins, heads, hosts: wordFlags(view.hosts, index.hosts), boxes, verdicts, wantsBox }
}

/** Number of a measure's bins. */
export const binsOf = (name: ShownName): number => shownMeasures[name].edges.length + 1

/** Something for each measure that is shown. */
export const perMeasure = <T>(of: (name: ShownName) => T): Record<ShownName, T> =>
  Object.fromEntries(shownNames.map((name) => [name, of(name)])) as Record<ShownName, T>

function flagsOf(bins: readonly number[] | undefined, count: number): Uint8Array | null {
  if (!bins || bins.length === 0) return null
  const flags = new Uint8Array(count)
  for (const bin of bins) flags[bin] = 1
  return flags
}

/** 1 at the places of the words; words that are nowhere leave all at 0. */
function wordFlags(chosen: readonly string[], words: StringTable): Uint8Array | null {
  if (chosen.length === 0) return null
  const flags = new Uint8Array(words.list.length)
  for (const word of chosen) {
    const id = words.find(word)
    if (id !== undefined) flags[id] = 1
  }
  return flags
}
