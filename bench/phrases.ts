/**
 * The noun-phrase chunker: captions a second of one core over COCO's val2017 captions; precision, recall and
 * F1 of exact spans against captions that were marked by hand and against Flickr30k Entities; and the same of
 * GLIP's published grammar on the same tagger, of compromise and of wink-nlp.
 *
 *     npm run bench:phrases -- [--data ../shared/data] [--rounds 3] [--json]
 *
 * --data holds coco-captions-val2017.tsv (`image_id<TAB>caption`) and
 * flickr30k-entities-sample/sentences/*.txt.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { captionPhrases } from '../src/nlp/caption-phrases.js'
import { chunk } from '../src/nlp/chunk.js'
import { chunkConfig } from '../src/nlp/config.js'
import { isEnglish } from '../src/nlp/language.js'
import { tokenize } from '../src/nlp/lexicon/tokenize.js'
import { glipGrammar } from './glip-grammar.js'
import { compromiseNouns, winkGrammar } from './npm-chunkers.js'
import { type AnnotatedCaption, readBracketed, readEntities, type Span } from './read-annotation.js'
import { gatherFigures, median, option, printReport } from './report.js'
import { spanScores } from './span-scores.js'

const data = option('data', '../shared/data')
const rounds = Number(option('rounds', '3'))
const config = chunkConfig.parse({})

type Finder = (caption: string) => readonly Span[]
const finders: Readonly<Record<string, Finder>> = {
  groundmill: (text) => captionPhrases({ text, kind: 'web' }, config).kept,
  // What is left out is counted as found: the chunker alone, without the judgement of what can be seen.
  'groundmill, nothing left out': chunk,
  "GLIP's grammar": glipGrammar,
  compromise: compromiseNouns,
  'wink-nlp': winkGrammar,
}

async function captionsOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split(/\r?\n/).flatMap((line) => (line === '' ? [] : [line.slice(line.indexOf('\t') + 1)]))
}

async function entitiesOf(folder: string): Promise<AnnotatedCaption[]> {
  const names = await readdir(folder).catch(() => [])
  const files = names.filter((name) => name.endsWith('.txt')).sort()
  const read = files.map(async (name) => readEntities(await readFile(join(folder, name), 'utf8'), name))
  return (await Promise.all(read)).flat()
}

/** Captions a second of processor time, so that what else the machine does counts for little. */
function rate(captions: readonly string[], find: Finder): number {
  const start = process.cpuUsage()
  for (const caption of captions) find(caption)
  const { user, system } = process.cpuUsage(start)
  return captions.length / ((user + system) / 1e6)
}

const { figures, report } = gatherFigures()

const marked = readBracketed(await readFile(new URL('data/coco-phrases.tsv', import.meta.url), 'utf8'))
const sets: Readonly<Record<string, readonly AnnotatedCaption[]>> = {
  development: marked.slice(0, 150),
  'held out': marked.slice(150),
  'Flickr30k Entities': await entitiesOf(join(data, 'flickr30k-entities-sample/sentences')),
}
for (const [set, captions] of Object.entries(sets)) {
  if (captions.length === 0) {
    report(set, null, '', '', null, `no sentences in ${data}`)
    continue
  }
  const f1: Record<string, number> = {}
  for (const [name, find] of Object.entries(finders)) {
    const scores = spanScores(captions.map(({ text, spans }) => ({ found: find(text), true: spans })))
    f1[name] = 100 * scores.f1
    const share = (value: number) => (100 * value).toFixed(1)
    const note = `precision ${share(scores.precision)}, recall ${share(scores.recall)}`
    report(`${set}: ${name}`, f1[name], 'F1, %', '', null, note)
  }
  const lead = f1.groundmill! - f1["GLIP's grammar"]!
  report(`${set}: over GLIP's grammar`, lead, 'points', '>= 10', lead >= 10, `${captions.length} captions`)
}

const captions = await captionsOf(join(data, 'coco-captions-val2017.tsv'))
if (captions.length === 0) {
  report('captions a second', null, '', '>= 5000', null, `no coco-captions-val2017.tsv in ${data}`)
} else {
  const sample: Readonly<Record<string, readonly string[]>> = { compromise: captions.slice(0, 1000) }
  for (const [name, find] of Object.entries(finders)) {
    const given = sample[name] ?? captions
    rate(given.slice(0, 1000), find)
    const value = median(Array.from({ length: rounds }, () => rate(given, find)))
    const goal = name === 'groundmill'
    report(
      `speed: ${name}`,
      value,
      'captions/s of one core',
      goal ? '>= 5000' : '',
      goal ? value >= 5000 : null,
    )
  }
  const known = new Set(captions)
  const missing = marked.filter(({ text }) => !known.has(text)).length
  report('marked captions that are not in the file', missing, `of ${marked.length}`, '0', missing === 0)
  const rejected = captions.filter((caption) => !isEnglish(tokenize(caption))).length
  report('English captions taken for another language', rejected, `of ${captions.length}`)
}
printReport('phrases', rounds, figures)
