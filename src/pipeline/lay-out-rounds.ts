import { evaluateConfig } from '../evaluate/config.js'
import { mapStages, stagesIn } from '../filter/map-stages.js'
import { judgeOf } from '../verify/judges.js'
import { evaluationName, folderTeacher } from './promotion/evaluation-record.js'
import { sharesOf } from './promotion/promote-config.js'
import type { RoundsConfig, Stage } from './stages/pipeline-config.js'

/** Who labels in a round. */
interface Teacher {
  /** As stages and records call it. */
  readonly name: string
  /** The stage that gives it; none of a model that is of no stage. */
  readonly needs: readonly string[]
  /** Where it is, of a model that is of no stage. */
  readonly folder?: string
}

/** The stages of a round that other keys of `rounds` may name, by their names there. */
export const namedParts = ({ verify }: Pick<RoundsConfig, 'verify'>): readonly string[] => [
  'label',
  ...Object.keys(verify),
]

/**
 * The stages of self-training. Round n labels with the current teacher (the first one, or the model that the
 * round before promoted), asks judges about its boxes where some are named (one may be trained on gold first),
 * filters, audits its labels where a truth is named, trains a student on gold and on
 * what was labelled, evaluates it (and means of it and its teacher, where they are asked for) and decides on
 * promotion.
 *
 * @param rounds as `checkRounds` has let them through
 */
export function layOutRounds(rounds: RoundsConfig, stages: readonly Stage[]): Stage[] {
  const isStage = (name: string) => stages.some((stage) => stage.name === name)
  const { audit, promote } = rounds
  const known = audit?.known === undefined ? [] : [audit.known]
  const shares = sharesOf(promote)
  const first: Teacher = isStage(rounds.teacher)
    ? { name: rounds.teacher, needs: [rounds.teacher] }
    : { name: folderTeacher, needs: [], folder: rounds.teacher }
  const evaluations = (model: string, folder?: object): Stage[] =>
    rounds.held_out.map((set) => ({
      name: evaluationName(model, set),
      uses: 'evaluate',
      needs: folder ? [set] : [set, model],
      with: { ...evaluateConfig.parse({}), ...folder, ...rounds.evaluate[set] },
    }))
  // What is measured is what labels: of a folder with several files the same one.
  const { file } = rounds.teach
  const opened = first.folder === undefined ? undefined : { model: first.folder, ...(file && { file }) }
  const parts = new Set(namedParts(rounds))
  const besides = (names: readonly string[]) => names.filter((name) => !parts.has(name))
  const { weigh_by: weighing } = rounds.train
  const laidOut: Stage[] = evaluations(first.name, opened)
  for (let round = 1; round <= rounds.count; round++) {
    const name = (part: string) => `round-${round}-${part}`
    const before = `round-${round - 1}-promote`
    const current: Teacher = round === 1 ? first : { name: before, needs: [before] }
    const student = name('student')
    // A truth that is no stage is a file.
    const audits: Stage[] = audit
      ? [
          {
            name: name('audit'),
            uses: 'audit',
            needs: [...new Set([name('filter'), ...known, ...[audit.truth].filter(isStage)])],
            with: audit,
          },
        ]
      : []
    const means = shares.map((weight) => ({ name: name(`mean-${Math.round(100 * weight)}`), weight }))
    const ofRound = (part: string) => (parts.has(part) ? name(part) : part)
    const label = (stage: string, of: string): Stage => ({
      name: stage,
      uses: 'teach',
      needs: [of, ...current.needs],
      with: { ...rounds.teach, ...(current.folder !== undefined && { model: current.folder }) },
    })
    const verifications = Object.entries(rounds.verify).map(([part, config]): Stage => {
      const { model: asked } = judgeOf(config)
      const { model } = config as { readonly model?: string }
      const ownTeacher = asked === 'teacher' && model === undefined
      return {
        name: name(part),
        uses: 'verify',
        needs: [
          name('label'),
          ...(ownTeacher ? current.needs : []),
          ...(asked === 'judge' && model === undefined ? [name('judge')] : []),
          ...(model !== undefined && isStage(model) ? [model] : []),
        ],
        // Of a folder with several files the one that labels is asked again.
        with: ownTeacher
          ? {
              ...config,
              ...(file && { file }),
              ...(current.folder !== undefined && { model: current.folder }),
            }
          : config,
      }
    })
    const goldLabels = rounds.judge
      ? rounds.gold.map((gold) => label(`${name('label')}-on-${gold}`, gold))
      : []
    const judging: Stage[] = [
      ...goldLabels,
      ...(rounds.judge
        ? [
            {
              ...{ name: name('judge'), uses: 'judge' as const, with: rounds.judge },
              needs: [...rounds.gold, ...goldLabels.map((stage) => stage.name)],
            },
          ]
        : []),
      ...verifications,
    ]
    const isStart = rounds.start === 'teacher'
    const init = isStart ? { init: current.folder ?? current.name } : {}
    laidOut.push(
      label(name('label'), rounds.phrases),
      ...judging,
      {
        name: name('filter'),
        uses: 'filter',
        needs: [
          name('label'),
          ...verifications.map((stage) => stage.name),
          ...besides(stagesIn(rounds.filter.rules)),
        ],
        with: { ...rounds.filter, rules: rounds.filter.rules.map((rule) => mapStages(rule, ofRound)) },
      },
      ...audits,
      {
        name: student,
        uses: 'train',
        needs: [
          ...rounds.gold,
          name('filter'),
          ...(isStart ? current.needs : []),
          ...(weighing === undefined ? [] : [ofRound(weighing)]),
          ...(rounds.train.validate ? [rounds.train.validate.set] : []),
        ],
        with: {
          ...rounds.train,
          ...init,
          ...(weighing !== undefined && { weigh_by: ofRound(weighing) }),
          seed: rounds.train.seed + round,
        },
      },
      ...evaluations(student),
      ...means.flatMap(({ name: mean, weight }): Stage[] => [
        {
          name: mean,
          uses: 'average',
          needs: [...current.needs, student],
          with: { from: current.folder ?? current.name, to: student, weight },
        },
        ...evaluations(mean),
      ]),
      {
        name: name('promote'),
        uses: 'promote',
        needs: [
          ...current.needs,
          ...audits.map((stage) => stage.name),
          ...rounds.held_out.flatMap((set) => [
            evaluationName(first.name, set),
            ...[student, ...means.map(({ name }) => name)].map((model) => evaluationName(model, set)),
          ]),
        ],
        with: {
          ...promote,
          round,
          student,
          means: means.map(({ name }) => name),
          sets: rounds.held_out,
          ...(current.folder !== undefined && { teacher: current.folder }),
          learned: [rounds.phrases, ...rounds.gold],
          ...(judging.length > 0 && { judging: judging.map(({ name }) => name) }),
        },
      },
    )
  }
  return laidOut
}
