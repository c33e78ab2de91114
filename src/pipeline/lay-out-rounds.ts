import { UserError } from '../base/user-error.js'
import { evaluateConfig } from '../evaluate/config.js'
import { evaluationName } from './promotion/evaluation-record.js'
import { sharesOf } from './promotion/promote-config.js'
import type { RoundsConfig, Stage } from './stages/pipeline-config.js'

/**
 * The stages of self-training. Round n labels with the current teacher (the first one, or the model that the
 * round before promoted), filters, audits its labels where a truth is named, trains a student on gold and on
 * what was labelled, evaluates it (and means of it and its teacher, where they are asked for) and decides on
 * promotion.
 */
export function layOutRounds(rounds: RoundsConfig, stages: readonly Stage[]): Stage[] {
  const isStage = (name: string) => stages.some((stage) => stage.name === name)
  const { audit } = rounds
  const known = audit?.known === undefined ? [] : [audit.known]
  for (const need of [rounds.teacher, rounds.phrases, ...rounds.gold, ...rounds.held_out, ...known]) {
    if (!isStage(need)) throw new UserError(`rounds: "${need}" is not a stage.`)
  }
  const { promote } = rounds
  const decisive = [
    { key: 'set', set: promote.set },
    ...promote.guards.map(({ set }, index) => ({ key: `guards[${index}].set`, set })),
  ]
  for (const { key, set } of decisive) {
    if (!rounds.held_out.includes(set))
      throw new UserError(
        `rounds: promote.${key} "${set}" is not among held_out: ${rounds.held_out.join(', ')}.`,
      )
  }
  const shares = sharesOf(promote)
  if (shares.length > 0 && rounds.start !== 'teacher')
    throw new UserError(
      'rounds: promote.average takes students that start from their teacher (`start: teacher`): of models that were trained apart the mean is of no use.',
    )
  const evaluations = (model: string): Stage[] =>
    rounds.held_out.map((set) => ({
      name: evaluationName(model, set),
      uses: 'evaluate',
      needs: [set, model],
      with: { ...evaluateConfig.parse({}), ...rounds.evaluate[set] },
    }))
  const laidOut: Stage[] = evaluations(rounds.teacher)
  for (let round = 1; round <= rounds.count; round++) {
    const name = (part: string) => `round-${round}-${part}`
    const current = round === 1 ? rounds.teacher : `round-${round - 1}-promote`
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
    const init = rounds.start === 'teacher' ? { init: current } : {}
    laidOut.push(
      { name: name('label'), uses: 'teach', needs: [rounds.phrases, current], with: rounds.teach },
      { name: name('filter'), uses: 'filter', needs: [name('label')], with: rounds.filter },
      ...audits,
      {
        name: student,
        uses: 'train',
        needs: [...rounds.gold, name('filter'), ...(rounds.start === 'teacher' ? [current] : [])],
        with: { ...rounds.train, ...init, seed: rounds.train.seed + round },
      },
      ...evaluations(student),
      ...means.flatMap(({ name: mean, weight }): Stage[] => [
        {
          name: mean,
          uses: 'average',
          needs: [current, student],
          with: { from: current, to: student, weight },
        },
        ...evaluations(mean),
      ]),
      {
        name: name('promote'),
        uses: 'promote',
        needs: [
          current,
          ...audits.map((stage) => stage.name),
          ...rounds.held_out.flatMap((set) => [
            evaluationName(rounds.teacher, set),
            ...[student, ...means.map(({ name }) => name)].map((model) => evaluationName(model, set)),
          ]),
        ],
        with: {
          ...promote,
          round,
          student,
          means: means.map(({ name }) => name),
          sets: rounds.held_out,
        },
      },
    )
  }
  return laidOut
}
