import { nameList, shownName, shownValue } from '../base/name-list.js'
import { didYouMean } from '../base/nearest-name.js'
import { readSetOption, type SetOption, setNested } from '../base/set-option.js'
import { UserError } from '../base/user-error.js'
import { setFilter } from '../filter/set-filter.js'

/**
 * Changes a pipeline, as its YAML gives it, by an option of `--set`: `STAGE.KEY` is a key of the stage's `with`, of a
 * filter stage `STAGE.RULE.KEY` one of a rule; `rounds.KEY` and `rounds.filter.RULE.KEY` alike. A name alone is
 * a variable, or with an object a stage, whose `with` it is.
 *
 * @param path of the pipeline, for messages
 * @param onNotice told what was added that was not there
 * @throws UserError where there is nothing of that name, or where what is there has no such key
 */
export function applySet(
  document: Record<string, unknown>,
  given: string,
  path: string,
  onNotice: (text: string) => void = () => {},
): void {
  const option = readSetOption(given)
  const { keys, value } = option
  const [first, second] = keys
  const stages = (Array.isArray(document.stages) ? document.stages : []).filter(isObject)
  const stage = stages.find(({ name }) => name === first)
  if (second === undefined) {
    const vars = document.vars ?? {}
    // What is no object is left for the schema to refuse.
    if (!isObject(vars)) return
    const isVariable = Object.hasOwn(vars, first)
    if (stage && !isVariable && isObject(value)) stage.with = value
    else if (isVariable || isAsked(document, first)) document.vars = { ...vars, [first]: value }
    else throw noVariable(option, path, { vars, stages, isStage: stage !== undefined })
    return
  }
  if (stage) {
    stage.with ??= {}
    if (!isObject(stage.with)) return
    if (stage.uses === 'filter') setFilter(stage.with, option, 1, onNotice)
    else setNested(stage.with, option, 1)
  } else if (first === 'rounds' && isObject(document.rounds)) {
    const { rounds } = document
    const isFilter = second === 'filter' && keys.length > 2
    if (isFilter) rounds.filter ??= {}
    if (isFilter && isObject(rounds.filter)) setFilter(rounds.filter, option, 2, onNotice)
    else setNested(rounds, option, 1)
  } else throw noStage(option, path, stages, isObject(document.rounds))
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether some string of a pipeline asks for a variable that is not among its vars yet. */
function isAsked(value: unknown, name: string): boolean {
  if (typeof value === 'string') return value.includes(`\${${name}}`)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((inner) => isAsked(inner, name))
}

const namesOf = (stages: readonly Record<string, unknown>[]) => stages.map(({ name }) => String(name))

function noVariable(
  { text, keys: [name], value }: SetOption,
  path: string,
  {
    vars,
    stages,
    isStage,
  }: {
    readonly vars: object
    readonly stages: readonly Record<string, unknown>[]
    readonly isStage: boolean
  },
): UserError {
  const form = `a key of it is set by ${name}.KEY=VALUE, all of them by ${name}={KEY: VALUE}`
  if (isStage)
    return new UserError(
      `${text}: ${name} is a stage of ${path}, and ${shownValue(value)} is not its keys: ${form}.`,
    )
  if (name === 'rounds') return new UserError(`${text}: a key of the rounds is set by rounds.KEY=VALUE.`)
  const known = Object.keys(vars)
  return new UserError(
    `${text}: ${path} has no variable ${shownName(name)}.${didYouMean(name, [...known, ...namesOf(stages)])} Its variables: ${nameList(known) || 'none'}; a key of a stage is set by STAGE.KEY=VALUE, of the stages ${nameList(namesOf(stages))}.`,
  )
}

function noStage(
  { text, keys: [name] }: SetOption,
  path: string,
  stages: readonly Record<string, unknown>[],
  hasRounds: boolean,
): UserError {
  const names = [...namesOf(stages), ...(hasRounds ? ['rounds'] : [])]
  const ofRounds = hasRounds
    ? ' Stages of rounds are set for all of them, as with rounds.filter.score.min=0.4.'
    : ''
  return new UserError(
    `${text}: ${path} has no stage "${name}"; it has: ${nameList(names)}.${didYouMean(name, names)}${ofRounds}`,
  )
}
