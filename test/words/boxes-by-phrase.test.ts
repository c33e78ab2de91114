import { describe, expect, it } from 'vitest'
import { boxesByPhrase } from '../../src/words/boxes-by-phrase.js'

const phrases = [
  { text: 'two dogs', head: 'dog' },
  { text: 'a hot dog', head: 'dog' },
  { text: 'a zebra', head: 'zebra' },
]
const box = (phrase: number, label: string | null) => ({ phrase, label, score: phrase })

describe('boxes by phrase', () => {
  it('are those that a detector calls what the phrase names; of what it cannot name there is no list', () => {
    const boxes = [
      ...[box(0, 'dog'), box(0, 'hot dog'), box(0, 'cat')],
      ...[box(1, 'dog'), box(1, 'hot dog')],
      ...[box(2, 'dog'), box(7, 'dog'), box(-1, 'dog'), box(0, null)],
    ]
    const found = boxesByPhrase(['dog', 'hot dog', 'cat'])(phrases, boxes)
    expect([...found]).toEqual([
      [0, [boxes[0]]],
      [1, [boxes[4]]],
    ])
  })

  it('are all of them where the teacher reads the words', () => {
    const boxes = [box(2, null), box(0, 'dog'), box(2, 'whatever'), box(9, null)]
    expect([...boxesByPhrase(undefined)(phrases, boxes)]).toEqual([
      [0, [boxes[1]]],
      [1, []],
      [2, [boxes[0], boxes[2]]],
    ])
  })
})
