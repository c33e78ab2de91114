/**
 * Near duplicates: of pictures and what people do to them, how many are found; of different pictures, how many count
 * as the same; and what the search costs. Without a folder of photographs the pictures are drawn. Costs are of the
 * processor, of one core; bytes are those of the typed arrays.
 *
 *     npm run bench:dedup -- [--photos FOLDER] [--pictures 80] [--rows 10000000] [--random 1000000] [--json]
 */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { random } from '../src/base/random.js'
import { createCopyIndex } from '../src/dedup/copy-index.js'
import { createDeduper } from '../src/dedup/deduper.js'
import { createNearIndex, type Hash64, ones, parseHash } from '../src/dedup/near-index.js'
import { bearsOut, isSamePicture } from '../src/dedup/same-picture.js'
import { ingestConfig } from '../src/ingest/config.js'
import { fingerprint } from '../src/ingest/image/fingerprint.js'
import { normaliseImage } from '../src/ingest/image/normalise-image.js'
import { fingerprintLayout, readFingerprint } from '../src/rows/fingerprint.js'
import { drawnPicture, edits, plainPictures } from './edited-copies.js'
import { fillRandom } from './random-fingerprint.js'
import { gatherFigures, option, printHelp, printReport } from './report.js'

await printHelp(import.meta.url)
const photos = option('photos', '')
const most = Number(option('pictures', '80'))
const rows = Number(option('rows', '10000000'))
const randomRows = Number(option('random', '1000000'))
const distance = 4
const { figures, report } = gatherFigures()
const cpu = () => process.cpuUsage().user / 1e6
const draw = random('dedup')
const word = () => draw.integer(2 ** 32)

interface Hashes {
  readonly hash: Hash64
  readonly print: Uint32Array
}

async function hashesOf(picture: Buffer): Promise<Hashes> {
  const { phash, fingerprint } = await normaliseImage(picture, 'p', ingestConfig.parse({}).image)
  return { hash: parseHash(phash) as Hash64, print: readFingerprint(fingerprint) as Uint32Array }
}

const isHashNear = (one: Hashes, other: Hashes) =>
  ones(one.hash[0] ^ other.hash[0]) + ones(one.hash[1] ^ other.hash[1]) <= distance
/** As a dedup stage judges two pictures. */
const isNear = (one: Hashes, other: Hashes) => isHashNear(one, other) && bearsOut(one.print, other.print)

async function pictures(): Promise<Buffer[]> {
  if (!photos) return Promise.all(Array.from({ length: most }, (_, seed) => drawnPicture(seed)))
  const names = (await readdir(photos, { recursive: true })).filter((name) => /\.jpe?g$/i.test(name))
  return Promise.all(
    names
      .sort()
      .slice(0, most)
      .map((name) => readFile(join(photos, name))),
  )
}

const originals = await pictures()
const known = await Promise.all(originals.map(hashesOf))
const index = createCopyIndex(known.length, true)
for (const [at, { print }] of known.entries()) index.add(print, at)
for (const [name, edit] of Object.entries(edits)) {
  let found = 0
  let near = 0
  for (const [at, original] of originals.entries()) {
    const edited = await hashesOf(await edit(original, random(name, at)))
    const isHashed = isNear(known[at]!, edited)
    if (isHashNear(edited, known[at]!)) near++
    if (isHashed || index.find(edited.print) === at) found++
  }
  const share = (100 * found) / originals.length
  report(name, share, '% found', '>= 95', share >= 95, `${near} of ${originals.length} by the hash alone`)
}

/** Pairs of different pictures that count as the same, and those of which the hashes are near. */
function falsePairs(set: readonly Hashes[]) {
  let [pairs, same, near] = [0, 0, 0]
  set.forEach((one, at) => {
    for (const other of set.slice(0, at)) {
      pairs++
      if (isNear(one, other) || isSamePicture(one.print, other.print, true)) same++
      if (isHashNear(one, other)) near++
    }
  })
  return { pairs, same, near }
}
const different = falsePairs(known)
report(
  'different pictures that count as one',
  different.same,
  `of ${different.pairs} pairs`,
  '0',
  different.same === 0,
)
for (const [name, drawPlain] of Object.entries(plainPictures)) {
  const set = await Promise.all(
    Array.from({ length: 120 }, async (_, seed) => hashesOf(await drawPlain(seed))),
  )
  const { pairs, same, near } = falsePairs(set)
  report(name, same, `of ${pairs} pairs`, '', null, `${near} by the hash alone`)
}

{
  const pixels = await Promise.all(
    originals.map(async (original) => {
      const resized = sharp(original).resize(256, 256, { fit: 'inside' }).removeAlpha()
      const { data, info } = await resized.raw().toBuffer({ resolveWithObject: true })
      return { data, width: info.width, height: info.height, channels: info.channels }
    }),
  )
  // The least of many rounds: what else runs on the machine only adds to it.
  const rounds = Array.from({ length: 30 }, () => {
    const start = cpu()
    for (const picture of pixels) fingerprint(picture)
    return (1e3 * (cpu() - start)) / pixels.length
  })
  const least = Math.min(...rounds)
  report('fingerprint of a picture of 256 pixels', least, 'ms of a core', '<= 0.3', least <= 0.3)
}

{
  const deduper = createDeduper(
    randomRows,
    { url: true, bytes: true, distance, against: [], against_distance: 6 },
    [],
  )
  const print = new Uint32Array(fingerprintLayout.words)
  const hex = (value: number) => value.toString(16).padStart(8, '0')
  const drawJudged = (row: number) => {
    fillRandom(print, draw)
    return {
      url: `https://host.example/${row}.jpg`,
      sha256: hex(row).padEnd(64, '0'),
      phash: hex(word()) + hex(word()),
      fingerprint: Buffer.from(print.buffer).toString('base64'),
    }
  }
  let dropped = 0
  let seconds = 0
  const block = 1000
  for (let row = 0; row < randomRows; row += block) {
    const length = Math.min(block, randomRows - row)
    const judged = Array.from({ length }, (_, at) => drawJudged(row + at))
    const start = cpu()
    for (const [at, one] of judged.entries()) if (deduper.judge(one, row + at)) dropped++
    seconds += cpu() - start
  }
  report('a picture judged by all searches', (1e6 * seconds) / randomRows, 'us of a core', '', null)
  report('random pictures that count as an earlier one', dropped, `of ${randomRows}`, '0', dropped === 0)
}

// Each search in a process of its own: V8 makes code for the indexes that a process has, and the ones above are of other distances.
for (const searched of ['hashes', 'fingerprints']) {
  const args = ['--import', 'tsx', 'bench/dedup-search.ts', '--of', searched, '--rows', `${rows}`, '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  Object.assign(figures, JSON.parse(stdout).figures)
}

// The near index answers as a comparison of all does.
const part = Array.from({ length: 1500 }, (_, row): Hash64 => [word(), row % 10 === 0 ? 7 : word()])
const wrong = [2, 6].reduce((sum, within) => {
  const near = createNearIndex(part.length, within)
  return part.reduce((count, hash, row) => {
    const first = part
      .slice(0, row)
      .findIndex((other) => ones(hash[0] ^ other[0]) + ones(hash[1] ^ other[1]) <= within)
    const isWrong = near.find(hash) !== first
    near.add(hash, row)
    return count + (isWrong ? 1 : 0)
  }, sum)
}, 0)
report('answers unlike a comparison of all', wrong, 'of 3000', '0', wrong === 0)
printReport('dedup', originals.length, figures)
