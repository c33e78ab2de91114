import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { nameList, shownValue } from '../base/name-list.js'
import { nearestName } from '../base/nearest-name.js'
import { UserError } from '../base/user-error.js'
import { stagesIn } from '../filter/map-stages.js'
import { someRead } from '../filter/rules.js'
import { sourceHasBoxes } from '../ingest/open-source.js'
import { startProblem } from '../model/start-weights.js'
import { namedParts } from './lay-out-rounds.js'
import { sharesOf } from './promotion/promote-config.js'
import type { RoundsConfig, Stage } from './stages/pipeline-config.js'

/** What a key of `rounds` names. */
interface Role {
  /** In words. */
  readonly wants: string
  fits(stage: Stage): boolean | Promise<boolean>
}

const uses = (...kinds: readonly Stage['uses'][]) => {
  const fits = (stage: Stage) => kinds.includes(stage.uses)
  return fits
}
// A card that cannot be read is left for its stage to tell of.
const hasBoxes = async (stage: Stage) =>
  stage.uses === 'ingest' && (await sourceHasBoxes(stage.with).catch(() => true))

const boxes: Role = { wants: 'an ingest stage with boxes', fits: hasBoxes }
const pairs: Role = { wants: 'an ingest stage', fits: uses('ingest') }
const phrases: Role = { wants: 'a chunk stage', fits: uses('chunk') }
const grounding: Role = {
  wants: 'an ingest stage with boxes, or a filter stage',
  fits: async (stage) => stage.uses === 'filter' || hasBoxes(stage),
}
const gold: Role = {
  wants: 'an ingest stage with boxes (or a dedup, filter or mine stage of one)',
  fits: async (stage) => uses('dedup', 'filter', 'mine')(stage) || hasBoxes(stage),
}
const judge: Role = { wants: 'a judge stage, or the folder of a judge', fits: uses('judge') }
const verdicts: Role = {
  wants: 'one of rounds.verify, or a verify or doubt stage',
  fits: uses('verify', 'doubt'),
}
const read: Role = {
  wants: '`label`, one of rounds.verify, or a teach, filter, verify or doubt stage',
  fits: uses('teach', 'filter', 'verify', 'doubt'),
}
const teacher: Role = {
  wants: 'a stage that makes a model, or the folder of a model',
  fits: uses('train', 'average'),
}

/** What was most likely meant by a name, for a message. */
function meant(name: string, names: readonly string[]): string {
  const near = nearestName(name, names)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}

const overlapAdvice =
  'Hold pictures out by `part` of an ingest stage: { to: 0.8 } to learn from and { from: 0.8 } to measure by (docs/rounds.md)'

/**
 * Checks what `rounds` names before anything runs: that there are such stages, of the kinds that are wanted, and that
 * no student is measured by what it learned from.
 *
 * @throws UserError that names `path` and the key, says what was expected, and which stages there are
 */
