/**
 * What it costs to look up and add a picture, by its perceptual hash or by its fingerprint, of so many of which none is
 * like another: seconds of the processor, of one core; bytes are those of the typed arrays.
 *
 *     npx tsx bench/dedup-search.ts --of hashes|fingerprints [--rows 10000000] [--json]
 */
import { random } from '../src/base/random.js'
import { createCopyIndex } from '../src/dedup/copy-index.js'
import { createNearIndex, type Hash64 } from '../src/dedup/near-index.js'
import { fingerprintLayout } from '../src/rows/fingerprint.js'
import { fillRandom } from './random-fingerprint.js'
import { gatherFigures, option, printHelp, printReport, refuse } from './report.js'

await printHelp(import.meta.url)
const of = option('of', '')
const rows = Number(option('rows', '10000000'))
const draw = random('dedup')
/** What is searched for is made aside, so many at once, and not measured. */
const block = 20_000

interface Searched<Key> {
  readonly index: { find(key: Key): number; add(key: Key, row: number): void; readonly bytes: number }
  readonly keys: readonly Key[]
  /** Draws all keys anew. */
  fill(): void
}

function hashes(): Searched<Hash64> {
  const word = () => draw.integer(2 ** 32)
  const keys: Hash64[] = []
  const fill = () => {
    for (let at = 0; at < block; at++) keys[at] = [word(), word()]
  }
  return { index: createNearIndex(rows, 4), keys, fill }
}

function fingerprints(): Searched<Uint32Array> {
  const keys = Array.from({ length: block }, () => new Uint32Array(fingerprintLayout.words))
  const fill = () => {
    for (const key of keys) fillRandom(key, draw)
  }
  return { index: createCopyIndex(rows, true), keys, fill }
}

function search<Key>({ index, keys, fill }: Searched<Key>): void {
  let seconds = 0
  for (let first = 0; first < rows; first += block) {
    fill()
    const start = process.cpuUsage().user
    for (let row = first; row < Math.min(first + block, rows); row++) {
      const key = keys[row - first]!
      if (index.find(key) === -1) index.add(key, row)
    }
    seconds += (process.cpuUsage().user - start) / 1e6
  }
  const { figures, report } = gatherFigures()
  // A dedup stage searches in one thread.
  const most = (60 * rows) / 10_000_000
  const each = `${((1e6 * seconds) / rows).toFixed(1)} us a picture, ${(index.bytes / rows).toFixed(0)} bytes a picture`
  report(
    `${rows} ${of}, each looked up and added`,
    seconds,
    's of a core',
    `<= ${most}`,
    seconds <= most,
    each,
  )
  printReport('dedup-search', 1, figures)
}

if (of === 'hashes') search(hashes())
else if (of === 'fingerprints') search(fingerprints())
else refuse('--of is hashes or fingerprints')
