/**
 * What deduplication costs: a million synthetic fingerprints, one in ten a duplicate of an earlier one,
 * through the same code as the `dedup` stage without the reading of shards. Answers of the near index are
 * compared with a comparison of all pairs on a part of them. Bytes are those of the typed arrays.
 *
 *     npm run bench:dedup -- [--rows 1000000] [--json]
 */

import { random } from '../src/base/random.js'
import { createDeduper } from '../src/dedup/deduper.js'
import { createNearIndex, type Hash64 } from '../src/dedup/near-index.js'
import { type Figure, option, printReport } from './report.js'

const rows = Number(option('rows', '1000000'))
const web = 24_000_000
const draw = random('dedup')
const word = () => draw.integer(2 ** 32)

/** Hashes of which every tenth is an earlier one with at most three bits turned over. */
const hashes: Hash64[] = []
for (let row = 0; row < rows; row++) {
  if (row < 100 || row % 10 !== 0) hashes.push([word(), word()])
  else {
    let [high, low] = hashes[draw.integer(row)]!
    for (let flip = 0; flip < row % 4; flip++) {
      const bit = 2 ** draw.integer(32)
      if (flip % 2 === 0) high = (high ^ bit) >>> 0
      else low = (low ^ bit) >>> 0
    }
    hashes.push([high, low])
  }
}

const report = (value: number, unit: string, note = ''): Figure => ({
  value,
  unit,
  goal: '',
  met: null,
  note,
})
const cpu = () => process.cpuUsage().user / 1e6
const figures: Record<string, Figure> = {}
// Before all else, so that nothing is given back while it is measured.
const before = process.memoryUsage().arrayBuffers
const config = { url: true, bytes: true, distance: 4, against: [], against_distance: 6 }
const deduper = createDeduper(rows, config, [])
const hex = ([high, low]: Hash64) => high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
const start = cpu()
let dropped = 0
for (const [row, hash] of hashes.entries()) {
  const phash = hex(hash)
  const print = {
    url: `https://host.example/${row % 100_003}/${row}.jpg`,
    sha256: (phash + row.toString(16)).padEnd(64, '0'),
    phash,
  }
  if (deduper.judge(print, row)) dropped++
}
const held = process.memoryUsage().arrayBuffers - before
figures['url, bytes and near, distance 4'] = report(
  (1e6 * (cpu() - start)) / rows,
  'CPU us a row',
  `${dropped} dropped`,
)
figures['memory at this size'] = report(held / rows, 'bytes a row')
for (const distance of [2, 4, 6]) {
  const index = createNearIndex(rows, distance)
  const start = cpu()
  let found = 0
  for (const [row, hash] of hashes.entries()) {
    if (index.find(hash) === -1) index.add(hash, row)
    else found++
  }
  figures[`near, distance ${distance}`] = report(
    (1e6 * (cpu() - start)) / rows,
    'CPU us a row',
    `${found} near duplicates`,
  )
}

const part = hashes.slice(0, 1500)
const ones = (value: number) => (value >>> 0).toString(2).replaceAll('0', '').length
const wrong = [2, 6].reduce((sum, distance) => {
  const index = createNearIndex(rows, distance)
  return part.reduce((count, hash, row) => {
    const first = part
      .slice(0, row)
      .findIndex((other) => ones(hash[0] ^ other[0]) + ones(hash[1] ^ other[1]) <= distance)
    const isWrong = index.find(hash) !== first
    index.add(hash, row)
    return count + (isWrong ? 1 : 0)
  }, sum)
}, 0)
figures['answers unlike a comparison of all'] = { value: wrong, unit: 'of 3000', goal: '0', met: wrong === 0 }

// What grows with the rows: 2 * 16 of hashes and numbers, 12 and 4 for each of three bands; and what is there
// once.
const slots = 2 * 4 * 2 ** Math.ceil(Math.log2(1.25 * web))
const heads = 4 * (2 ** 21 + 2 ** 21 + 2 ** 22)
const bytes = (32 + 24) * web + slots + heads
figures['memory at 24 million'] = report(bytes / web, 'bytes a row', `${(bytes / 1e9).toFixed(2)} GB`)
printReport('dedup', rows, figures)