export async function checkRounds(
  rounds: RoundsConfig,
  stages: readonly Stage[],
  path: string,
): Promise<void> {
  const refuse = (key: string, problem: string): never => {
    throw new UserError(`${path}: rounds.${key}: ${problem}.`)
  }
  const byName = new Map(stages.map((stage) => [stage.name, stage]))

  async function requireRole(key: string, name: string, { wants, fits }: Role) {
    const stage = byName.get(name)
    if (stage && (await fits(stage))) return
    const fitting: string[] = []
    for (const one of stages) if (await fits(one)) fitting.push(one.name)
    const isBoxless = stage?.uses === 'ingest' && !(await hasBoxes(stage))
    const what = stage
      ? `uses ${stage.uses}${isBoxless ? ', and has no boxes' : ''}`
      : `is ${key === 'teacher' ? 'neither a stage nor a folder' : 'not a stage'}${meant(name, fitting)}`
    const there =
      fitting.length > 0 ? `such stages are: ${nameList(fitting)}` : 'the pipeline has no such stage'
    refuse(key, `${shownValue(name)} ${what}; expected ${wants}; ${there}`)
  }

  await checkTeacher()
  await requireRole('phrases', rounds.phrases, phrases)
  for (const [at, name] of rounds.gold.entries()) await requireRole(`gold[${at}]`, name, gold)
  for (const [at, name] of rounds.held_out.entries()) await requireRole(`held_out[${at}]`, name, boxes)
  for (const [at, name] of rounds.train.vocabulary.entries())
    await requireRole(`train.vocabulary[${at}]`, name, pairs)
  const validated = rounds.train.validate?.set
  if (validated !== undefined) await requireRole('train.validate.set', validated, boxes)
  await checkJudges()
  await checkEvaluations()
  if (rounds.audit?.known !== undefined) await requireRole('audit.known', rounds.audit.known, grounding)
  if (rounds.audit && byName.has(rounds.audit.truth))
    await requireRole('audit.truth', rounds.audit.truth, grounding)
  checkPromotion()
  checkApart()

  async function checkTeacher() {
    const { teacher: name, start, teach } = rounds
    if (teach.model !== undefined)
      refuse('teach.model', 'who labels is rounds.teacher, and then who is promoted: name the model there')
    if (byName.has(name)) return requireRole('teacher', name, teacher)
    // A path may be of the machine that the run goes to; a bare word is most often a stage that is misspelt.
    if (!/[/\\.]/.test(name) && !(await stat(name).catch(() => undefined)))
      await requireRole('teacher', name, teacher)
    const problem = start === 'teacher' ? await startProblem(name) : undefined
    if (problem !== undefined)
      refuse(
        'start',
        `a student cannot start from its teacher: ${problem}. Say \`start: scratch\`, and rounds.train.init where there is something to start from`,
      )
  }

  async function checkJudges() {
    const { verify, filter, train } = rounds
    const taken = ['label', 'filter', 'judge', 'audit', 'student', 'promote']
    const judges = Object.entries(verify)
    for (const [part, config] of judges) {
      const key = `verify.${part}`
      if (taken.includes(part) || /^(mean|label-on|student-on)-/.test(part))
        refuse(key, `another stage of a round is called "${part}": give the judge another name`)
      if (config.judge !== 'network') continue
      const { model } = config
      if (model === undefined && !rounds.judge)
        refuse(
          key,
          'the judge `network` needs `model`, a judge stage or a folder, or rounds.judge: {}, which trains one of each round',
        )
      if (model !== undefined && !/[/\\.]/.test(model) && !(await stat(model).catch(() => undefined)))
        await requireRole(`${key}.model`, model, judge)
    }
    if (rounds.judge && rounds.gold.length === 0)
      refuse('judge', 'a judge is trained on gold: name some in rounds.gold')
    if (rounds.judge && !judges.some(([, one]) => one.judge === 'network' && one.model === undefined))
      refuse('judge', 'nobody asks it: name it in rounds.verify, as { checked: { judge: network } }')
    const parts = namedParts(rounds)
    for (const name of stagesIn(filter.rules))
      if (!parts.includes(name)) await requireRole('filter.rules', name, read)
    if (train.weigh_by !== undefined && !Object.hasOwn(verify, train.weigh_by))
      await requireRole('train.weigh_by', train.weigh_by, verdicts)
    if (judges.length > 0 && train.weigh_by === undefined && !someRead(filter.rules, 'verdicts'))
      refuse(
        'verify',
        'nothing reads what is said: put { rule: verdict } among rounds.filter.rules, or set rounds.train.weigh_by',
      )
  }

  async function checkEvaluations() {
    for (const [set, { model, unseen_in: unseen }] of Object.entries(rounds.evaluate)) {
      if (!rounds.held_out.includes(set))
        refuse(
          `evaluate.${set}`,
          `${shownValue(set)} is not among rounds.held_out${meant(set, rounds.held_out)}: ${heldOut()}`,
        )
      if (model !== undefined)
        refuse(`evaluate.${set}.model`, 'teacher and students are evaluated: it names no other model')
      if (unseen !== undefined) await requireRole(`evaluate.${set}.unseen_in`, unseen, boxes)
    }
  }

  function checkPromotion() {
    const { promote } = rounds
    const { always = false, set, guards } = promote
    if (!always && set === undefined)
      refuse(
        'promote',
        'it needs `set`, the held-out set that decides, or `always: true`, which compares nothing',
      )
    if (always && (set !== undefined || guards.length > 0 || sharesOf(promote).length > 0))
      refuse('promote', '`always` compares nothing: it goes without set, guards and average')
    const decisive = [
      ...(set === undefined ? [] : [{ key: 'set', set }]),
      ...guards.map(({ set }, at) => ({ key: `guards[${at}].set`, set })),
    ]
    for (const { key, set } of decisive)
      if (!rounds.held_out.includes(set))
        refuse(
          `promote.${key}`,
          `${shownValue(set)} is not among rounds.held_out${meant(set, rounds.held_out)}: ${heldOut()}`,
        )
    if (sharesOf(promote).length > 0 && rounds.start !== 'teacher')
      refuse(
        'promote.average',
        'it takes students that start from their teacher (`start: teacher`): of models that were trained apart the mean is of no use',
      )
  }

  /** Refuses a held-out set of pictures that are learned from. */
  function checkApart() {
    const first = byName.get(rounds.teacher)
    const shown =
      first?.uses === 'train' ? first.needs.filter((name) => !first.with.vocabulary.includes(name)) : []
    const learned = [
      { key: 'phrases', name: rounds.phrases },
      ...rounds.gold.map((name, at) => ({ key: `gold[${at}]`, name })),
      ...shown.map((name) => ({ key: 'teacher', name })),
      // The best step is learned from it.
      ...(validated === undefined ? [] : [{ key: 'train.validate.set', name: validated }]),
      ...Object.entries(rounds.verify).flatMap(([part, config]) =>
        config.judge === 'network' && config.model !== undefined
          ? [{ key: `verify.${part}.model`, name: config.model }]
          : [],
      ),
    ].flatMap(({ key, name }) => sourcesBehind(name, byName).map((stage) => ({ key, stage })))
    for (const [at, name] of rounds.held_out.entries()) {
      const held = byName.get(name) as Stage
      for (const { key, stage } of learned) {
        if (stage.name === name)
          refuse(
            `held_out[${at}]`,
            `"${name}" is learned from as well (rounds.${key}): its scores would say how well a model knows what it was shown. ${overlapAdvice}`,
          )
        if (isSameSource(stage, held))
          refuse(
            `held_out[${at}]`,
            `"${name}" and "${stage.name}", which is learned from (rounds.${key}), read the same pictures. ${overlapAdvice}`,
          )
      }
    }
  }

  function heldOut() {
    return rounds.held_out.length > 0 ? nameList(rounds.held_out) : 'nothing is held out'
  }
}

