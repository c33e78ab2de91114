import { describe, expect, it } from 'vitest'
import { random } from '../../../src/base/random.js'
import type { Xyxy } from '../../../src/boxes/xyxy.js'
import { goldTargets, judgeBoxes } from '../../../src/filter/rows-with-gold.js'
import { type LayerRow, layerPartBuilder } from '../../../src/inspect/index/index-part.js'
import { rowJudge } from '../../../src/inspect/index/judge-row.js'
import type { Judge, LayerBox, Told } from '../../../src/inspect/index/layer.js'
import { StringTable } from '../../../src/inspect/index/string-table.js'
import { truthPartBuilder } from '../../../src/inspect/index/truth-part.js'
import { isKept } from '../../../src/inspect/view/threshold.js'

const [byWords, byCategory] = [goldTargets(undefined), goldTargets({ synonyms: {} })]
const judge: Judge = {
  targets: (phrases, told, isByCategory) => (isByCategory ? byCategory : byWords)(phrases, told),
  boxes: judgeBoxes,
}
const draw = random(3)
const pick = <T>(items: readonly T[]): T => items[Math.floor(draw.next() * items.length)] as T
const box = (): Xyxy => {
  const [x, y] = [pick([0, 2, 4, 40]), pick([0, 3, 30])]
  return [x, y, x + pick([20, 22]), y + pick([20, 24])]
}
const words = ['a dog', 'the dogs', 'a man', 'a kite', 'the sky']

/** A picture with boxes of all kinds: at some thresholds only, with a part of their phrase for a label. */
function anyRow(): { row: LayerRow; boxes: LayerBox[]; told: Told } {
  const phrases = Array.from({ length: 3 }, (_, at) => {
    const text = pick(words)
    const head = text.split(' ').at(-1)?.replace(/s$/, '') ?? ''
    return { caption: 0, text, start: 20 * at, end: 20 * at + text.length, head }
  })
  const boxes = Array.from({ length: 7 }, (): LayerBox => {
    const phrase = pick([0, 1, 2])
    const { start, end } = phrases[phrase]!
    const to = pick([0.3, 0.5, 0.7, 0.9])
    const relabelled = pick([undefined, { start: start + 2, end, rule: null }])
    const score = pick([to, to / 2])
    return {
      ...{ phrase, xyxy: box(), score, from: pick([-1, -1, 0.2, 0.4]), to },
      ...(relabelled && { relabelled }),
    }
  })
  const names = ['person', 'dog', 'kite']
  const gold = names.map((text, at) => ({ caption: 1, text, start: 9 * at, end: 9 * at + 4, head: text }))
  const own = pick([gold, [...gold, phrases[0]!]])
  const told = {
    captions: [{ kind: 'web' as const }, { kind: 'categories' as const }],
    phrases: own,
    // A source may box one thing only once.
    regions: [...new Map(Array.from({ length: 6 }, box).map((xyxy) => [xyxy.join(), xyxy])).values()].map(
      (xyxy) => ({ phrase: Math.floor(draw.next() * own.length), xyxy }),
    ),
    ignored: [{ text: pick(names), xyxy: [0, 0, 30, 60] as const, area: 9, crowd: true }],
  }
  return { row: { width: 90, height: 90, phrases, boxes }, boxes, told }
}

describe('what the index judges', () => {
  it('is what the filter room judges, at any threshold and by words or categories', () => {
    let [right, wrong, missed, unjudged] = [0, 0, 0, 0]
    for (let turn = 0; turn < 200; turn++) {
      const isByCategory = turn % 2 === 0
      const { row, boxes, told } = anyRow()
      const layer = { passing: () => boxes }
      const heads = new StringTable()
      const part = layerPartBuilder(layer, new StringTable(), heads)
      const truth = truthPartBuilder(layer, judge, isByCategory, heads)
      part.add(row)
      truth.add(row, told)
      const all = { fits: () => true, heads: null }
      const targets = judge.targets(row.phrases, told, isByCategory)
      const judgeRow = rowJudge()
      for (const threshold of [0, 0.25, 0.45, 0.6, 0.95]) {
        const kept = boxes
          .filter(({ from, to }) => isKept(from, to, threshold))
          .sort((a, b) => b.score - a.score)
        const judged = judgeBoxes(kept, targets)
        const asked = new Set(targets.flatMap(({ boxes: own = [] }) => own.map((one) => one.join())))
        const found = new Set(judged.flatMap(({ target }) => (target ? [target.join()] : [])))
        const hits = [...asked].filter((one) => found.has(one)).length
        const expected = {
          right: judged.filter((one) => one.right).length,
          wrong: judged.filter((one) => !one.right).length,
          found: hits,
          missed: asked.size - hits,
          unjudged: kept.length - judged.length,
        }
        expect(judgeRow(part.build(), truth.build(), threshold, 0, all)).toEqual(expected)
        right += expected.right
        wrong += expected.wrong
        missed += expected.missed
        unjudged += expected.unjudged
      }
    }
    // All of them occur.
    expect(Math.min(right, wrong, missed, unjudged)).toBeGreaterThan(100)
  })

  it('counts only boxes that fit, and of what is missed what heads ask for', () => {
    const phrase = { caption: 0, text: 'a dog', start: 0, end: 5, head: 'dog' }
    const at = (x: number): Xyxy => [x, 0, x + 10, 10]
    const boxes = [0, 40].map((x): LayerBox => ({ phrase: 0, xyxy: at(x), score: 0.9, from: -1, to: 0.9 }))
    const row = { width: 90, height: 90, phrases: [phrase], boxes }
    const told = {
      captions: [{ kind: 'categories' as const }],
      phrases: [{ ...phrase, text: 'dog' }],
      regions: [
        { phrase: 0, xyxy: at(0) },
        { phrase: 0, xyxy: at(70) },
      ],
    }
    const heads = new StringTable()
    const layer = { passing: () => boxes }
    const part = layerPartBuilder(layer, new StringTable(), heads)
    const truth = truthPartBuilder(layer, judge, true, heads)
    part.add(row)
    truth.add(row, told)
    const [own, against] = [part.build(), truth.build()]
    const judgeRow = rowJudge()
    const dog = new Uint8Array(9)
    dog[heads.find('dog') ?? 8] = 1
    expect({ ...judgeRow(own, against, 0.5, 0, { fits: (box) => box === 1, heads: dog }) }).toMatchObject({
      ...{ right: 0, wrong: 1, found: 1, missed: 1 },
    })
    expect(judgeRow(own, against, 0.5, 0, { fits: () => false, heads: new Uint8Array(9) })).toMatchObject({
      ...{ right: 0, wrong: 0, found: 1, missed: 0 },
    })
  })
})
