/**
 * Writes test/evaluate/fixtures/cg-f1.json: pairs in SA-Co's form and what SAM 3's own evaluator says of them.
 *
 *     npx tsx bench/parity/write-cgf1-fixture.ts --sam3 ../sam3 [--python python3]
 *
 * What that Python needs stands in bench/verify-cgf1.py.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packaged } from '../../src/base/files/packaged.js'
import { random } from '../../src/base/random.js'
import { drawSaco, type SacoDrawing } from '../draw-saco.js'
import { officialScores, writeCase } from '../official-cgf1.js'
import { option } from '../report.js'

const usual: SacoDrawing = { pairs: 24, truths: 1, crowds: 0.1, onGrid: false, partial: 0.05 }
const drawings: Readonly<Record<string, SacoDrawing>> = {
  'one truth': usual,
  'three truths': { ...usual, truths: 3 },
  'equal overlaps and scores, at the thresholds': { ...usual, onGrid: true, pairs: 40 },
  'equal overlaps and scores, three truths': { ...usual, onGrid: true, truths: 3 },
  'mostly crowds, two truths': { ...usual, crowds: 0.6, truths: 2 },
  'one pair': { ...usual, partial: 0, pairs: 1 },
}
const folder = await mkdtemp(join(tmpdir(), 'groundmill-fixture-'))
try {
  const cases = Object.entries(drawings).map(([name, drawing]) => ({
    name,
    ...drawSaco(random(name), drawing),
  }))
  const folders = cases.map((_, at) => join(folder, `${at}`))
  for (const [at, one] of cases.entries()) await writeCase(folders[at]!, one)
  const official = officialScores(option('python', 'python3'), option('sam3', ''), folders)
  const fixtures = cases.map((one, at) => ({ ...one, stats: official[at]!.stats }))
  const path = packaged('test/evaluate/fixtures/cg-f1.json')
  await writeFile(path, `[\n${fixtures.map((fixture) => JSON.stringify(fixture)).join(',\n')}\n]\n`)
  process.stdout.write(`${path}: ${fixtures.length} fixtures\n`)
} finally {
  await rm(folder, { recursive: true })
}
