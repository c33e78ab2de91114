import { explainError } from '../../base/explain-error.js'
import { requireWritable } from '../../base/files/require-writable.js'
import { mapLimited } from '../../base/map-limited.js'
import { UserError } from '../../base/user-error.js'
import { NotFetched, withoutFetching } from '../../hub/without-fetching.js'
import type { Storage } from '../../storage/storage.js'
import { kindOf, type Stage } from '../stages/pipeline-config.js'
import type { StageContext, StageOf, StageOutput } from '../stages/stage-context.js'
import type { Look, Offers, StageKind } from '../stages/stage-kind.js'
import { type StagePlace, stageContext } from '../tasks/run-stage.js'

/** What would stop a stage. */
export interface Fault {
  /** Stages that it stops. */
  readonly stages: readonly string[]
  /** The key of `with` that names it; absent where it is what the stages need. */
  readonly key?: string
  readonly message: string
  /** Whether another machine than this one may do the work, and find what is missing here. */
  readonly atWork: boolean
}

/** Looks at once. */
const atOnce = 4
/** Faults that are told of at once. */
const mostTold = 10

/**
 * Looks at all that the stages of a run need and no earlier stage makes: sources, models, rules' files, folders to
 * write into, and whether each stage is given what it needs. Reads little, and writes nothing.
 *
 * @param stages in the order of the pipeline
 * @param run the run's folder, which need not be there
 * @param onFetch told of what would be fetched, which is not looked into then
 */
export async function findFaults(
  stages: readonly Stage[],
  run: Storage,
  signal?: AbortSignal,
  onFetch?: (what: NotFetched) => void,
): Promise<readonly Fault[]> {
  const outputs = new Map<string, StageOutput>()
  const faults: Fault[] = []
  const looks: { readonly stage: string; readonly look: Look }[] = []
  for (const stage of stages) {
    const kind = kindOf(stage)
    const context = stageContext(stage, { run, outputs }, {}, () => {})
    const { offers, own, error } = await promised(kind, stage, context)
    outputs.set(stage.name, { ...offers, name: stage.name, config: stage.with })
    if (error) faults.push({ stages: [stage.name], message: error.message, atWork: false })
    looks.push(...own.map((look) => ({ stage: stage.name, look })))
  }
  if (run.isLocal) {
    const look = () => requireWritable(run.path(''))
    looks.push({ stage: '', look: { key: 'dataset', look } })
  }
  const found = await mapLimited(
    looks,
    async ({ stage, look }): Promise<Fault | undefined> => {
      signal?.throwIfAborted()
      const message = await messageOf(look, onFetch)
      if (message === undefined) return undefined
      return { stages: [stage], key: look.key, message, atWork: look.atWork ?? false }
    },
    atOnce,
  )
  return merged([...faults, ...found.flatMap((fault) => fault ?? [])])
}

/** What a stage will offer, and what is to be looked at for it. */
export async function promised(
  kind: StageKind,
  stage: Stage,
  context: StageContext,
): Promise<{ readonly offers: Offers; readonly own: readonly Look[]; readonly error?: Error }> {
  let own: readonly Look[] = []
  try {
    own = kind.looks?.(stage, context) ?? []
    if (kind.makes === 'shards') return { own, offers: await (kind.promise ?? kind.offers)(stage, context) }
    const model = { folder: '', name: stage.name, hash: '' }
    return { own, offers: { missing: [], ...(kind.offersModel && { [kind.offersModel]: model }) } }
  } catch (error) {
    // What it would offer is not known: those that need it are not told of for that.
    const { name } = stage
    const { run } = context
    const dataset = run && { name, storage: run, shards: [] }
    const isJudging = kind.makes === 'shards' && kind.family === 'verdicts'
    const all = isJudging
      ? { verdicts: name }
      : { images: name, phrases: name, proposals: name, grounding: name }
    return { own, offers: { ...(dataset && { dataset, ...all }), missing: [] }, error: explainError(error) }
  }
}

async function messageOf({ look }: Look, onFetch?: (what: NotFetched) => void): Promise<string | undefined> {
  try {
    await withoutFetching(look)
    return undefined
  } catch (error) {
    if (error instanceof NotFetched) {
      onFetch?.(error)
      return undefined
    }
    return explainError(error).message
  }
}

/** Faults with the same words as one: what stops every round, or a stage in two ways. */
function merged(faults: readonly Fault[]): Fault[] {
  const all = new Map<string, Fault>()
  for (const fault of faults) {
    const { stages = [], key, atWork = true } = all.get(fault.message) ?? {}
    all.set(fault.message, {
      ...fault,
      stages: [...new Set([...stages, ...fault.stages])],
      ...(key !== undefined && { key }),
      atWork: atWork && fault.atWork,
    })
  }
  return [...all.values()]
}

/** One line for each fault; fewer where there are many. */
export function faultLines(faults: readonly Fault[]): string[] {
  const lines = faults.slice(0, mostTold).map(({ stages: [first = '', ...others], key, message }) => {
    const more = others.length > 0 ? ` (and ${others.length} more)` : ''
    return [`${first}${more}`, key].filter(Boolean).join(', ').concat(`: ${message}`)
  })
  if (faults.length > mostTold) lines.push(`and ${faults.length - mostTold} more`)
  return lines
}

/** The error that tells of faults. */
export function faultsError(faults: readonly Fault[]): UserError {
  const lines = faultLines(faults)
  if (lines.length === 1) return new UserError(`Nothing was made yet: ${lines[0]}`)
  const list = lines.map((line) => `  ${line}`).join('\n')
  return new UserError(`Nothing was made yet: ${faults.length} things are to be mended first.\n${list}`)
}

/**
 * Looks at what one stage needs, as `findFaults` does for all of a run.
 *
 * @throws UserError that tells of all that is wrong
 */
export async function checkStage(
  kind: StageKind,
  described: Omit<StageOf, 'uses'>,
  place: StagePlace,
): Promise<void> {
  const stage = { ...described, uses: kind.name }
  const context = stageContext(stage, place, {}, () => {})
  const { run } = place
  const written =
    kind.makes === 'shards' ? (await (kind.promise ?? kind.offers)(stage, context)).dataset?.storage : run
  // A command names this folder by an option or an argument of its own, so no key stands before its path.
  const folder: Look[] = written?.isLocal ? [{ key: '', look: () => requireWritable(written.path('')) }] : []
  const looks = [...(kind.looks?.(stage, context) ?? []), ...folder]
  const found = await mapLimited(looks, async (look): Promise<Fault[]> => {
    const message = await messageOf(look)
    return message === undefined ? [] : [{ stages: [stage.name], key: look.key, message, atWork: false }]
  })
  const faults = merged(found.flat())
  if (faults.length > 0) throw faultsError(faults)
}
