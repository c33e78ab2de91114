import { counted } from '../base/counted.js'
import { UserError } from '../base/user-error.js'
import { chooseStage, describeChosen } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { phrasesOf, phrasesOfGrounding } from '../catalog/phrases-of.js'
import { calibrateTeacher, countingRules } from '../filter/calibrate-teacher.js'
import { writeCalibration } from '../filter/calibration-file.js'
import { openFilterStage } from '../pipeline/stages/filter-stage.js'
import { chooseRules, goldOf, rulesText, warnOfSynonyms } from './filter-rules.js'
import { readNaming } from './read-naming.js'
import { formatTable } from './terminal/format-table.js'
import { note, print, printJson, say } from './terminal/print.js'
import { whileWorking } from './terminal/progress.js'

export interface CalibrateCommandOptions {
  readonly proposals?: string
  readonly gold?: string
  readonly by?: 'category'
  readonly synonyms?: string
  readonly method: 'isotonic' | 'temperature'
  readonly nms?: string
  readonly rules?: string
  readonly set: readonly string[]
  readonly out: string
  readonly json?: boolean
}

/**
 * `groundmill calibrate`: how often a teacher's proposals of each score are right, as a file that the filter
 * reads.
 */
export async function calibrate(url: string, options: CalibrateCommandOptions): Promise<void> {
  const nms = options.nms === undefined ? undefined : Number(options.nms)
  if (nms !== undefined && !(nms >= 0 && nms <= 1))
    throw new UserError(`--nms ${options.nms}: expected a number from 0 to 1.`)
  const dataset = await openDataset(url)
  const gold = goldOf(dataset, options.gold)
  const byCategory = await readNaming(options)
  const truth = {
    grounding: gold,
    phrases: await phrasesOfGrounding(dataset, gold),
    ...(byCategory && { byCategory }),
  }
  const proposals = chooseStage(dataset, 'proposals', {
    requested: options.proposals,
    option: '--proposals STAGE',
  })
  note(
    `judging ${describeChosen(dataset, 'proposals', proposals)}, by ${describeChosen(dataset, 'grounding', gold)}${options.by ? `, words by their ${options.by}` : ''}`,
  )
  const chosen = await chooseRules(dataset, proposals, options)
  const rules = countingRules(chosen.rules, nms)
  note(`proposals that count: ${rulesText(rules)}`)
  const phrases = await phrasesOf(dataset, 'proposals', proposals)
  const { method } = options
  const { storage, shards } = dataset
  await warnOfSynonyms(dataset, proposals, rules, options.synonyms)
  const stage = await openFilterStage({ storage, shards }, { rules }, { phrases, proposals })
  const measured = async () => ({
    method,
    phrases,
    proposals,
    gold: truth,
    rules,
    tools: await stage.tools(),
  })
  const file = await whileWorking(`calibrating ${proposals}`, async () =>
    calibrateTeacher(storage, shards, await measured()),
  ).finally(() => stage.close())
  await writeCalibration(options.out, file)
  const { judged, ece, bins, teacher } = file
  if (options.json) {
    printJson({ dataset: url, proposals, gold, rules, rules_from: chosen.from, file: options.out, ...file })
    return
  }
  const rows = bins.flatMap(({ count, score, right }) =>
    count > 0 ? [[score.toFixed(3), right.toFixed(3), count]] : [],
  )
  say(
    `✓ ${options.out}  ${method}, ${counted(judged, 'proposal')} of ${teacher}: calibration error ${ece.before.toFixed(4)}, ${ece.after.toFixed(4)} afterwards`,
  )
  print(formatTable(['score', 'right', 'proposals'], rows))
}
