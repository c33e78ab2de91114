import { canBe, type TaggedToken } from './tag.js'

const numbers = new Set(
  'one two three four five six seven eight nine ten eleven twelve dozen hundred thousand'.split(' '),
)
/** Nouns in -ing that the lexicon takes for verbs. */
const ingNouns = new Set(
  'morning evening building ceiling clothing painting railing wedding king ring wing string spring thing nothing something anything everything'.split(
    ' ',
  ),
)
/** Verbs that the lexicon also knows as nouns (an are is a hundred square metres). */
const auxiliary = new Set('is are was were be been has have had do does did can will'.split(' '))
const determiner = /^(DT|PRP\$|PDT|WDT)$/
const noun = /^NN/
const beforeNoun = /^(DT|PRP\$|JJ|JJR|JJS|CD|VBN)$/

/** The new tag of the token between its neighbours, or undefined to leave it. */
type Rule = (
  token: TaggedToken,
  before: TaggedToken | undefined,
  after: TaggedToken | undefined,
  second: TaggedToken | undefined,
) => string | undefined

/** Known mistakes of the tagger in captions, each mended where its neighbours show it; in this order. */
const rules: readonly Rule[] = [
  // "two dogs": number words are nouns to the lexicon.
  ({ word }) => (numbers.has(word) || /^\d[\d.,]*$/.test(word) ? 'CD' : undefined),
  ({ word }) => (ingNouns.has(word) ? 'NN' : undefined),
  // "walking by a table", "near the bench": the preposition is all they are in a caption.
  ({ word }) =>
    /^(near|by|beside|behind|beneath|underneath|above|below|like|per)$/.test(word) ? 'IN' : undefined,
  // "dogs chase a frisbee", "a man rides the wave": a noun that can be a verb, after a noun, before a determiner.
  ({ tag, word }, before, after) =>
    noun.test(tag) &&
    before &&
    noun.test(before.tag) &&
    after &&
    determiner.test(after.tag) &&
    isVerb(word, before)
      ? 'VBP'
      : undefined,
  // "the left half", "a decorated wall", "a cutting board": a participle between a determiner and a noun.
  ({ tag }, before, after) =>
    /^VB[NDG]$/.test(tag) && before && beforeNoun.test(before.tag) && after && /^(NN|JJ)/.test(after.tag)
      ? 'JJ'
      : undefined,
  // "on the left", "the crossing": the same at the end of its phrase.
  ({ tag }, before, after) =>
    /^VB/.test(tag) &&
    before &&
    determiner.test(before.tag) &&
    !(after && /^(NN|JJ|VB|RB|CD)/.test(after.tag))
      ? 'NN'
      : undefined,
  // "a bus stop", "a light pole": a verb inside a noun compound.
  ({ tag, word }, before, after) =>
    /^VBP?$/.test(tag) &&
    canBe(word, 'NN') &&
    before &&
    /^NN/.test(before.tag) &&
    !auxiliary.has(word) &&
    !(after && /^(DT|PRP|IN|TO|RB)/.test(after.tag))
      ? 'NN'
      : undefined,
  ({ tag, word }, before, after) =>
    /^VBP?$/.test(tag) &&
    canBe(word, 'NN') &&
    before &&
    determiner.test(before.tag) &&
    after &&
    noun.test(after.tag)
      ? 'NN'
      : undefined,
  // "a yellow bed": the same behind an adjective, where no other noun follows.
  ({ tag, word }, before, after) =>
    /^VB[PDNZ]?$/.test(tag) &&
    canBe(word, 'NN') &&
    before &&
    /^(JJ|JJR|JJS|CD)$/.test(before.tag) &&
    !(after && noun.test(after.tag))
      ? 'NN'
      : undefined,
  // "the orange key in", "a key and a bell": an adjective where the phrase's noun must be.
  ({ tag }, before, after, second) =>
    tag === 'JJ' && before && beforeNoun.test(before.tag) && !modifiesOn(after, second) ? 'NN' : undefined,
  // "next to", "on top of": adjectives to the lexicon, parts of a preposition here.
  ({ word }, _before, after) => (word === 'next' && after?.word === 'to' ? 'RB' : undefined),
]

function isVerb(word: string, subject: TaggedToken): boolean {
  const bare = word.replace(/s$/, '')
  return subject.tag === 'NNS' ? canBe(word, 'VB') : word.endsWith('s') && canBe(bare, 'VB')
}

/** Whether an adjective may go on to its noun over what follows it. */
function modifiesOn(after: TaggedToken | undefined, second: TaggedToken | undefined): boolean {
  if (after && /^(CC|,)$/.test(after.tag)) return second !== undefined && /^(JJ|VBN|RB)/.test(second.tag)
  return after !== undefined && /^(NN|JJ|VBN|VBG|CD|RB)/.test(after.tag) && after.word !== 'next'
}

/** Applies the rules one after the other over the whole sentence, so that later ones see what earlier ones mended. */
export function repairTags(tokens: readonly TaggedToken[]): TaggedToken[] {
  const mended = [...tokens]
  for (const rule of rules) {
    mended.forEach((token, index) => {
      if (!token.isWord) return
      const tag = rule(token, mended[index - 1], mended[index + 1], mended[index + 2])
      if (tag !== undefined) mended[index] = { ...token, tag }
    })
  }
  return mended
}
