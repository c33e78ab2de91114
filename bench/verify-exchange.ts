/**
 * Exports a grounding for review to each tool, has it read, edited and written by the tool's own reader, and imports what
 * came of it: what is said then must be what the edits were.
 *
 *     npm run verify:review-exchange -- --python python3 [--dataset runs/quickstart/web:round-1-filter]
 *
 * What that Python needs stands in bench/verify-exchange.py. The dataset is copied; the copy alone is written to.
 */
import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packaged } from '../src/base/files/packaged.js'
import { openNamed } from '../src/cli/options/named-grounding.js'
import { datasetOutput } from '../src/pipeline/dataset-output.js'
import { reviewsOf } from '../src/review/effective-reviews.js'
import { exportReview } from '../src/review/exchange/export-review.js'
import { importReview } from '../src/review/exchange/import-review.js'
import { readReviews } from '../src/review/read-reviews.js'
import type { ReviewEntry } from '../src/review/review-entry.js'
import { joinRows } from '../src/shards/join-rows.js'
import { openStorage } from '../src/storage/open-storage.js'
import { option } from './report.js'

const named = option('dataset', 'runs/quickstart/web:round-1-filter')
const python = option('python', 'python3')
const folder = await mkdtemp(join(tmpdir(), 'groundmill-verify-'))
const formats = ['label-studio', 'cvat', 'coco'] as const

/** What is said in one line of text: the picture, the action, the phrase's place, and the box. */
type Said = [string, string, number[] | null, number[] | null, number[] | null, number[] | null]

try {
  const { dataset, grounding } = await openNamed(named)
  const { phrases = grounding, selection } = await datasetOutput(dataset, 'grounding', grounding)
  await cp(dataset.storage.path('.'), join(folder, 'data'), { recursive: true })
  const storage = openStorage(join(folder, 'data'))
  const source = { name: dataset.name, storage, shards: dataset.shards, grounding, phrases }
  for (const format of formats) {
    const out = join(folder, `${format}.${format === 'cvat' ? 'xml' : 'json'}`)
    const pictures = join(folder, 'pictures')
    await exportReview({ ...source, ...(selection && { selection }) }, { format, out, pictures })
  }
  await writeFile(join(folder, 'truth.json'), JSON.stringify(await truthOf()))
  const script = packaged('bench/verify-exchange.py')
  const read = spawnSync(python, [script, folder], { stdio: 'inherit' })
  if (read.status !== 0) throw new Error('the readers found differences, or did not read')
  let wrong = 0
  for (const [file, format, within] of [
    ['edited-label-studio.json', 'label-studio', 1e-4],
    ['edited-label-studio-min.json', 'label-studio', 1e-4],
    ['edited-cvat.xml', 'cvat', 0.011],
    ['edited-coco.json', 'coco', 1e-4],
  ] as const) {
    const name = file.replace(/\..*/, '').replace('edited-', '')
    const take = () =>
      importReview(storage, {
        ...{ format, file: join(folder, file), name, at: '2024-01-01T00:00:00.000Z' },
        ...(format !== 'label-studio' && { reviewer: 'ann' }),
      })
    const report = await take()
    const again = await take()
    const expected: Said[] = JSON.parse(await readFile(join(folder, `expected-${name}.json`), 'utf8'))
    const found = reviewsOf(await readReviews(storage, name)).map(saidBy)
    // Without ids a box that was moved far is one that was removed and one that was added: what holds then is the same.
    const plain = name === 'label-studio-min' ? whatHolds : onceEach
    const differences = differenceOf(plain(found), plain(expected), within)
    const rejected = Object.values(report.rejected).reduce((sum, count) => sum + count, 0)
    const counts = Object.entries(report.said).map(([action, count]) => `${action} ${count}`)
    console.log(
      `${name}: ${counts.join(', ')}; ${differences} differences, ${rejected} rejected, ${again.written} written by a second import`,
    )
    wrong += differences + rejected + again.written
  }
  process.exitCode = wrong > 0 ? 1 : 0

  async function truthOf() {
    const pictures: object[] = []
    for (const shard of dataset.shards) {
      const rows = joinRows(storage, shard, {
        images: { columns: ['width', 'height', 'captions'] },
        phrases: { stage: phrases, columns: ['phrases'] },
        grounding: { stage: grounding, columns: ['regions'] },
        selection: selection === undefined ? undefined : { stage: selection, columns: ['reason'] },
      })
      for await (const { key, images, phrases: own, grounding: found, selection: chosen } of rows) {
        const named = new Set(found.regions.map(({ phrase }) => phrase))
        const kept = own.phrases.flatMap((one, index) =>
          images.captions[one.caption]?.kind === 'categories' && !named.has(index) ? [] : [{ ...one, index }],
        )
        if (chosen?.reason || kept.length === 0) continue
        const regions = found.regions.map(({ phrase, xyxy }) => {
          const place = kept.findIndex(({ index }) => index === phrase)
          return { phrase: place, text: kept[place]?.text, xyxy }
        })
        const captions = images.captions.map(({ text }) => text)
        pictures.push({ key, width: images.width, height: images.height, captions, phrases: kept, regions })
      }
    }
    return pictures
  }
} finally {
  await rm(folder, { recursive: true })
}

