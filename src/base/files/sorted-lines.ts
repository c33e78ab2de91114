import { open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder } from './make-folder.js'
import { asidePath, sweepFolder } from './write-file-atomic.js'
import { writeChunks } from './write-pieces.js'

/** Characters of lines that are held and sorted together. */
const heldAtOnce = 6 << 20
/** Runs that are merged at once, each an open file. */
const mergedAtOnce = 128
const readAtOnce = 32 << 10
const writtenAtOnce = 256 << 10

interface Ranked {
  readonly rank: number
  readonly line: string
}

/**
 * Lines in the order of a number that each has, the highest first, equal ones as they came (external merge sort): any
 * number of them in the memory of a part. What does not fit is written in sorted runs into a folder beside a file,
 * which `close` removes.
 */
export class SortedLines {
  #held: Ranked[] = []
  #size = 0
  #runs: string[] = []
  #made = 0
  readonly #folder: string

  /**
   * @param beside the file that the lines are for
   * @param most characters of lines that are held
   */
  constructor(
    beside: string,
    private readonly most: number = heldAtOnce,
  ) {
    this.#folder = asidePath(`${beside}.sorted`)
  }

  /** @param line without a line break */
  async add(rank: number, line: string): Promise<void> {
    this.#held.push({ rank, line })
    this.#size += line.length
    if (this.#size < this.most) return
    await this.#write(this.#sorted())
    this.#held = []
    this.#size = 0
    if (this.#runs.length < mergedAtOnce) return
    const runs = this.#runs
    this.#runs = []
    await this.#write(merged(runs.map(linesOf)))
    for (const run of runs) await rm(run, { force: true })
  }

  /** All lines, each with its line break, many together. */
  async *read(): AsyncGenerator<Uint8Array> {
    yield* bytesOf(merged([...this.#runs.map(linesOf), each(this.#sorted())]), ({ line }) => line)
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  #sorted(): Ranked[] {
    return this.#held.sort((a, b) => b.rank - a.rank)
  }

  async #write(lines: Iterable<Ranked> | AsyncIterable<Ranked>): Promise<void> {
    if (this.#made === 0) {
      await sweepFolder(dirname(this.#folder))
      await makeFolder(this.#folder)
    }
    const path = join(this.#folder, String(this.#made++))
    this.#runs.push(path)
    const file = await open(path, 'w')
    try {
      await writeChunks(
        file,
        bytesOf(lines, ({ rank, line }) => `${rank} ${line}`),
      )
    } finally {
      await file.close()
    }
  }
}

async function* each(lines: readonly Ranked[]): AsyncGenerator<Ranked> {
  yield* lines
}

async function* bytesOf(
  lines: Iterable<Ranked> | AsyncIterable<Ranked>,
  textOf: (line: Ranked) => string,
): AsyncGenerator<Uint8Array> {
  let text = ''
  for await (const line of lines) {
    text += `${textOf(line)}\n`
    if (text.length < writtenAtOnce) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

/** The lines of sorted runs in one order; of equal ones those of the earlier run first. */
async function* merged(runs: readonly AsyncGenerator<Ranked>[]): AsyncGenerator<Ranked> {
  try {
    const firsts = await Promise.all(runs.map((run) => next(run)))
    for (;;) {
      let best = -1
      for (let at = 0; at < firsts.length; at++) {
        const first = firsts[at]
        if (first && (best < 0 || first.rank > firsts[best]!.rank)) best = at
      }
      if (best < 0) return
      yield firsts[best]!
      firsts[best] = await next(runs[best]!)
    }
  } finally {
    for (const run of runs) await run.return(undefined)
  }
}

const next = async (run: AsyncGenerator<Ranked>): Promise<Ranked | undefined> => {
  const { done, value } = await run.next()
  return done ? undefined : value
}

/** The lines of a run. Line breaks alone end them: texts may have any other character. */
async function* linesOf(path: string): AsyncGenerator<Ranked> {
  const file = await open(path)
  try {
    let rest: Buffer = Buffer.alloc(0)
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(readAtOnce), 0, readAtOnce)
      if (bytesRead === 0) return
      const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
      const end = bytes.lastIndexOf('\n')
      rest = bytes.subarray(end + 1)
      if (end < 0) continue
      for (const text of bytes.toString('utf8', 0, end).split('\n')) {
        const space = text.indexOf(' ')
        yield { rank: Number(text.slice(0, space)), line: text.slice(space + 1) }
      }
    }
  } finally {
    await file.close()
  }
}
