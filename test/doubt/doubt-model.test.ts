import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { iou } from '../../src/boxes/iou.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { fitDoubt } from '../../src/doubt/doubt-model.js'
import type { DoubtedPicture, FoundBox } from '../../src/doubt/doubted-picture.js'
import { pictureDoubts } from '../../src/doubt/picture-doubts.js'
import { spoilers, type WrongKind, wrongKinds } from '../../src/doubt/spoil.js'
import { doubtfulGold, type MadePicture, madePicture, side } from '../helpers/doubtful-gold.js'

function doubted({ key, phrases, regions, proposals }: MadePicture): DoubtedPicture {
  const found = new Map(phrases.map((_, phrase): [number, FoundBox[]] => [phrase, []]))
  for (const { phrase, xyxy, score } of proposals) found.get(phrase)?.push({ xyxy, score })
  const boxes = regions.map(({ phrase, xyxy }) => ({ phrase, xyxy }))
  return { key, width: side, height: side, phrases, boxes, found, judged: () => undefined }
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
const { pictures, wrong } = doubtfulGold()
const gold = pictures.map(doubted)
const model = await fitDoubt(gold, 1)
const said = gold.map((picture) => pictureDoubts(picture, model, { judge: 'doubt of m', threshold: 0.5 }))
const doubtsAt = (index: number) => said[index].doubts

describe('doubts of a grounding', () => {
  it('are those that are wrong, of their kind, and next to no others', () => {
    expect(doubtsAt(wrong.missing).map(({ kind, phrase }) => [kind, phrase])).toEqual([['missing', 0]])
    expect(doubtsAt(wrong.misplaced).map(({ kind, phrase }) => [kind, phrase])).toEqual([['misplaced', 1]])
    expect(doubtsAt(wrong.extra).map(({ kind, phrase }) => [kind, phrase])).toEqual([['extra', 1]])
    const swapped = doubtsAt(wrong.swapped).filter(({ kind }) => kind === 'swapped')
    expect(swapped.map(({ phrase }) => phrase)).toEqual([1, 2])
    const others = said.filter((_, index) => !Object.values(wrong).includes(index))
    expect(others.flatMap(({ doubts }) => doubts).length).toBeLessThanOrEqual(4)
  })

  it('come with what it should be', () => {
    const [missing] = doubtsAt(wrong.missing)
    const [gone] = madePicture(wrong.missing).regions
    expect(iou(missing.suggested as Xyxy, gone.xyxy)).toBeGreaterThan(0.7)
    const [misplaced] = doubtsAt(wrong.misplaced)
    const third = madePicture(wrong.misplaced).regions[2]
    expect(iou(misplaced.suggested as Xyxy, third.xyxy)).toBeGreaterThan(0.7)
    expect(iou(misplaced.xyxy as Xyxy, third.xyxy)).toBeCloseTo(0.5, 1)
    const [first, second] = doubtsAt(wrong.swapped).filter(({ kind }) => kind === 'swapped')
    expect([first.instead, second.instead]).toEqual([second.text, first.text])
  })

  it('are verdicts: of every box how likely it is right, and what is missing', () => {
    const kinds = (index: number) =>
      said[index].verdicts.map(({ phrase, verdict, reason }) => `${phrase} ${verdict} ${reason}`)
    expect(kinds(wrong.missing)).toEqual(['0 accept null', '1 accept null', '2 accept null', '0 add missing'])
    expect(kinds(wrong.misplaced)[2]).toBe('1 redraw misplaced')
    expect(kinds(wrong.swapped).slice(2)).toEqual([
      ...['1 reject swapped', '2 reject swapped'],
      // The model finds each of them where the other is boxed.
      ...kinds(wrong.swapped).slice(4),
    ])
    expect(kinds(wrong.extra)[4]).toBe('1 reject extra')
    const [first] = said[0].verdicts
    expect(first).toMatchObject({ judge: 'doubt of m', person: false, redrawn: null })
    const right = said.flatMap(({ verdicts }) => verdicts).filter(({ verdict }) => verdict === 'accept')
    const mean = right.reduce((sum, { probability }) => sum + probability, 0) / right.length
    expect(mean).toBeGreaterThan(0.97)
    expect(said[wrong.extra].verdicts[4].probability).toBeLessThan(0.2)
  })

  it('suggest no place that is another box of the phrase', () => {
    const [own, mate, better]: Xyxy[] = [
      [0, 0, 20, 20],
      [10, 0, 30, 20],
      [0, 0, 20, 14],
    ]
    const found = [
      { xyxy: mate, score: 0.9 },
      { xyxy: better, score: 0.5 },
    ]
    const picture = {
      ...gold[0],
      boxes: [own, mate].map((xyxy) => ({ phrase: 0, xyxy })),
      found: new Map([[0, found]]),
    }
    const wrongPlace = { right: 0.1, misplaced: 0.8, swapped: 0.05, extra: 0.05 }
    const { doubts } = pictureDoubts(
      picture,
      { boxes: () => [wrongPlace, { ...wrongPlace, right: 0.99, misplaced: 0 }], missing: () => [] },
      { judge: 'j', threshold: 0.5 },
    )
    expect(doubts.map(({ suggested }) => suggested)).toEqual([better])
  })

  it('weigh what a judge says of the same box', () => {
    const at = wrong.extra
    const told = (p: number) => model.boxes({ ...gold[at], judged: () => p })[4]
    const alone = model.boxes(gold[at])[4]
    expect(told(0.5)?.right).toBeCloseTo(alone?.right ?? -1, 6)
    expect(told(0.99)?.right).toBeGreaterThan(alone?.right ?? 1)
    expect(told(0.01)?.right).toBeLessThan(alone?.right ?? 0)
    const sum = Object.values(told(0.99) ?? {}).reduce((total, value) => total + value, 0)
    expect(sum).toBeCloseTo(1, 6)
  })

  it('are none of a phrase that the model cannot be asked for, and none where there is nothing to learn from', async () => {
    const found = new Map(gold[0].found)
    found.delete(1)
    const boxes = model.boxes({ ...gold[0], found })
    expect(boxes.map((box) => box === undefined)).toEqual([false, false, true, false])
    const empty = await fitDoubt([], 1)
    expect(empty.boxes(gold[0])[0]?.right).toBe(1)
    // Of next to nothing something is learned, and nothing that is no number.
    for (let few = 1; few <= 4; few++) {
      const picture = { ...gold[0], boxes: gold[0].boxes.slice(0, few) }
      const said = (await fitDoubt([picture], 1)).boxes(picture)
      expect(said).toHaveLength(few)
      for (const one of said) expect(sumOf(Object.values(one ?? {}))).toBeCloseTo(1, 6)
    }
  })

  it('stop being learned once nobody waits for them', async () => {
    const stop = new AbortController()
    const learned = fitDoubt(gold, 1, stop.signal)
    setTimeout(() => stop.abort(new Error('stopped')), 5)
    await expect(learned).rejects.toThrow('stopped')
  })

  it('are believed where a third of all is wrong, and what is right stays so', async () => {
    const draw = random(9, 'many errors')
    const kinds = new Map<string, WrongKind>()
    const spoilt = Array.from({ length: 300 }, (_, index) => doubted(madePicture(index))).map((picture) => {
      let { boxes } = picture
      for (let thing = 0; thing < 4; thing++) {
        if (draw.next() > 0.35) continue
        const kind = draw.pick(wrongKinds.filter((one) => one !== 'swapped'))
        const made = spoilers[kind]({ ...picture, boxes }, thing, draw)
        if (!made) continue
        boxes = [...made.boxes]
        kinds.set(`${picture.key}/${made.at}`, kind)
      }
      return { ...picture, boxes }
    })
    const many = await fitDoubt(spoilt, 1)
    const weights: Record<WrongKind | 'right', number[]> = {
      right: [],
      misplaced: [],
      swapped: [],
      extra: [],
    }
    for (const picture of spoilt)
      many.boxes(picture).forEach((said, at) => {
        weights[kinds.get(`${picture.key}/${at}`) ?? 'right'].push(said?.right ?? 1)
      })
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(weights.misplaced.length).toBeGreaterThan(100)
    expect(weights.extra.length).toBeGreaterThan(100)
    expect(mean(weights.right)).toBeGreaterThan(0.9)
    expect(mean(weights.misplaced)).toBeLessThan(0.2)
    expect(mean(weights.extra)).toBeLessThan(0.2)
  })
})
