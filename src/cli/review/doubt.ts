import { counted } from '../../base/counted.js'
import { parseConfig } from '../../base/files/parse-config.js'
import { UserError } from '../../base/user-error.js'
import { chooseStage, describeChosen, stagesWith } from '../../catalog/choose-stage.js'
import { type OpenDataset, openDataset } from '../../catalog/open-dataset.js'
import { judgedPhrases, phrasesOf } from '../../catalog/phrases-of.js'
import { type DoubtConfig, doubtConfig } from '../../doubt/config.js'
import { learnDoubt } from '../../doubt/learn-doubt.js'
import { type Doubt, pictureDoubts } from '../../doubt/picture-doubts.js'
import { RankedDoubts } from '../../doubt/ranked-doubts.js'
import { type DoubtStages, readDoubted } from '../../doubt/read-doubted.js'
import { datasetOutput } from '../../pipeline/dataset-output.js'
import { checkStage } from '../../pipeline/plan/check-stages.js'
import { doubt as doubtKind } from '../../pipeline/stages/doubt.js'
import { runStage } from '../../pipeline/tasks/run-stage.js'
import { namedStage } from '../options/named-grounding.js'
import { setOptions } from '../options/set-options.js'
import { formatTable } from '../terminal/format-table.js'
import { note, print, printJson } from '../terminal/print.js'
import { createProgress } from '../terminal/progress.js'
import { failureOfStage, tellFailure } from '../terminal/run-end.js'

export interface DoubtOptions {
  readonly proposals?: string
  readonly verdicts?: string
  readonly as?: string
  readonly top: number
  readonly set: readonly string[]
  readonly out?: string
  readonly json?: boolean
}

/** `groundmill doubt`: what is likely to be wrong in a grounding, the likeliest first. */
export async function doubt(named: string, options: DoubtOptions, signal: AbortSignal): Promise<void> {
  const config = parseConfig(doubtConfig, setOptions(options.set), '--set')
  const { url, requested } = namedStage(named)
  const dataset = await openDataset(url)
  const stages = await stagesOf(dataset, requested, options)
  note(
    `looking for errors in ${describeChosen(dataset, 'grounding', stages.grounding)} by ${describeChosen(dataset, 'proposals', stages.proposals)}`,
  )
  if (options.as !== undefined) await writeStage(dataset, stages, { name: options.as, config, signal })
  const doubts = new RankedDoubts(options.top, options.out)
  try {
    const looked = await findDoubts(dataset, stages, { config, doubts, signal })
    await doubts.write()
    tell(doubts, { ...looked, ...stages, dataset: url }, options)
  } finally {
    await doubts.close()
  }
}

/** What was looked at. */
interface Looked extends DoubtStages {
  readonly dataset: string
  readonly pictures: number
  readonly boxes: number
  /** Boxes of phrases that the model cannot be asked for. */
  readonly unasked: number
}

