import { makeWorld } from '../../src/world/make-world.js'
import { readRecipe } from '../../src/world/recipe.js'

/** A world of a few scenes, from the recipe that ships. */
export async function makeSmallWorld(folder: string): Promise<void> {
  const recipe = await readRecipe('datasets/toy.yaml')
  const web = { ...recipe.web, broken_share: 0.1 }
  await makeWorld(
    { ...recipe, web, splits: { gold: 30, web: 40, known: 6, novel: 6, attributes: 6 } },
    folder,
  )
}
