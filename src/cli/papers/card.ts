import { counted } from '../../base/counted.js'
import { writeFileAtomic } from '../../base/files/write-file-atomic.js'
import { UserError } from '../../base/user-error.js'
import { missingAbout } from '../../card/croissant.js'
import { cardHeading, dataCardText } from '../../card/data-card.js'
import { auditText, countsOf, knownLimits, lossesOf, rulesOf, teachersOf } from '../../card/ledger.js'
import { type Lineage, readLineage } from '../../card/lineage.js'
import {
  type TrainingSummaryParts,
  trainingFigures,
  trainingSummaryText,
} from '../../card/training-summary.js'
import { chooseStage, describeChosen } from '../../catalog/choose-stage.js'
import { openDataset } from '../../catalog/open-dataset.js'
import { datasetOutput } from '../../pipeline/dataset-output.js'
import { reviewsOf } from '../../review/effective-reviews.js'
import { readReviews } from '../../review/read-reviews.js'
import { listReviews } from '../../review/review-files.js'
import type { Storage } from '../../storage/storage.js'
import { note, printExact, printJson, say } from '../terminal/print.js'
import { auditsOf, readAbout } from './read-papers.js'

export interface CardOptions {
  readonly as?: string
  readonly card?: string
  readonly out?: string
  readonly eu?: boolean
  readonly sme?: boolean
  readonly json?: boolean
}

/** `groundmill card`: the data card of a grounding, or the summary of training content that the EU's AI Act asks for. */
export async function card(url: string, options: CardOptions, signal: AbortSignal): Promise<void> {
  if (options.sme && !options.eu)
    throw new UserError('--sme is for --eu: it says how many domain names are listed.')
  const about = await readAbout(options.card)
  const dataset = await openDataset(url)
  const grounding = chooseStage(dataset, 'grounding', { requested: options.as, option: '--as STAGE' })
  note(`of ${describeChosen(dataset, 'grounding', grounding)}`)
  const output = await datasetOutput(dataset, 'grounding', grounding)
  const { storage, shards } = dataset
  const made = shards.filter((shard) => !output.missing.includes(shard))
  const lineage = await readLineage({ storage, shards: made, grounding })
  const told = options.eu
    ? await summaryOf({ about, lineage, isSmall: options.sme ?? false }, storage, signal)
    : await cardOf({ about, lineage, audits: await auditsOf(dataset, output) }, storage)
  if (output.missing.length > 0)
    say(`without ${counted(output.missing.length, 'shard')}: grounding "${grounding}" is not made there yet`)
  if (options.out !== undefined) {
    await writeFileAtomic(options.out, told.text)
    note(`written to ${options.out}`)
  }
  if (options.json) printJson({ dataset: url, grounding, ...told.values, missing: output.missing })
  else if (options.out === undefined) await printExact(told.text)
  const unsaid = missingAbout(about, lineage)
  if (unsaid.length > 0 && !options.eu)
    note(`nobody has said (--card FILE): ${unsaid.map(({ key }) => key).join(', ')}`)
}

/** What is written, and the same as values. */
interface Told {
  readonly text: string
  readonly values: object
}

async function cardOf(
  parts: Pick<Parameters<typeof dataCardText>[0], 'about' | 'lineage' | 'audits'>,
  storage: Storage,
): Promise<Told> {
  const { about, lineage, audits } = parts
  const reviewed = await reviewedIn(storage)
  const values = {
    ...{ about, counts: countsOf(lineage), stages: stagesIn(lineage), losses: lossesOf(lineage) },
    ...{ teachers: teachersOf(lineage), rules: rulesOf(lineage), audits, reviewed },
    ...{ limits: knownLimits(lineage, audits), unsaid: missingAbout(about, lineage) },
    auditTexts: audits.map(auditText),
  }
  return { text: `${cardHeading(parts)}\n\n${dataCardText({ ...parts, reviewed })}`, values }
}

async function summaryOf(
  parts: Omit<TrainingSummaryParts, 'hosts'>,
  storage: Storage,
  signal: AbortSignal,
): Promise<Told> {
  const { crawledHosts } = await import('../../query/crawled-hosts.js')
  const whole = { ...parts, hosts: await crawledHosts(storage, signal) }
  return { text: trainingSummaryText(whole), values: trainingFigures(whole) }
}

/** Stages without how their values are spread. */
const stagesIn = ({ stages }: Lineage) => stages.map(({ stats: _, recorded: __, ...stage }) => stage)

/** Of how much people have said something that holds, in all reviews of a dataset. */
async function reviewedIn(storage: Storage): Promise<number> {
  let count = 0
  for (const name of await listReviews(storage))
    count += reviewsOf(await readReviews(storage, name, say)).length
  return count
}
