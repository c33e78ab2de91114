import { once } from 'node:events'
import { makeWorld } from '../world/make-world.js'
import { readRecipe } from '../world/recipe.js'
import { serveFolder } from '../world/serve-world.js'
import { createProgress } from './progress.js'

/** `groundmill world make`. */
export async function makeWorldCommand(
  folder: string,
  options: { readonly recipe: string },
  signal: AbortSignal,
): Promise<void> {
  const progress = createProgress()
  const onProgress = ({ split, done, total }: { split: string; done: number; total: number }) =>
    progress.update(`world ${split}`, done, total)
  await makeWorld(await readRecipe(options.recipe), folder, { signal, onProgress })
  progress.finish(`✓ ${folder}`)
}

/** `groundmill world serve`: until it is interrupted. */
export async function serveWorldCommand(
  folder: string,
  options: { readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  const server = await serveFolder(folder, { port: options.port })
  process.stdout.write(`${server.url}\n`)
  await once(signal, 'abort')
  await server.close()
}
