import { evaluateConfig } from '../evaluate/config.js'
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

/**
 * The stages of self-training. Round n labels with the current teacher (the first one, or the model that the
 * round before promoted), filters, audits its labels where a truth is named, trains a student on gold and on
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
    const isStart = rounds.start === 'teacher'
    const init = isStart ? { init: current.folder ?? current.name } : {}
    laidOut.push(
      {
        name: name('label'),
        uses: 'teach',
        needs: [rounds.phrases, ...current.needs],
        with: { ...rounds.teach, ...(current.folder !== undefined && { model: current.folder }) },
      },
      { name: name('filter'), uses: 'filter', needs: [name('label')], with: rounds.filter },
      ...audits,
      {
        name: student,
        uses: 'train',
        needs: [...rounds.gold, name('filter'), ...(isStart ? current.needs : [])],
        with: { ...rounds.train, ...init, seed: rounds.train.seed + round },
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
        },
      },
    )
  }
  return laidOut
}
