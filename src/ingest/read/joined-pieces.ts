import { isUtf8 } from 'node:buffer'
import type { Mark } from '../../formats/mark.js'
import { type LinePiece, maxLineBytes } from '../../formats/read-lines.js'
import { joinedRows } from './join-captions.js'
import type { RepeatedNames } from './repeated-names.js'

/** The cell of a tab-separated line that names its picture. */
export interface NameCell {
  readonly place: number
  /** Cells that a line has at least, or it is no row. */
  readonly count: number
}

interface JoinedPiece extends LinePiece {
  readonly joined: ReadonlySet<number>
}

const [tab, space, lineFeed, carriageReturn] = [9, 32, 10, 13]

/**
 * Pieces of a list of tab-separated lines, cut between lines, with those lines that go on with the picture of the line
 * before: as `joinCaptions` joins their rows, without making them.
 */
export async function* joinedPieces(
  pieces: AsyncGenerator<LinePiece>,
  cell: NameCell,
  names: RepeatedNames,
): AsyncGenerator<JoinedPiece> {
  /** The name in the line before; undefined where it is no row. */
  let before: Uint8Array | undefined
  const goesOn = joinedRows(names)
  const joinedOf = ({ marks, at, bytes }: LinePiece) => {
    const joined = new Set<number>()
    for (const [index, mark] of marks.entries()) {
      const name = nameIn(
        bytes.subarray(mark.at - at, (marks[index + 1]?.at ?? Number.POSITIVE_INFINITY) - at),
        mark,
        cell,
      )
      const isSame = name !== undefined && before !== undefined && Buffer.compare(name, before) === 0
      if (goesOn(name ?? null, isSame)) joined.add(index)
      before = name
    }
    return joined
  }
  /** The line that is not at its end, without its beginning where it is too long to be a row. */
  let open:
    | { readonly mark: Mark | undefined; readonly at: number; readonly parts: Uint8Array[]; length: number }
    | undefined
  const take = (bytes: Uint8Array) => {
    if (!open || bytes.length === 0) return
    open.parts.push(bytes)
    open.length += bytes.length
  }
  const openLine = (): JoinedPiece[] => {
    if (!open) return []
    const { mark, at, parts } = open
    const piece = { marks: mark ? [mark] : [], at, bytes: Buffer.concat(parts) }
    open = undefined
    return [{ ...piece, joined: joinedOf(piece) }]
  }
  for await (const { marks, at, bytes } of pieces) {
    const [first, last] = [marks[0], marks.at(-1)]
    open ??= { mark: undefined, at, parts: [], length: 0 }
    take(bytes.subarray(0, first && first.at - at))
    if (!first || !last) {
      if (open.length <= maxLineBytes + 2) continue
      yield* openLine()
      continue
    }
    yield* openLine()
    const whole = {
      marks: marks.slice(0, -1),
      at: first.at,
      bytes: bytes.subarray(first.at - at, last.at - at),
    }
    if (whole.marks.length > 0) yield { ...whole, joined: joinedOf(whole) }
    open = { mark: last, at: last.at, parts: [], length: 0 }
    take(bytes.subarray(last.at - at))
  }
  yield* openLine()
}

/** The name in a line with its end; undefined where it is no row. */
function nameIn(line: Uint8Array, { at }: Mark, { place, count }: NameCell): Uint8Array | undefined {
  let end = line.length
  if (line[end - 1] === lineFeed || line[end - 1] === carriageReturn) end--
  if (end > maxLineBytes || !isUtf8(line)) return undefined
  while (line[end - 1] === carriageReturn) end--
  let start = at === 0 && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0
  let name: Uint8Array | undefined
  for (let index = 0; index < count; index++) {
    if (start > end) return undefined
    const next = line.indexOf(tab, start)
    const stop = next === -1 ? end : next
    if (index === place) name = line.subarray(start, stop)
    start = next === -1 ? end + 1 : next + 1
  }
  return name && !isBlank(name) ? name : undefined
}

/** Blanks beyond ASCII are of several bytes. */
const isBlank = (name: Uint8Array) =>
  name.length === 0 ||
  (((name[0] as number) <= space || (name[0] as number) > 127) && Buffer.from(name).toString().trim() === '')
