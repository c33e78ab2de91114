import { refuseCredentials } from '../base/credentials.js'
import { parseConfig } from '../base/files/parse-config.js'
import { readYaml } from '../base/files/parse-yaml.js'
import { UserError } from '../base/user-error.js'
import { fillIn, hubPathOf, readCard } from '../ingest/open-source.js'
import { longestName } from '../rows/family-path.js'
import { applySet, isObject } from './apply-set.js'
import { checkRounds } from './check-rounds.js'
import { layOutRounds } from './lay-out-rounds.js'
import { type Pipeline, pipelineSchema, type Stage } from './stages/pipeline-config.js'

export interface ReadOptions {
  /**
   * `stage.key=value`, `stage={key: value}`, `rounds.key=value` or `variable=value`; of a filter stage
   * `stage.rule.key=value`. Values are YAML.
   */
  readonly set?: readonly string[]
  /** Told in a sentence of what `set` has added that was not there: a rule. */
  readonly onNotice?: (text: string) => void
  /** Rounds to lay out in the place of the file's count. */
  readonly rounds?: number
}

/**
 * Reads a pipeline, checks it, and lays out its rounds. Throws a UserError that names the file and the key.
 */
export async function readPipeline(path: string, options: ReadOptions = {}): Promise<Pipeline> {
  return parsePipeline(await readYaml(path), path, options)
}

const storedWithRun =
  'would be stored with the run, where others read it: take it out (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are the place for keys of a bucket)'

/**
 * Checks a pipeline that is given as a value, as its YAML would give it, and lays out its rounds.
 *
 * @param path where it is from, for messages
 * @throws UserError that names `path` and the key; also where an address in it has a password or a key
 */
export async function parsePipeline(
  value: unknown,
  path = 'the pipeline',
  { set = [], rounds, onNotice }: ReadOptions = {},
): Promise<Pipeline> {
  const raw = structuredClone(value)
  if (!isObject(raw)) {
    throw new UserError(`${path}: a pipeline with \`name\` and \`stages\` was expected.`)
  }
  for (const option of set) applySet(raw, option, path, onNotice)
  const vars = isObject(raw.vars) ? raw.vars : {}
  const filled = substitute(raw, vars, path)
  refuseCredentials(filled, path, storedWithRun)
  const config = parseConfig(pipelineSchema, filled, path)
  if (config.rounds) await checkRounds(config.rounds, config.stages, path)
  const laidOut = config.rounds
    ? layOutRounds({ ...config.rounds, count: rounds ?? config.rounds.count }, config.stages)
    : []
  refuseLongNames(laidOut, path)
  const stages = inOrder([...config.stages, ...laidOut], path)
  const checked = await checkCards(stages, path)
  return { name: config.name, description: config.description, stages: checked, rounds: config.rounds }
}

/** The names of rounds are made of those of their stages. */
function refuseLongNames(laidOut: readonly Stage[], path: string) {
  const long = laidOut.find(({ name }) => name.length > longestName)
  if (long === undefined) return
  throw new UserError(
    `${path}: rounds: the stage ${long.name} would have a name of ${long.name.length} letters, and up to ${longestName} can be: give ${long.needs.join(' and ')} shorter names.`,
  )
}

/** Replaces ${name} in every string. */
function substitute(value: unknown, vars: Readonly<Record<string, unknown>>, path: string): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([\w-]+)\}/g, (_, name: string) => {
      if (!Object.hasOwn(vars, name))
        throw new UserError(`${path}: \${${name}} is not among its vars; give it with --set ${name}=…`)
      return String(vars[name])
    })
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, vars, path))
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, substitute(inner, vars, path)]),
    )
  }
  return value
}

/**
 * Refuses keys that the format of a card does not have before anything runs. An address of the Hub that a card gives
 * stands in the stage then, so that a run keeps its commit. A card that cannot be read is left for its stage to tell of:
 * that may not be among those that are to run.
 */
async function checkCards(stages: readonly Stage[], path: string): Promise<Stage[]> {
  const checked: Stage[] = []
  for (const stage of stages) {
    if (stage.uses !== 'ingest' || !stage.with.card) {
      checked.push(stage)
      continue
    }
    const card = await readCard(stage.with.card).catch(() => undefined)
    const whole = card && fillIn(stage.with, card, `${path}: stages.${stage.name}.with`)
    const onHub = whole && hubPathOf(whole)
    checked.push(
      onHub === undefined ? stage : { ...stage, with: Object.assign({ ...stage.with }, { path: onHub }) },
    )
  }
  return checked
}

/** Stages after what they need. */
function inOrder(stages: readonly Stage[], path: string): Stage[] {
  const byName = new Map<string, Stage>()
  for (const stage of stages) {
    if (byName.has(stage.name)) throw new UserError(`${path}: two stages are named "${stage.name}".`)
    byName.set(stage.name, stage)
  }
  const ordered: Stage[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (stage: Stage, trail: readonly string[]) => {
    if (state.get(stage.name) === 'done') return
    if (state.get(stage.name) === 'open') {
      throw new UserError(
        `${path}: stages need each other in a circle: ${[...trail, stage.name].join(' -> ')}.`,
      )
    }
    state.set(stage.name, 'open')
    for (const need of stage.needs) {
      const needed = byName.get(need)
      if (!needed)
        throw new UserError(`${path}: stage "${stage.name}" needs "${need}", which is not a stage.`)
      visit(needed, [...trail, stage.name])
    }
    state.set(stage.name, 'done')
    ordered.push(stage)
  }
  for (const stage of stages) visit(stage, [])
  return ordered
}
