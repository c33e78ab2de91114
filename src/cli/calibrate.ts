import { UserError } from '../base/user-error.js'
import { openDataset } from '../catalog/open-dataset.js'
import { phrasesOf, phrasesOfGrounding, proposalsOf } from '../catalog/phrases-of.js'
import { calibrateTeacher } from '../filter/calibrate-teacher.js'
import { writeCalibration } from '../filter/calibration-file.js'
import { readNaming } from './read-synonyms.js'
import { formatTable } from './terminal/format-table.js'
import { print, printJson, say } from './terminal/print.js'
import { whileWorking } from './terminal/progress.js'

export interface CalibrateCommandOptions {
  readonly proposals?: string
  readonly gold?: string
  readonly by?: 'category'
  readonly synonyms?: string
  readonly method: 'isotonic' | 'temperature'
  readonly nms: string
  readonly out: string
  readonly json?: boolean
}

/**
 * `groundmill calibrate`: how often a teacher's boxes of each score are right, as a file that the filter
 * reads.
 */
export async function calibrate(url: string, options: CalibrateCommandOptions): Promise<void> {
  const nms = Number(options.nms)
  if (!(nms >= 0 && nms <= 1)) throw new UserError(`--nms ${options.nms}: expected a number from 0 to 1.`)
  const dataset = await openDataset(url)
  const gold = options.gold ?? dataset.name
  const byCategory = await readNaming(options)
  const truth = {
    grounding: gold,
    phrases: await phrasesOfGrounding(dataset, gold),
    ...(byCategory && { byCategory }),
  }
  const proposals = proposalsOf(dataset, options.proposals)
  const phrases = await phrasesOf(dataset, 'proposals', proposals)
  const { method } = options
  const asked = { method, phrases, proposals, gold: truth, nms }
  const file = await whileWorking(`calibrating ${proposals}`, () =>
    calibrateTeacher(dataset.storage, dataset.shards, asked),
  )
  await writeCalibration(options.out, file)
  const { judged, ece, bins, teacher } = file
  if (options.json) {
    printJson({ dataset: url, proposals, gold, file: options.out, ...file })
    return
  }
  const rows = bins.flatMap(({ count, score, right }) =>
    count > 0 ? [[score.toFixed(3), right.toFixed(3), count]] : [],
  )
  say(
    `✓ ${options.out}  ${method}, ${judged} boxes of ${teacher}: calibration error ${ece.before.toFixed(4)}, ${ece.after.toFixed(4)} afterwards`,
  )
  print(formatTable(['score', 'right', 'boxes'], rows))
}