function saidBy({ key, action, phrase, xyxy, redrawn, words }: ReviewEntry): Said {
  const span = phrase && [phrase.caption, phrase.start, phrase.end]
  return [key, action, span, xyxy && [...xyxy], redrawn && [...redrawn], words && [words.start, words.end]]
}

/** A box's phrase and sides; of what is said of phrases and pictures, these. */
function thingOf([key, , span, box]: Said): string {
  return JSON.stringify([key, span, box])
}

/** What holds then: the boxes that are right, by their phrases, and what is said of phrases and pictures. */
function whatHolds(all: readonly Said[]): readonly Said[] {
  const right = all.flatMap(([key, action, span, box, redrawn, words]): Said[] => {
    if (action === 'reject') return []
    if (action === 'complete' || action === 'done') return [[key, action, span, box, redrawn, words]]
    const named = action === 'relabel' && words ? [span?.[0] as number, ...words] : span
    return [[key, 'add', named, redrawn ?? box, null, null]]
  })
  return [...new Map(right.map((one) => [thingOf(one), one])).values()]
}

/** Of boxes about which several things were said, because another box was put in their place, what holds then. */
function onceEach(all: readonly Said[]): readonly Said[] {
  const groups = new Map<string, Said[]>()
  for (const one of all) groups.set(thingOf(one), [...(groups.get(thingOf(one)) ?? []), one])
  const held = [...groups.values()].flatMap((own): readonly Said[] => {
    const actions = own.map(([, action]) => action)
    const one = own[0] as Said
    if (new Set(actions).size === 1) return [one]
    if (!actions.includes('add')) {
      const best = ['accept', 'redraw', 'relabel', 'reject'].find((action) => actions.includes(action))
      return own.filter(([, action]) => action === best).slice(0, 1)
    }
    const became = own.filter(([, action]) => action === 'redraw' || action === 'relabel').slice(0, 1)
    return [[one[0], 'accept', one[2], one[3], null, null], ...whatHolds(became)]
  })
  // What one has become may be where another was added.
  return [...new Map(held.map((one) => [thingOf(one), one])).values()]
}

/** How many of either are not in the other. Boxes that were shown must be there to the bit, drawn ones nearly. */
function differenceOf(found: readonly Said[], expected: readonly Said[], within: number): number {
  const left = new Map<string, Said[]>()
  const thing = ([key, action, span, box, , words]: Said) =>
    JSON.stringify([key, action, span, action === 'add' ? null : box, words])
  for (const one of expected) left.set(thing(one), [...(left.get(thing(one)) ?? []), one])
  let differences = 0
  for (const one of found) {
    const own = left.get(thing(one)) ?? []
    const drawn = (said: Said) => (said[1] === 'add' ? said[3] : said[4])
    const at = own.findIndex((other) => {
      const [a, b] = [drawn(one), drawn(other)]
      return a === null || b === null
        ? a === b
        : a.every((side, i) => Math.abs(side - (b[i] ?? Number.NaN)) <= within)
    })
    if (at < 0) {
      differences++
      if (differences < 6) console.log('found', JSON.stringify(one), 'of', JSON.stringify(own))
    } else {
      own.splice(at, 1)
    }
  }
  const missing = [...left.values()].flat()
  for (const one of missing.slice(0, 5)) console.log('missing', JSON.stringify(one))
  return differences + missing.length
}