function tell({ counts, total, top }: RankedDoubts, looked: Looked, options: DoubtOptions): void {
  const { dataset, pictures, boxes, unasked, ...stages } = looked
  if (options.json) {
    printJson({ dataset, ...stages, pictures, boxes, unasked, doubts: counts, top })
    return
  }
  const each = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`)
  const where = options.out === undefined ? '' : `; all in ${options.out}`
  print(
    `${counted(total, 'doubt')} over ${counted(boxes, 'box')} in ${counted(pictures, 'picture')}: ${each.join(', ')}${where}`,
  )
  if (unasked > 0)
    print(`${counted(unasked, 'box')} not doubted: no label of the detector means their phrases`)
  if (top.length > 0)
    print(
      `\n${formatTable(
        ['picture', 'phrase', 'what', 'likelihood', 'box', 'rather'],
        top.map(({ key, text, kind, likelihood, xyxy, suggested, instead }) => [
          ...[key, shortened(text), kind, likelihood.toFixed(2), boxText(xyxy)],
          instead === null ? boxText(suggested) : shortened(instead),
        ]),
      )}`,
    )
}

/**
 * What is held against each other: proposals of the grounding's own phrases, of which there must be one stage or a
 * named one.
 */
async function stagesOf(
  dataset: OpenDataset,
  requested: string | undefined,
  { proposals: named, verdicts }: DoubtOptions,
): Promise<DoubtStages> {
  const { url } = dataset
  const grounding = chooseStage(dataset, 'grounding', {
    ...(requested !== undefined && { requested }),
    option: `${url}:STAGE`,
  })
  const phrases =
    grounding === dataset.name && dataset.isGold
      ? grounding
      : await phrasesOf(dataset, 'grounding', grounding)
  const others: string[] = []
  for (const stage of stagesWith(dataset, 'proposals'))
    if ((await phrasesOf(dataset, 'proposals', stage).catch(() => undefined)) !== phrases) others.push(stage)
  const how = `ask a model first: groundmill teach ${url} --model MODEL --phrases ${phrases} --as boxes --set floor=0.02`
  if (named !== undefined && others.includes(named))
    throw new UserError(
      `${url}: proposals "${named}" are of other phrases than those of grounding "${grounding}": ${how}.`,
    )
  if (named === undefined && others.length === stagesWith(dataset, 'proposals').length)
    throw new UserError(`${url} has no proposals for the phrases of grounding "${grounding}": ${how}.`)
  const option = '--proposals STAGE'
  const proposals = chooseStage(dataset, 'proposals', {
    ...(named !== undefined && { requested: named }),
    ...{ option, except: others },
  })
  if (verdicts === undefined) return { phrases, grounding, proposals }
  const said = chooseStage(dataset, 'verdicts', { requested: verdicts, option: '--verdicts STAGE' })
  const judged = await judgedPhrases(dataset.storage, dataset.shards, said)
  if (judged !== undefined && judged !== phrases)
    throw new UserError(
      `${url}: verdicts "${said}" are of the phrases of "${judged}", the boxes of grounding "${grounding}" of those of "${phrases}".`,
    )
  return { phrases, grounding, proposals, verdicts: said }
}

/** Leaves what is likely to be wrong as verdicts of a stage. */
async function writeStage(
  dataset: OpenDataset,
  { grounding, proposals, verdicts }: DoubtStages,
  {
    name,
    config,
    signal,
  }: { readonly name: string; readonly config: DoubtConfig; readonly signal: AbortSignal },
): Promise<void> {
  const outputs = new Map([
    [grounding, await datasetOutput(dataset, 'grounding', grounding)],
    [proposals, await datasetOutput(dataset, 'proposals', proposals)],
  ])
  if (verdicts !== undefined) outputs.set(verdicts, await datasetOutput(dataset, 'verdicts', verdicts))
  const stage = { name, needs: [...outputs.keys()], with: config }
  await checkStage(doubtKind, stage, { outputs })
  const progress = createProgress()
  const { outcome, result } = await runStage(
    doubtKind,
    stage,
    { outputs },
    {
      ...{ signal, stopAtFailure: true, alone: true },
      onProgress: (_, done, total) => progress.update(name, done, total),
    },
  )
  const failure = failureOfStage(outcome)
  const done = outcome.ran === 0 ? ', already done' : ''
  progress.finish(`${failure ? '✗' : '✓'} ${name}  verdicts on ${counted(result.out, 'box')}${done}`)
  tellFailure(failure)
}

/** Finds all doubts of a dataset. */
async function findDoubts(
  { storage, shards }: OpenDataset,
  stages: DoubtStages,
  {
    config,
    doubts,
    signal,
  }: { readonly config: DoubtConfig; readonly doubts: RankedDoubts; readonly signal: AbortSignal },
) {
  const model = await learnDoubt(storage, shards, stages, config, signal)
  let [boxes, unasked, pictures] = [0, 0, 0]
  for (const shard of shards)
    for await (const { picture, teacher } of readDoubted(storage, shard, stages, signal)) {
      const said = pictureDoubts(picture, model, { ...config, judge: teacher })
      for (const one of said.doubts) await doubts.add(one)
      boxes += picture.boxes.length
      unasked += said.unasked
      pictures++
    }
  return { boxes, unasked, pictures }
}

const boxText = (box: Doubt['xyxy']) => (box ? box.map(Math.round).join(' ') : '-')

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text)
