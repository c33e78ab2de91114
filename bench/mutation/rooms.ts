/** The rooms of `src/` whose tests are held against mutants, and which tests those are. */
import { readdirSync } from 'node:fs'
import { UserError } from '../../src/base/user-error.js'

/** Which tests are run over a mutant. */
export interface MutationTests {
  /** Patterns of files. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** How the titles of tests begin that are skipped. */
  readonly skip: readonly string[]
}

/** A folder of a room, without those below it. */
export interface MutatedFolder {
  readonly room: string
  /** Below src. */
  readonly folder: string
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
  'ingest/fetch': { without: ['host-limiter'] },
  shards: { without: ['many-writers', 'commit-protocol', 'two-writers'], skip: ['by SIGKILL'] },
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
  nlp: { of: ['nlp', 'words'] },
  pipeline: { without: ['kill', 'cycle', 'detector', 'glip-r50', 's3', 'engines/**'] },
}

/** The folders of rooms, or of parts of them, that are named; of all rooms where none is. */
export function mutatedFolders(names: readonly string[]): MutatedFolder[] {
  const roomNames = Object.keys(rooms)
  return (names.length > 0 ? names : roomNames).flatMap((name) => {
    const room = roomNames.find((one) => name === one || name.startsWith(`${one}/`))
    if (!room)
      throw new UserError(
        `"${name}" is no room whose tests are held against mutants: ${roomNames.join(', ')}.`,
      )
    const { of = [room], without = [], skip = [] } = rooms[room]!
    const tests = {
      include: of.map((folder) => `test/${folder}/**/*.test.ts`),
      exclude: without.map((file) => `test/${room}/${file}.test.ts`),
      skip,
    }
    return foldersBelow(name).map(([folder, files]) => ({ room, folder, files, tests }))
  })
}

/** Each folder from this one down that has files in it, with their paths. */
function foldersBelow(folder: string): [folder: string, files: string[]][] {
  const entries = readdirSync(`src/${folder}`, { withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  const own: [string, string[]][] =
    files.length > 0 ? [[folder, files.map(({ name }) => `src/${folder}/${name}`).sort()]] : []
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}`)
  return [...own, ...folders.sort().flatMap(foldersBelow)]
}
