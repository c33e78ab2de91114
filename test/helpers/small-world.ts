import { cp } from 'node:fs/promises'
import { makeWorld } from '../../src/world/make-world.js'
import { readRecipe } from '../../src/world/recipe.js'
import { madeOnce } from './made-once.js'

/** The world of `makeSmallWorld`, to be read alone. */
export const smallWorld = madeOnce('small-world', async (folder) => {
  const recipe = await readRecipe('datasets/toy.yaml')
  const web = { ...recipe.web, broken_share: 0.1 }
  await makeWorld(
    { ...recipe, web, splits: { gold: 30, web: 40, known: 6, novel: 6, attributes: 6 } },
    folder,
  )
})

/** A world of a few scenes, from the recipe that ships. */
export async function makeSmallWorld(folder: string): Promise<void> {
  await cp(await smallWorld(), folder, { recursive: true })
}
