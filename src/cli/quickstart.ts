import { join } from 'node:path'
import { packaged } from '../base/files/packaged.js'
import { readJson } from '../base/files/read-json.js'
import { UserError } from '../base/user-error.js'
import { readStats } from '../catalog/read-stats.js'
import type { RoundReport } from '../pipeline/promotion/round-report.js'
import { readPipeline } from '../pipeline/read-pipeline.js'
import { makeWorld } from '../world/make-world.js'
import { readRecipe } from '../world/recipe.js'
import { serveFolder } from '../world/serve-world.js'
import { runWithProgress } from './run-with-progress.js'
import { note, print, printJson } from './terminal/print.js'
import { labelTable } from './terminal/print-audit.js'
import { funnelTable } from './terminal/print-funnel.js'
import { reportTable } from './terminal/print-report.js'
import { createProgress, duration } from './terminal/progress.js'
import { failureOfRun } from './terminal/run-end.js'

export interface QuickstartOptions {
  readonly dataset: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill quickstart`: the toy world, its web served on loopback, and the pipeline over both. */
export async function quickstart(
  { dataset, set, json }: QuickstartOptions,
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now()
  const folder = join(dataset, 'world')
  // What is wrong with --set is told before the world is made; where its web is served is not known yet.
  await readPipeline(packaged('pipelines/quickstart.yaml'), {
    set: [`world=${folder}`, 'web_url=http://127.0.0.1:1/', ...set],
  })
  const progress = createProgress()
  const { skipped } = await makeWorld(await readRecipe(packaged('datasets/toy.yaml')), folder, {
    signal,
    onProgress: ({ split, done, total }) => progress.update(`world ${split}`, done, total),
  })
  progress.finish(`✓ ${'world'.padEnd(34)} ${skipped ? 'already done' : 'made'}`)
  const server = await serveFolder(join(folder, 'web'))
  try {
    const pipeline = await readPipeline(packaged('pipelines/quickstart.yaml'), {
      set: [`world=${folder}`, `web_url=${server.url}`, ...set],
      onNotice: note,
    })
    const failure = failureOfRun(await runWithProgress(pipeline, dataset, { signal }))
    if (failure) throw failure.code === 2 ? new UserError(failure.message) : new Error(failure.message)
  } finally {
    await server.close()
  }
  const report = (await readJson(join(dataset, 'report.json'))) as RoundReport
  const funnel = await readStats(dataset)
  if (json) {
    printJson({ run: dataset, seconds: (performance.now() - start) / 1000, report, funnel })
    return
  }
  print(`
What went in, what came out, and why the rest did not:

${funnelTable(funnel)}

Teacher against student, in percent. "novel" holds things that no gold caption ever named:

${reportTable(report)}
${report.labels ? `\nRegions of the round that are right, in percent, beside boxes drawn by lot:\n\n${labelTable(report.labels)}\n` : ''}
${verdict(report)}. All in ${duration((performance.now() - start) / 1000)}.
${report.promotion.reason}.

What to try next:
${nextCommands(dataset, folder)}`)
}

/** Which model is the next teacher. */
function verdict({ promoted, student, promotion }: RoundReport): string {
  if (!promoted) return 'The student is not promoted: the teacher stays'
  if (promotion.next.name === student) return 'The student is promoted: it is the next teacher'
  return `A mean of teacher and student is promoted: ${promotion.next.name} is the next teacher`
}

/** The commands to try next, each with what it is for. */
function nextCommands(dataset: string, world: string): string {
  const options = dataset === 'runs/quickstart' ? '' : ` --dataset ${dataset} --set world=${world}`
  const commands: readonly (readonly [command: string, purpose: string])[] = [
    [`stats ${dataset}`, 'statistics of every stage'],
    [`inspect ${dataset}/web`, 'look at what the teacher found, in a browser'],
    [`render ${dataset}/web --sample 8 -o pictures`, 'the same as pictures'],
    [`round pipelines/quickstart.yaml${options}`, 'one more round, with the better teacher'],
    ['run pipelines/coco-folder.yaml --set folder=DIR', 'your own photographs'],
  ]
  const width = Math.max(...commands.map(([command]) => command.length))
  return commands
    .map(([command, purpose]) => `  npx groundmill ${command.padEnd(width)}  ${purpose}`)
    .join('\n')
}
