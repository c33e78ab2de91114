import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'
import { categoryMatcher } from '../../src/words/category-matcher.js'
import { commonNames } from '../../src/words/common-names.js'

const phrase = (text: string) => {
  const [first] = chunk(`There is ${text}.`).filter(({ leftOut }) => !leftOut)
  if (!first) throw new Error(`no phrase in ${text}`)
  return { text, head: first.head }
}

describe('a category', () => {
  const means = categoryMatcher({ common: true })

  it.each([
    ['person', 'two young men'],
    ['person', 'a surfer'],
    ['Person', 'a little girl'],
    ['dining table', 'a wooden table'],
    ['dining_table', 'a wooden table'],
    ['cell phone', 'an iphone'],
    ['teddy bear', 'a stuffed bear'],
    ['hot dog', 'two hotdogs'],
    ['microwave', 'a microwave oven'],
    ['sofa', 'a red loveseat'],
    ['tvmonitor', 'a television'],
    ['bicycle', 'a bike'],
    ['motorcycle', 'a bike'],
    ['dog', 'a dog'],
    ['skis', 'a ski'],
  ])('%s is meant by %s', (category, text) => {
    expect(means(category, phrase(text))).toBe(true)
  })

  it.each([
    ['dog', 'a hot dog'],
    ['bear', 'a teddy bear'],
    ['bear', 'a stuffed bear'],
    ['oven', 'a microwave oven'],
    ['skateboard', 'a surf board'],
    ['mouse', 'a keyboard'],
    ['traffic light', 'a street light'],
    ['dining table', 'a kitchen'],
    ['person', 'a statue'],
    ['unheard', 'a man'],
  ])('%s is not meant by %s', (category, text) => {
    expect(means(category, phrase(text))).toBe(false)
  })

  it('has the names that it is given, beside the common ones or alone', () => {
    const synonyms = { Dog: ['wolf', 'sea dog'] }
    const both = categoryMatcher({ common: true, synonyms })
    expect([both('dog', phrase('a wolf')), both('dog', phrase('a puppy'))]).toEqual([true, true])
    const alone = categoryMatcher({ common: false, synonyms })
    expect([alone('dog', phrase('a wolf')), alone('dog', phrase('a puppy'))]).toEqual([true, false])
    // Without the common names nobody says that a hot dog is no dog.
    expect(alone('dog', phrase('a hot dog'))).toBe(true)
    expect(
      categoryMatcher({ common: false, synonyms: { seal: ['sea dog'] } })('dog', phrase('a sea dog')),
    ).toBe(false)
  })

  it('has common names for all of the categories of COCO, each once', () => {
    for (const [category, names] of commonNames) {
      expect([category, new Set(names).size]).toEqual([category, names.length])
      expect(names).not.toContain('')
    }
    expect(commonNames.get('sofa')).toContain('couch')
  })
})
