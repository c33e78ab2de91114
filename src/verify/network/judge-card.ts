import type { JudgeResult, JudgeTask } from './judge-task.js'

const percent = (share: number | null) => (share === null ? '-' : `${(100 * share).toFixed(1)} %`)

/** The README of a trained judge: what it was trained on, how, and what it was measured to do. */
export function judgeCard({
  name,
  sources,
  config,
  result,
}: Pick<JudgeTask, 'name' | 'sources' | 'config'> & { readonly result: JudgeResult }): string {
  const { measured, pictures } = result
  const rows = sources.map(
    ({ name: source, grounding, proposals }) => `| ${source} | ${grounding} | ${proposals ?? 'none'} |`,
  )
  return `---
license: ${config.license}
tags: [visual-grounding, groundmill]
---

# ${name}

A network that says of a box in a picture how likely it is right for a phrase, and of a phrase whether the boxes that
it accepts are all the things that the phrase names. Trained by groundmill.

| source | gold | proposals |
| --- | --- | --- |
${rows.join('\n')}

${config.steps} steps of ${config.batch} boxes of ${pictures} pictures, AdamW at ${config.learning_rate}, seed ${config.seed}.
Measured on ${measured.pictures} pictures that were kept back, ${measured.boxes} boxes: area under the ROC curve
${percent(measured.auc)} (the score alone: ${percent(measured.score_auc)}); ${percent(measured.accuracy)} judged rightly (the
larger kind alone: ${percent(measured.chance)}); of ${measured.phrases} phrases ${percent(measured.complete_accuracy)} rightly
said to be found wholly or not (the larger kind alone: ${percent(measured.complete_chance)}).
`
}
