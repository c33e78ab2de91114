import inflectors from 'natural/lib/natural/inflectors/index.js'

const inflector = new inflectors.NounInflector()

/** Words that are the same in the plural, or that only look like one. */
const unchanged = new Set(
  'sheep fish jellyfish deer moose glass grass dress bus gas cactus lens chess cross octopus tennis'.split(
    ' ',
  ),
)
const irregular: Readonly<Record<string, string>> = {
  people: 'person',
  leaves: 'leaf',
  knives: 'knife',
  shelves: 'shelf',
  wolves: 'wolf',
  loaves: 'loaf',
  giraffes: 'giraffe',
  axes: 'axe',
}

/** The singular of a noun, lower case. */
export function lemma(noun: string): string {
  const word = noun.toLowerCase()
  if (Object.hasOwn(irregular, word)) return irregular[word]
  if (unchanged.has(word) || word.length < 4 || /(ss|us|is)$/.test(word)) return word
  if (/(ch|sh|x|ss)es$/.test(word)) return word.slice(0, -2)
  return inflector.singularize(word)
}

/** Heads that say where in or of the picture, not what. */
const relational = new Set(
  'top bottom left right side front back middle center centre corner edge end part half background foreground distance direction inside outside rear next area'.split(
    ' ',
  ),
)

/** Heads that cannot be seen as a thing. */
const abstract = new Set(
  'photo photograph picture image pic view scene shot closeup close-up time day morning afternoon evening night year month week summer winter spring autumn fall love harmony fact matter way kind type sort lot variety number amount birthday fun life idea thing stuff world style use order series collection selection background action motion position focus preparation front shipping sale price quality team self thought'.split(
    ' ',
  ),
)

/** Why a phrase of that head is left out, or undefined to keep it. */
export function leftOut(head: string): 'relational_head' | 'abstract_head' | undefined {
  if (relational.has(head)) return 'relational_head'
  return abstract.has(head) ? 'abstract_head' : undefined
}

/** "a group of people": heads that only measure what the next phrase names. */
export const measures: ReadonlySet<string> = new Set(
  'group pair couple bunch flock herd row stack pile set crowd'.split(' '),
)