/** The ingest stages whose pictures a stage has. What a model was made of is none of them. */
function sourcesBehind(name: string, byName: ReadonlyMap<string, Stage>, seen = new Set<string>()): Stage[] {
  const stage = byName.get(name)
  if (!stage || seen.has(name)) return []
  seen.add(name)
  if (stage.uses === 'ingest') return [stage]
  if (stage.uses === 'train' || stage.uses === 'average') return []
  return stage.needs.flatMap((need) => sourcesBehind(need, byName, seen))
}

/** Keys that say which pictures a source has. */
const placeKeys = [
  'card',
  'format',
  'path',
  'images',
  'image_list',
  'captions',
  'instances',
  'split',
] as const

/** Whether two ingest stages read the same files, and parts of them that overlap. */
function isSameSource(one: Stage, other: Stage): boolean {
  const [a, b] = [one.with, other.with] as readonly Readonly<Record<string, unknown>>[]
  const placesOf = (config: Readonly<Record<string, unknown>> | undefined) =>
    placeKeys.map((key) => {
      const value = config?.[key]
      return typeof value === 'string' && key !== 'format' && !value.includes('://') ? resolve(value) : value
    })
  if (!isDeepStrictEqual(placesOf(a), placesOf(b))) return false
  const partOf = ({ part = {} }: { readonly part?: { readonly from?: number; readonly to?: number } }) => part
  const [{ from = 0, to = 1 }, { from: otherFrom = 0, to: otherTo = 1 }] = [partOf(a ?? {}), partOf(b ?? {})]
  return from < otherTo && otherFrom < to
}
