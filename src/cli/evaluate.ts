import { parseConfig } from '../base/parse-config.js'
import { UserError } from '../base/user-error.js'
import { openDataset } from '../catalog/open-dataset.js'
import { evaluateConfig } from '../evaluate/config.js'
import { categoriesOf, type EvaluationSet, evaluateModel } from '../evaluate/evaluate-model.js'
import { openTeacher } from '../teacher/open-teacher.js'
import { setOptions } from './set-options.js'
import { formatTable } from './terminal/format-table.js'
import { createProgress } from './terminal/progress.js'

export interface EvaluateOptions {
  readonly model: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill evaluate`: COCO's twelve numbers and phrase recall@1, 5 and 10. */
export async function evaluate(
  dataset: string,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<void> {
  const config = parseConfig(evaluateConfig.omit({ model: true }), setOptions(options.set), '--set')
  const set = await openSet(dataset)
  const seen = config.unseen_in ? await categoriesOf(await openSet(config.unseen_in)) : []
  const categories = (await categoriesOf(set)).filter((name) => !seen.includes(name))
  const progress = createProgress()
  const teacher = await openTeacher(options.model, {
    ...config,
    notice: (text) => progress.finish(`  ${text}`),
  })
  try {
    const scores = await evaluateModel(
      teacher,
      set,
      config,
      categories,
      (images, of) => progress.update('images', images, of),
      signal,
    )
    progress.finish(`✓ ${scores.images} images, ${scores.phrases} phrases, ${scores.categories} categories`)
    if (options.json)
      process.stdout.write(`${JSON.stringify({ dataset, model: options.model, ...scores })}\n`)
    else
      process.stdout.write(
        `${formatTable(
          ['score', 'value'],
          Object.entries(scores).map(([name, value]) => [
            name,
            Number.isInteger(value) ? value : value.toFixed(4),
          ]),
        )}\n`,
      )
  } finally {
    await teacher.close()
  }
}

async function openSet(url: string): Promise<EvaluationSet> {
  const { storage, shards, name, isGold } = await openDataset(url)
  if (!isGold) {
    throw new UserError(
      `${url} has no gold boxes: name a dataset that was ingested with them (\`instances\`).`,
    )
  }
  return { storage, shards, stage: name }
}
