/** The rooms of `src/` whose tests are held against mutants, and which tests those are. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { UserError } from '../../src/base/user-error.js'

/** Which tests are run over a mutant. */
export interface MutationTests {
  /** Patterns of files. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** How the titles of tests begin that are skipped. */
  readonly skip: readonly string[]
}

/** Files of one folder of a room. */
export interface MutatedPart {
  readonly room: string
  /** Folder and first file, without slashes. */
  readonly name: string
  readonly files: readonly string[]
  readonly tests: MutationTests
}

interface Room {
  /** Folders of test/ that have its tests, if not the one of its name. */
  readonly of?: readonly string[]
  /** Files of them that are left out. */
  readonly without?: readonly string[]
  readonly skip?: readonly string[]
}

/**
 * A room is held against its own tests. Left out are those that start processes, which have no mutants, those
 * that read the source itself, and those that take too long to be run thousands of times.
 */
const rooms: Readonly<Record<string, Room>> = {
  boxes: {},
  filter: { skip: ['has the example of CONTRIBUTING'] },
  'ingest/fetch': {
    skip: [
      'are held against an address at once',
      'keep to the limit',
      'fail, and take no picture for gone',
      'let nobody starve',
      'give turns that are so far apart, over all',
      'are renewed while they are held',
    ],
  },
  shards: { without: ['many-writers'], skip: ['by SIGKILL'] },
  evaluate: {
    skip: [
      'are scored by the command line',
      'is scored by the command line',
      'are refused where they are about pictures',
      'may be larger than a string',
      'prefers neither of two models',
      'lets the best of several be picked',
    ],
  },
  train: {},
  nlp: {
    of: ['nlp', 'words'],
    skip: [
      'nothing that keeps a long caption',
      'are found in a caption that is one long phrase',
      'are exact spans in code points of any string',
      'holds no more words than its limit',
      'is searched to the same end',
    ],
  },
  pipeline: {
    without: [
      'kill',
      'cycle',
      'detector',
      'glip-r50',
      's3',
      'disk-full',
      'engines/many-processes',
      'engines/task-process',
      'queue/outages',
      'queue/queue',
    ],
    skip: [
      'the command exports the same',
      'is fetched whole by several processes at once',
      'is fetched anew where it lies in the cache',
    ],
  },
}

/** Bytes of source in a part, if it is of several files: some five hundred mutants. */
const partBytes = 24_000

/**
 * The parts of the rooms, folders or files that are named, as below src and without `.ts`; of all rooms where none
 * is. Of a sample a part is the larger the fewer of its mutants are tried, since each begins with a run of all tests.
 */
export function mutatedParts(names: readonly string[], share = 1): MutatedPart[] {
  const roomNames = Object.keys(rooms)
  return (names.length > 0 ? names : roomNames).flatMap((name) => {
    const room = roomNames.find((one) => name === one || name.startsWith(`${one}/`))
    if (!room)
      throw new UserError(
        `"${name}" is in no room whose tests are held against mutants: ${roomNames.join(', ')}.`,
      )
    const { of = [room], without = [], skip = [] } = rooms[room]!
    const tests = {
      include: of.map((folder) => `test/${folder}/**/*.test.ts`),
      exclude: without.map((file) => `test/${room}/${file}.test.ts`),
      skip,
    }
    const parts = existsSync(`src/${name}.ts`) ? [[`src/${name}.ts`]] : partsBelow(`src/${name}`, share)
    const ending = share < 1 ? '.sample' : ''
    return parts.map((files) => ({ room, name: `${nameOf(files[0]!)}${ending}`, files, tests }))
  })
}

const nameOf = (path: string) =>
  path
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-')

/** The files of a folder, and of those below it, in lists of about as many bytes. */
function partsBelow(folder: string, share: number): string[][] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: share < 1 })
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => `${parentPath}/${name}`)
  const parts: string[][] = []
  let bytes = 0
  for (const file of files.sort()) {
    const { size } = statSync(file)
    const last = parts.at(-1)
    if (!last || bytes + size > partBytes / share) parts.push([file])
    else last.push(file)
    bytes = parts.at(-1) === last ? bytes + size : size
  }
  if (share < 1) return parts
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}`)
  return [...parts, ...folders.sort().flatMap((below) => partsBelow(below, share))]
}
