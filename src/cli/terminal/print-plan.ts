import { counted } from '../../base/counted.js'
import { plainText } from '../../base/plain-text.js'
import { bytesText } from '../../pipeline/plan/expected-disk.js'
import type { PlannedModel, RunPlan, StagePlan } from '../../pipeline/plan/run-plan.js'
import { formatTable } from './format-table.js'
import { duration } from './progress.js'

/** What a run would do, as a page of text: its stages in order, why what is there is made anew, and what it takes. */
export function planText({ run, pipeline, stages, fetches, disk, notices }: RunPlan): string {
  const rows = stages.map((stage) => [
    stage.name,
    stage.uses,
    stage.needs.join(', '),
    stage.model ? modelText(stage.model) : '',
    stage.resource,
    stage.pictures ?? '?',
    `${stage.done} of ${stage.total ?? '?'}`,
    stateOf(stage),
    diskText(stage),
    stage.done === stage.total ? '' : stage.seconds === undefined ? '?' : duration(stage.seconds),
  ])
  const header = ['stage', 'kind', 'of', 'model', 'wants', 'pictures', 'made', 'would be', 'disk', 'time']
  const anew = stages.flatMap(({ name, anew: reasons }) => reasons.map((reason) => `  ${name}: ${reason}`))
  const { needed, free } = disk
  const isShort = free !== null && needed > free
  const parts = [
    `${plainText(pipeline)} in ${plainText(run)}: nothing was made or written`,
    formatTable(header, rows),
    anew.length > 0 ? ['made anew, because', ...anew].join('\n') : '',
    fetches.length > 0
      ? [
          'fetched from the Hub, for it is not on this machine',
          ...fetches.map(({ address, bytes }) => `  ${plainText(address)}: ${bytesText(bytes)}`),
        ].join('\n')
      : '',
    `disk: about ${bytesText(needed)} would be needed${free === null ? '' : `, ${bytesText(free)} are free`}${isShort ? ': TOO LITTLE' : ''} (~ as is usual, the rest as it was measured)`,
    stages.some(({ seconds, done, total }) => done !== total && seconds === undefined)
      ? 'time: ? of what was never made here; else as long as that took, in one process'
      : '',
    notices.length > 0 ? notices.map((text) => `  ${text}`).join('\n') : '',
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function stateOf({ done, total, anew, pictures, toDo }: StagePlan): string {
  if (done === total) return 'left as it is'
  if (total === undefined) return 'made'
  if (anew.length > 0) return 'made anew'
  const left =
    pictures !== undefined && toDo !== undefined && toDo < pictures ? ` (${counted(toDo, 'picture')})` : ''
  return done > 0 ? `gone on with${left}` : 'made'
}

function modelText(model: PlannedModel): string {
  if ('stage' in model) return model.stage
  const { folder, family, labels } = model
  if (family === undefined) return folder
  return `${folder} (${family}, ${labels === null ? 'open vocabulary' : `${labels} labels`})`
}

const diskText = ({ disk: { bytes, from }, done, total }: StagePlan): string =>
  done === total || bytes === 0 ? '' : `${from === 'typical' ? '~' : ''}${bytesText(bytes)}`
