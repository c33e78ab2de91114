import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { counted } from '../base/counted.js'
import { makeFolder } from '../base/files/make-folder.js'
import { parseConfig } from '../base/files/parse-config.js'
import { mapLimited } from '../base/map-limited.js'
import { readKeys } from '../base/set-option.js'
import { UserError } from '../base/user-error.js'
import { chooseStage, describeChosen } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { phrasesOf, phrasesOfGrounding } from '../catalog/phrases-of.js'
import { filterConfig } from '../filter/config.js'
import { datasetStages } from '../filter/dataset-stages.js'
import type { RuleConfig } from '../filter/rules.js'
import { setFilter } from '../filter/set-filter.js'
import { type SweepPoint, sweepThresholds } from '../filter/sweep-thresholds.js'
import { openFilterStage } from '../pipeline/stages/filter-stage.js'
import { plotLines } from '../render/plot-lines.js'
import { readCommit } from '../shards/commit.js'
import { chooseRules, goldOf, warnOfSynonyms } from './filter-rules.js'
import { readNaming } from './read-naming.js'
import { formatTable } from './terminal/format-table.js'
import { note, print, printJson } from './terminal/print.js'
import { createProgress } from './terminal/progress.js'

export interface SweepCommandOptions {
  readonly proposals?: string
  readonly gold?: string
  readonly by?: 'category'
  readonly synonyms?: string
  readonly rules?: string
  readonly set: readonly string[]
  readonly vary: string
  readonly from: string
  readonly to: string
  readonly steps: number
  readonly svg?: string
  readonly json?: boolean
}

/** `groundmill sweep`: what a filter keeps, and how it agrees with gold, over the values of one parameter. */
export async function sweep(url: string, options: SweepCommandOptions, signal: AbortSignal): Promise<void> {
  const values = valuesOf(options)
  const dataset = await openDataset(url)
  const proposals = chooseStage(dataset, 'proposals', {
    requested: options.proposals,
    option: '--proposals STAGE',
  })
  const phrases = await phrasesOf(dataset, 'proposals', proposals)
  const gold = options.gold !== undefined || dataset.isGold ? goldOf(dataset, options.gold) : undefined
  if (gold === undefined && options.by !== undefined)
    throw new UserError(`--by ${options.by} goes with gold, which ${url} has not: name one with --gold.`)
  note(
    `filtering ${describeChosen(dataset, 'proposals', proposals)}, ${gold === undefined ? 'held against no gold' : `held against ${describeChosen(dataset, 'grounding', gold)}`}${options.by ? `, words by their ${options.by}` : ''}`,
  )
  const { rules, from: rulesFrom } = await chooseRules(dataset, proposals, options)
  const rulesAt = variation(rules, options.vary)
  const byCategory = await readNaming(options)
  const truth =
    gold === undefined
      ? undefined
      : {
          grounding: gold,
          phrases: await phrasesOfGrounding(dataset, gold),
          ...(byCategory && { byCategory }),
        }
  const { storage } = dataset
  const rowsOf = await mapLimited(dataset.shards, async (shard) => {
    const record = await readCommit(storage, 'proposals', proposals, shard)
    return record && (record.files.proposals?.rows ?? 0)
  })
  const shards = dataset.shards.filter((_, index) => rowsOf[index] !== undefined)
  const rows = rowsOf.reduce<number>((sum, count) => sum + (count ?? 0), 0)
  const progress = createProgress()
  await warnOfSynonyms(dataset, proposals, rules, options.synonyms)
  progress.update('pictures', 0, 0)
  const stages = { ...(await datasetStages(dataset, rules, proposals)), phrases, proposals }
  const stage = await openFilterStage({ storage, shards }, { rules }, stages)
  let points: readonly SweepPoint[]
  try {
    points = await sweepThresholds(storage, shards, {
      ...stages,
      gold: truth,
      values,
      rulesAt,
      tools: await stage.tools(),
      signal,
      onProgress: (done) => progress.update('pictures', done, rows),
    })
  } finally {
    await stage.close()
  }
  progress.finish(
    `✓ ${options.vary} at ${counted(values.length, 'value')} over ${counted(rows, 'picture')} of ${proposals}`,
  )
  if (options.svg !== undefined) {
    await makeFolder(dirname(options.svg))
    await writeFile(options.svg, plotOf(points, options.vary, `${dataset.name}: ${proposals}`))
  }
  if (options.json) {
    printJson({
      dataset: url,
      proposals,
      gold: gold ?? null,
      rules,
      rules_from: rulesFrom,
      vary: options.vary,
      points,
      svg: options.svg ?? null,
    })
    return
  }
  const percent = (share: number | undefined) => (share === undefined ? '-' : (100 * share).toFixed(1))
  const header = [
    options.vary,
    'regions',
    'phrases',
    'pictures',
    ...(gold === undefined ? [] : ['precision', '95 %', 'recall', '95 %', 'F1']),
  ]
  const range = (interval: SweepPoint['recallInterval']) => interval?.map(percent).join(' to ') ?? '-'
  const table = points.map(({ value, boxes, phrases: found, images, ...point }) => {
    const { precision, precisionInterval, recall, recallInterval, f1 } = point
    const shares = [percent(precision), range(precisionInterval), percent(recall), range(recallInterval)]
    return [String(value), boxes, found, images, ...(gold === undefined ? [] : [...shares, percent(f1)])]
  })
  print(formatTable(header, table))
  if (options.svg !== undefined) print(`\n${options.svg}`)
}

