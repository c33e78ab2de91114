import { once } from 'node:events'
import { orPackaged } from '../base/files/packaged.js'
import { makeWorld } from '../world/make-world.js'
import { readRecipe } from '../world/recipe.js'
import { serveFolder } from '../world/serve-world.js'
import { print, printJson } from './terminal/print.js'
import { createProgress } from './terminal/progress.js'

/** `groundmill world make`. */
export async function makeWorldCommand(
  folder: string,
  options: { readonly recipe: string; readonly json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const progress = createProgress()
  const onProgress = ({ split, done, total }: { split: string; done: number; total: number }) =>
    progress.update(`world ${split}`, done, total)
  const { skipped } = await makeWorld(await readRecipe(orPackaged(options.recipe)), folder, {
    signal,
    onProgress,
  })
  progress.finish(`✓ ${folder}${skipped ? '  already done' : ''}`)
  if (options.json) printJson({ folder, skipped })
}

/** `groundmill world serve`: until it is interrupted. */
export async function serveWorldCommand(
  folder: string,
  options: { readonly port: number; readonly json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const server = await serveFolder(folder, { port: options.port })
  const { url } = server
  if (options.json) printJson({ folder, url })
  else print(url)
  await once(signal, 'abort')
  await server.close()
}
