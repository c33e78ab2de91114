import { UserError } from '../base/user-error.js'
import { evaluateConfig } from '../evaluate/config.js'
import type { RoundsConfig, Stage } from './config.js'
import { evaluationName } from './stages/evaluation-record.js'

/**
 * The stages of self-training. Round n labels with the current teacher (the first one, or the model that the
 * round before promoted), filters, audits its labels where a truth is named, trains a student on gold and on
 * what was labelled, evaluates it and decides on its promotion.
 */
export function layOutRounds(rounds: RoundsConfig, stages: readonly Stage[]): Stage[] {
  const isStage = (name: string) => stages.some((stage) => stage.name === name)
  const { audit } = rounds
  const known = audit?.known === undefined ? [] : [audit.known]
  for (const need of [rounds.teacher, rounds.phrases, ...rounds.gold, ...rounds.held_out, ...known]) {
    if (!isStage(need)) throw new UserError(`rounds: "${need}" is not a stage.`)
  }
  if (!rounds.held_out.includes(rounds.promote.set)) {
    throw new UserError(
      `rounds: promote.set "${rounds.promote.set}" is not among held_out: ${rounds.held_out.join(', ')}.`,
    )
  }
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
      {
        name: name('promote'),
        uses: 'promote',
        needs: [
          current,
          ...audits.map((stage) => stage.name),
          ...rounds.held_out.flatMap((set) => [
            evaluationName(rounds.teacher, set),
            evaluationName(student, set),
          ]),
        ],
        with: { ...rounds.promote, round, student, sets: rounds.held_out },
      },
    )
  }
  return laidOut
}
