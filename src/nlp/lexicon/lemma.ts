import { canBe, tagsOf } from './lexicon.js'

const irregular: ReadonlyMap<string, string> = new Map(
  Object.entries({
    people: 'person',
    men: 'man',
    women: 'woman',
    children: 'child',
    feet: 'foot',
    teeth: 'tooth',
    geese: 'goose',
    mice: 'mouse',
    oxen: 'ox',
    dice: 'die',
    leaves: 'leaf',
    loaves: 'loaf',
    knives: 'knife',
    wives: 'wife',
    lives: 'life',
    shelves: 'shelf',
    wolves: 'wolf',
    calves: 'calf',
    halves: 'half',
    hooves: 'hoof',
    scarves: 'scarf',
    elves: 'elf',
    thieves: 'thief',
    axes: 'axe',
    cacti: 'cactus',
    octopi: 'octopus',
    fungi: 'fungus',
    fries: 'fry',
    skis: 'ski',
    busses: 'bus',
    taxis: 'taxi',
    booties: 'bootee',
    hoodies: 'hoodie',
    selfies: 'selfie',
    beanies: 'beanie',
    smoothies: 'smoothie',
    veggies: 'veggie',
    doggies: 'doggie',
    onesies: 'onesie',
    budgies: 'budgie',
  }),
)

/** Words that look like a plural and name one thing, or have no singular that captions use. */
const unchanged = new Set(
  `always bus gas lens chess tennis canvas christmas texas wales news series species means sports scissors pants
  jeans shorts trousers goggles pliers tweezers binoculars clothes overalls pajamas sunglasses eyeglasses headphones
  stairs remains sheep fish jellyfish moose deer swiss asparagus hummus citrus cactus octopus walrus platypus`.split(
    /\s+/,
  ),
)

/**
 * The singular of a noun, lower case. An ending is taken off where the lexicon has what is left as a noun;
 * where it has nothing, by the rules of English spelling.
 */
export function lemma(noun: string): string {
  const known = cache.get(noun)
  if (known !== undefined) return known
  const found = findLemma(noun.toLowerCase())
  if (cache.size >= cacheSize) cache.clear()
  cache.set(noun, found)
  return found
}

/** Enough for the frequent nouns of any corpus. */
const cacheSize = 50_000
const cache = new Map<string, string>()

function findLemma(word: string): string {
  const listed = irregular.get(word) ?? compound(word)
  if (listed !== undefined) return listed
  if (!/[^su'\d]s$/.test(word) || word.length < 4 || unchanged.has(word) || isSingular(word)) return word
  const stems = candidates(word)
  return stems.find((stem) => canBe(stem, 'NN')) ?? stems[0] ?? word
}

/** The plural is irregular inside compounds too: "policemen", "bookshelves". */
function compound(word: string): string | undefined {
  const [, start, end = ''] =
    /^(.{2,})(men|children|feet|teeth|shelves|knives|wolves|people)$/.exec(word) ?? []
  const singular = irregular.get(end)
  return singular && `${start}${singular}`
}

const isSingular = (word: string) => tagsOf(word)?.[0] === 'NN' || /(?:is|ous)$/.test(word)

/** What a plural may come of, the likeliest by its spelling first. */
function candidates(word: string): string[] {
  const bare = word.slice(0, -1)
  if (/[^aeiou]ies$/.test(word)) return [`${word.slice(0, -3)}y`, bare]
  if (/(?:ch|sh|x|z|ss|o)es$/.test(word)) return [word.slice(0, -2), bare]
  if (/ses$/.test(word)) return [bare, word.slice(0, -2)]
  return [bare]
}
