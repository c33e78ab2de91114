import { evaluateConfig } from '../evaluate/config.js'
import { categoriesOf, evaluateModel } from '../evaluate/evaluate-model.js'
import { parseConfig } from '../parse-config.js'
import { readDataset } from '../shards/dataset.js'
import { openStorage } from '../shards/storage.js'
import { openTeacher } from '../teacher/open-teacher.js'
import { formatTable } from './format-table.js'
import { createProgress } from './progress.js'
import { setOptions } from './set-options.js'

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
  const config = parseConfig(evaluateConfig, setOptions(options.set), '--set')
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
      (done) => progress.update('images', done, undefined),
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

async function openSet(url: string) {
  const storage = openStorage(url)
  const { name, shards } = await readDataset(storage)
  return { storage, shards, stage: name }
}
