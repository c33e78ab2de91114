import { hashBytes } from '../../base/hash.js'
import { UserError } from '../../base/user-error.js'
import { withPromotion } from '../../model/model-card.js'
import type { Storage } from '../../storage/storage.js'
import type { Comparison } from '../promotion/compare-answers.js'
import { hasScore, type Promotion } from '../promotion/promotion.js'
import { parseRunRecord } from './run-record.js'

/**
 * Notes in a candidate's record and on its card what became of it. What is noted already is left as it is.
 *
 * @param place of the model in the run: `models/NAME`
 */
export async function notePromotion(
  run: Storage,
  place: string,
  { scores: _, lineage: __, ...promotion }: Promotion,
): Promise<void> {
  const card = `${place}/README.md`
  const bytes = await run.read(card)
  if (!bytes) throw new Error(`${run.url}: there is no ${card}`)
  for (;;) {
    const before = await run.readVersioned(`${place}/record.json`)
    if (!before) throw new Error(`${run.url}: there is no ${place}/record.json`)
    const record = parseRunRecord<unknown>(before.bytes)
    if (typeof record === 'string')
      throw new UserError(
        `${run.path(`${place}/record.json`)}: ${record}: delete it, and the next run trains the model again.`,
      )
    const text = Buffer.from(bytes).toString('utf8')
    const own = withPromotion(text, promotionText(promotion, record.stage))
    const files = record.files && { files: { ...record.files, [card]: hashBytes(own) } }
    const noted = `${JSON.stringify({ ...record, ...files, promotion }, null, 1)}\n`
    if (own !== text) await run.write(card, own)
    if (Buffer.from(before.bytes).toString('utf8') === noted) return
    if (await run.swap(`${place}/record.json`, noted, before.version)) return
  }
}

/** A round's decision as a section of a model's card, in Markdown. */
function promotionText(promotion: Omit<Promotion, 'scores' | 'lineage'>, model: string): string {
  const { round, reason, margin, level, resamplings, seed, teacher, candidates, next } = promotion
  const rows = candidates.flatMap((candidate) => [
    row(candidate.name, candidate, `above ${percent(margin)}`),
    ...candidate.guards.map((guard) =>
      row(
        candidate.name,
        guard,
        `${guard.by_interval ? 'all of the interval' : ''} at most ${percent(guard.lower_by)} less`.trim(),
      ),
    ),
  ])
  const hashes = [teacher, ...candidates].map(({ name, hash }) => `- \`${name}\`: ${hash}`)
  return `Round ${round}: ${next.name === model ? 'this model is the next teacher' : 'this model is not the next teacher'}. ${reason}.

| model | set | metric | teacher | model's | difference | interval | demanded |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

In percent; differences with their interval at level ${level}, or at a guard's own, by a paired bootstrap over the pictures (${resamplings}
resamplings, seed ${seed}). SHA-256 of the models:

${hashes.join('\n')}`
}

function row(name: string, comparison: Comparison, demanded: string): string {
  const { set, metric, teacher, candidate, difference, interval } = comparison
  const cells = [teacher, candidate, difference].map((value) => (hasScore(comparison) ? percent(value) : '-'))
  return `| ${[name, set, metric, ...cells, interval?.map(percent).join(' to ') ?? 'none', demanded].join(' | ')} |`
}

const percent = (value: number) => (100 * value).toFixed(1)
