import { readRecipe } from '../../src/world/recipe.js'

/** The recipe that the project ships. */
export const toyRecipe = () => readRecipe(new URL('../../datasets/toy.yaml', import.meta.url).pathname)
