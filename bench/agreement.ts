/**
 * The rule `agreement` with a real sentence encoder on real captions: each caption's phrases against the
 * labels that annotators gave its picture, which a perfect detector with COCO's list would say, and against
 * five labels that the picture does not have. Not all of a picture is told in a caption: most labels that are
 * lost are of things unsaid.
 *
 *     npm run bench:agreement -- --encoder FOLDER --data FOLDER [--captions 200] [--min 0.55] [--examples] [--json]
 *
 * FOLDER of data has captions.json and instances.json in COCO's form; bench/parity/export_sentence_encoder.py
 * makes the encoder's.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '../src/base/random.js'
import { createRowFilter } from '../src/filter/filter-proposals.js'
import type { Candidate, FilterRow } from '../src/filter/rule/rule.js'
import type { RuleConfig } from '../src/filter/rules.js'
import { captionPhrases } from '../src/nlp/caption-phrases.js'
import { chunkConfig } from '../src/nlp/config.js'
import type { Phrase } from '../src/rows/rows.js'
import { openTextEncoder } from '../src/teacher/text-encoder.js'
import { type Figure, option, printReport } from './report.js'

interface Row extends FilterRow {
  /** Labels of the picture, and labels that it does not have. */
  readonly shown: readonly string[]
  readonly absent: readonly string[]
}

function readRows(folder: string, count: number): Row[] {
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const { categories, annotations } = read('instances.json') as {
    categories: { id: number; name: string }[]
    annotations: { image_id: number; category_id: number }[]
  }
  const captions = read('captions.json').annotations as { id: number; image_id: number; caption: string }[]
  const names = new Map(categories.map(({ id, name }) => [id, name]))
  const shownIn = new Map<number, Set<string>>()
  for (const { image_id, category_id } of annotations) {
    const shown = shownIn.get(image_id) ?? new Set()
    shownIn.set(image_id, shown.add(names.get(category_id) as string))
  }
  const chosen = random(1, 'captions').shuffle(captions).slice(0, count)
  return chosen.map(({ id, image_id, caption }) => {
    const { kept } = captionPhrases({ text: caption, kind: 'web' }, chunkConfig.parse({}))
    const phrases = kept.map(({ text, start, end, head }): Phrase => ({ caption: 0, text, start, end, head }))
    const shown = [...(shownIn.get(image_id) ?? [])]
    const others = [...names.values()].filter((name) => !shown.includes(name))
    const absent = random(2, id).shuffle(others).slice(0, 5)
    // A detector with a fixed list proposes every box for every phrase.
    const candidates = [...shown, ...absent].flatMap((label, at) =>
      phrases.map((_, phrase): Candidate => ({ phrase, label, xyxy: [0, 0, 1, 1], score: 0.9 - at / 1000 })),
    )
    return { candidates, image: { width: 1, height: 1, phrases }, shown, absent }
  })
}

const rows = readRows(option('data', ''), Number(option('captions', '200')))
const encoder = await openTextEncoder(option('encoder', ''), { threads: 1 })
const start = performance.now()
const texts = new Set(
  rows.flatMap((row) => [...row.shown, ...row.absent, ...row.image.phrases.map(({ text }) => text)]),
)
await encoder.embed([...texts])
const seconds = (performance.now() - start) / 1000

const labelsOf = (kept: readonly Candidate[]) => new Set(kept.map(({ label }) => label))
function shares(kept: readonly (readonly Candidate[])[]) {
  const count = (which: 'shown' | 'absent') =>
    rows.reduce(
      (sum, row, at) => sum + row[which].filter((label) => labelsOf(kept[at]!).has(label)).length,
      0,
    )
  const total = (which: 'shown' | 'absent') => rows.reduce((sum, row) => sum + row[which].length, 0)
  return {
    shown: count('shown'),
    ofShown: total('shown'),
    absent: count('absent'),
    ofAbsent: total('absent'),
  }
}
const figures: Record<string, Figure> = {}
function report(name: string, kept: readonly (readonly Candidate[])[]) {
  const { shown, ofShown, absent, ofAbsent } = shares(kept)
  const note = `and ${absent} of ${ofAbsent} that it has not`
  figures[name] = { value: shown, unit: `of ${ofShown} labels of the picture`, goal: '', met: null, note }
}
const keptBy = async (rule: RuleConfig) =>
  (await createRowFilter([rule], { embedders: new Map([['encoder', encoder]]) })(rows)).map(
    ({ kept }) => kept,
  )
const agreement = (min: number) => keptBy({ rule: 'agreement', model: 'encoder', min, best: true })
const byWord = await keptBy({ rule: 'label', synonyms: {}, common: false })
report('label (the same word)', byWord)
for (const min of [0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8])
  report(`agreement, min ${min}`, await agreement(min))
figures['texts encoded a second'] = {
  value: texts.size / seconds,
  unit: 'texts/s',
  goal: '',
  met: null,
  note: 'one thread',
}
printReport(`agreement on ${rows.length} captions`, 1, figures)

if (process.argv.includes('--examples')) {
  const kept = await agreement(Number(option('min', '0.55')))
  const pairs = (list: readonly Candidate[], at: number) =>
    list.map(({ label, phrase }) => `${label} ~ ${rows[at]!.image.phrases[phrase]!.text.toLowerCase()}`)
  const distinct = (list: readonly string[]) => [...new Set(list)].sort().join('; ')
  const isShown = (at: number) => (box: Candidate) => rows[at]!.shown.includes(box.label as string)
  const both = rows.map((_, at) => ({ word: new Set(pairs(byWord[at]!, at)), at }))
  const more = both.flatMap(({ word, at }) =>
    pairs(kept[at]!.filter(isShown(at)), at).filter((pair) => !word.has(pair)),
  )
  const wrong = both.flatMap(({ at }) =>
    pairs(
      kept[at]!.filter((box) => !isShown(at)(box)),
      at,
    ),
  )
  const lost = both.flatMap(({ at }) => {
    const labels = labelsOf(kept[at]!)
    return pairs(
      byWord[at]!.filter((box) => isShown(at)(box) && !labels.has(box.label)),
      at,
    )
  })
  process.stdout.write(
    `\nkept, and another word: ${distinct(more)}\n\nkept, and not in the picture: ${distinct(wrong)}\n\ndropped, and the same word: ${distinct(lost)}\n`,
  )
}
await encoder.close()