function valuesOf({ from, to, steps }: SweepCommandOptions): number[] {
  const low = Number(from)
  const high = Number(to)
  if (!(low < high) || steps < 2)
    throw new UserError(
      `--from ${from} --to ${to} --steps ${steps}: expected two numbers, the first below, and two steps.`,
    )
  return Array.from({ length: steps }, (_, at) =>
    Number((low + (at * (high - low)) / (steps - 1)).toFixed(6)),
  )
}

/** The rules with one parameter, `RULE.KEY` as `--set` names it, at a value. */
function variation(rules: readonly RuleConfig[], vary: string) {
  const text = `--vary ${vary}`
  const keys = readKeys(vary, text)
  if (keys.length < 2) throw new UserError(`${text}: expected RULE.KEY, such as score.min.`)
  const at = (value: number, onAdded?: (text: string) => void): RuleConfig[] => {
    const config: Record<string, unknown> = { rules }
    setFilter(config, { text, keys, value }, 0, onAdded)
    return parseConfig(filterConfig, config, text).rules
  }
  // Said once, of the first value.
  let tell: ((text: string) => void) | undefined = note
  return (value: number): RuleConfig[] => {
    const onAdded = tell
    tell = undefined
    return at(value, onAdded)
  }
}

function plotOf(points: readonly SweepPoint[], axis: string, title: string): string {
  const share = (key: 'boxes' | 'phrases' | 'images') => {
    const max = Math.max(1, ...points.map((point) => point[key]))
    return { max, values: points.map((point) => point[key] / max) }
  }
  const regions = share('boxes')
  const phrases = share('phrases')
  const lines = [
    { name: `regions (1 = ${regions.max})`, colour: '#444', values: regions.values },
    { name: `phrases (1 = ${phrases.max})`, colour: '#1f77b4', values: phrases.values },
    { name: 'precision', colour: '#2ca02c', values: points.map(({ precision }) => precision) },
    { name: 'recall', colour: '#ff7f0e', values: points.map(({ recall }) => recall) },
    { name: 'F1', colour: '#9467bd', values: points.map(({ f1 }) => f1) },
  ].filter(({ values }) => values.some((value) => value !== undefined))
  return plotLines({ title, axis, xs: points.map(({ value }) => value), lines })
}
