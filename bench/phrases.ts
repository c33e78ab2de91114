/**
 * The noun-phrase chunker: captions a second of one core over COCO's val2017 captions; precision, recall and
 * F1 of exact spans against captions that were marked by hand, COCO's and such as the web has, and against
 * Flickr30k Entities; and the same of GLIP's published grammar on the same tagger, of compromise, of wink-nlp
 * and of spaCy's noun chunks.
 *
 *     npm run bench:phrases -- [--data ../shared/data] [--rounds 3] [--errors] [--json]
 *         [--python PYTHON [--spacy-model en_core_web_sm]]
 *
 * --data holds coco-captions-val2017.tsv (`image_id<TAB>caption`) and
 * flickr30k-entities-sample/sentences/*.txt. --python is one that has spaCy and the model. --errors prints
 * what is wrong in the web's development half and in the further captions beside it, and nothing of the halves
 * that are held out.
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
import { type Finder, type Finders, reportKinds, reportSet, worstLines } from './phrase-report.js'
import { type AnnotatedCaption, readBracketed, readEntities } from './read-annotation.js'
import { gatherFigures, median, option, printReport } from './report.js'
import { spacyChunks } from './spacy-chunks.js'

const data = option('data', '../shared/data')
const rounds = Number(option('rounds', '3'))
const config = chunkConfig.parse({})

const finders: Finders = {
  groundmill: (text) => captionPhrases({ text, kind: 'web' }, config).kept,
  // What is left out is counted as found: the chunker alone, without the judgement of what can be seen.
  'groundmill, nothing left out': chunk,
  "GLIP's grammar": glipGrammar,
  compromise: compromiseNouns,
  'wink-nlp': winkGrammar,
}
const rivals = { "GLIP's grammar": 10, spaCy: null }

const marksOf = async (file: string) =>
  readBracketed(await readFile(new URL(`data/${file}`, import.meta.url), 'utf8'))

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

const marked = await marksOf('coco-phrases.tsv')
const web = {
  'web, development': await marksOf('web-phrases-dev.tsv'),
  'web, more': await marksOf('web-phrases-more.tsv'),
}
const sets: Readonly<Record<string, { captions: readonly AnnotatedCaption[]; goal?: number }>> = {
  development: { captions: marked.slice(0, 150) },
  'held out': { captions: marked.slice(150), goal: 96 },
  'web, development': { captions: web['web, development'] },
  'web, more': { captions: web['web, more'] },
  'web, held out': { captions: await marksOf('web-phrases-held-out.tsv'), goal: 90 },
  'Flickr30k Entities': { captions: await entitiesOf(join(data, 'flickr30k-entities-sample/sentences')) },
}

const python = option('python', '')
let compared = finders
if (python === '') report('spaCy', null, '', '', null, 'no --python was named')
else {
  const texts = Object.values(sets).flatMap((set) => set.captions.map(({ text }) => text))
  const { versions, of } = spacyChunks(python, option('spacy-model', 'en_core_web_sm'), texts)
  compared = { ...finders, spaCy: of }
  process.stderr.write(`${versions}\n`)
}
for (const [set, { captions, goal }] of Object.entries(sets)) {
  if (captions.length === 0) {
    report(set, null, '', '', null, `no sentences in ${data}`)
    continue
  }
  reportSet(report, set, captions, compared, rivals, goal)
  if (set.startsWith('web')) reportKinds(report, set, captions, compared, rivals)
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
if (process.argv.includes('--errors') && !process.argv.includes('--json')) {
  for (const [set, of] of Object.entries(web))
    process.stdout.write(`\n${set}:\n\n${worstLines(of, finders.groundmill!)}\n`)
}
