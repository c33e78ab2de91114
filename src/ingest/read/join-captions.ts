import type { RepeatedNames } from './repeated-names.js'
import type { SourceRow } from './source-row.js'

/** Captions of a picture that are kept; a placeholder may stand beside a million of them. */
export const mostCaptions = 100

/** Rows that one picture is made of: of more the next begins, so that whoever wants a few pictures of a list gets them. */
export const mostPairs = 1000

/**
 * Rows next to each other that name one picture (`pictureName`), as lists with a caption a row do, as one row with the
 * captions of all, `mostPairs` rows at most: the first row's mark, place and notes, each caption once, `mostCaptions` at most. Rows without a
 * caption cost nothing but themselves. What is left out is counted under `dropped`: `repeated_caption`,
 * `excess_caption`, and the reasons of rows without a caption that can be used.
 */
export async function* joinCaptions(rows: AsyncGenerator<SourceRow>): AsyncGenerator<SourceRow> {
  let group: Group | undefined
  for await (const row of rows) {
    if (group && group.pairs < mostPairs && isOfOnePicture(group.first, row)) addRow(group, row)
    else {
      if (group) yield joined(group)
      group = { first: row, pairs: 1 }
    }
  }
  if (group) yield joined(group)
}

/**
 * Tells of rows one after another, by their names alone, which go on with the picture of the one before, as
 * `joinCaptions` joins them. The names of pictures that begin are counted.
 *
 * @param names of the pictures so far
 */
export function joinedRows(names: RepeatedNames) {
  /** Rows of the last picture so far. */
  let pairs = 0
  return (name: Uint8Array | string | null, isSame: boolean): boolean => {
    const goesOn = isSame && pairs < mostPairs
    pairs = goesOn ? pairs + 1 : 1
    // One of more rows than join is not named anew by those of them that begin a picture.
    if (name !== null && !isSame) names.add(name)
    return goesOn
  }
}

/** Whether a row goes on with the picture of the one before. */
const isOfOnePicture = ({ pictureName: a }: SourceRow, { pictureName: b }: SourceRow) => a !== null && a === b

/** Rows of one picture; what they have together is only made where there are several. */
interface Group {
  first: SourceRow
  pairs: number
  sums?: {
    readonly captions: Map<string, SourceRow['captions'][number]>
    readonly dropped: Record<string, number>
    license: string | null
  }
}

/** Texts as one picture has them: each once, and `mostCaptions` at most; what is left out is counted. */
export function distinctCaptions(given: readonly string[]): {
  readonly texts: readonly string[]
  readonly dropped: Readonly<Record<string, number>>
} {
  const different = [...new Set(given)]
  const [repeated, excess] = [given.length - different.length, different.length - mostCaptions]
  return {
    texts: different.slice(0, mostCaptions),
    dropped: {
      ...(repeated > 0 && { repeated_caption: repeated }),
      ...(excess > 0 && { excess_caption: excess }),
    },
  }
}

function addRow(group: Group, row: SourceRow) {
  group.sums ??= { captions: new Map(), dropped: {}, license: null }
  if (group.pairs === 1) addCaptions(group.sums, group.first)
  group.pairs++
  addCaptions(group.sums, row)
  const { first } = group
  // A row may have the id of its picture and lack the address.
  if ((first.url ?? first.file ?? first.load) === null)
    group.first = { ...row, mark: first.mark, place: first.place }
}

function addCaptions(sums: NonNullable<Group['sums']>, { captions, dropped, license, problem }: SourceRow) {
  const drop = (reason: string, count = 1) => {
    sums.dropped[reason] = (sums.dropped[reason] ?? 0) + count
  }
  sums.license ??= license
  for (const [reason, count] of Object.entries(dropped)) drop(reason, count)
  if (problem) drop(problem.reason === 'empty_caption' ? 'blank_caption' : problem.reason)
  for (const caption of captions) {
    if (sums.captions.has(caption.text)) drop('repeated_caption')
    else if (sums.captions.size === mostCaptions) drop('excess_caption')
    else sums.captions.set(caption.text, caption)
  }
}

function joined({ first, pairs, sums }: Group): SourceRow {
  if (!sums) return first
  const { captions, dropped, license } = sums
  const { load, problem } = first
  const known = { ...first.dropped }
  const addLate = () => {
    // What a row leaves out with its picture is counted when that is read.
    for (const [reason, count] of Object.entries(first.dropped))
      if (known[reason] === undefined) dropped[reason] = count
  }
  return {
    ...first,
    pairs,
    license,
    captions: [...captions.values()],
    dropped,
    problem: captions.size > 0 ? null : problem,
    load: load && (() => load().finally(addLate)),
  }
}
