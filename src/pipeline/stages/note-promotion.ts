import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../base/write-file-atomic.js'
import { withPromotion } from '../../model/model-card.js'
import type { Storage } from '../../storage/storage.js'
import type { Comparison } from './compare-answers.js'
import { modelStore } from './model-store.js'
import type { Promotion } from './promotion.js'
import { readRunRecord } from './run-record.js'

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
  const record = await readRunRecord(run, `${place}/record.json`)
  if (!record) throw new Error(`${run.url}: there is no ${place}/record.json`)
  const noted = `${JSON.stringify({ ...record, promotion }, null, 1)}\n`
  const store = modelStore(run, place)
  const card = join(store.folder, 'README.md')
  const text = await readFile(card, 'utf8')
  const own = withPromotion(text, promotionText(promotion, record.stage))
  if (own !== text) {
    await writeFileAtomic(card, own)
    if (!run.isLocal) await run.write(`${place}/README.md`, own)
  }
  const before = await run.read(`${place}/record.json`)
  if (before && Buffer.from(before).toString('utf8') === noted) return
  await run.write(`${place}/record.json`, noted)
  await store.settle()
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
  const cells = [teacher, candidate, difference].map(percent)
  return `| ${[name, set, metric, ...cells, interval?.map(percent).join(' to ') ?? 'none', demanded].join(' | ')} |`
}

const percent = (value: number) => (100 * value).toFixed(1)
