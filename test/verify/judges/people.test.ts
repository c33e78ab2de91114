import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openReviewLog } from '../../../src/review/review-log.js'
import type { ImageRow, Phrase } from '../../../src/rows/rows.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { AskedPicture } from '../../../src/verify/judge/judge.js'
import { people } from '../../../src/verify/judges/people.js'
import { putShard } from '../../helpers/put-shard.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { newEntry } from '../../review/entries.js'

const phrase = (start: number, end: number, text: string): Phrase => ({
  caption: 0,
  start,
  end,
  text,
  head: text,
})
const box = (xyxy: [number, number, number, number]) => ({ xyxy, score: 0.5, label: null })

const picture: AskedPicture = {
  ...{ key: 'a', bytes: new Uint8Array(), width: 100, height: 80 },
  captions: [{ text: 'a dog, a cat', kind: 'web' }],
  phrases: [phrase(7, 12, 'a cat'), phrase(0, 5, 'a dog')],
  questions: [
    { phrase: 0, words: phrase(7, 12, 'a cat'), boxes: [box([1, 2, 30, 40]), box([50, 50, 60, 60])] },
    { phrase: 1, words: phrase(0, 5, 'a dog'), boxes: [box([0, 0, 9, 9])] },
  ],
}
const cat = { caption: 0, start: 7, end: 12, text: 'a cat' }
const dog = { caption: 0, start: 0, end: 5, text: 'a dog' }

describe('the judge people', () => {
  it('says what holds of a review, in its words and times', async () => {
    const storage = openStorage(join(await temporaryFolder(), 'dataset'))
    const config = { judge: 'people', review: 'first' } as const
    await expect(people.open(config, { storage })).rejects.toThrow('nobody has said anything')
    await putShard(storage, 'images', null, '00000', [image('a'), image('b')])
    const before = await people.inputs(config, { storage, shard: '00000' })
    const log = await openReviewLog(storage, 'first', 'Ann')
    const [, accepted] = await log.append([
      newEntry({ key: 'a', phrase: cat, action: 'reject' }),
      newEntry({ key: 'a', phrase: cat }),
      newEntry({ key: 'a', phrase: cat, action: 'complete', xyxy: null }),
      newEntry({ key: 'a', phrase: dog, action: 'redraw', xyxy: [0, 0, 9, 9], redrawn: [0, 0, 120, 9] }),
      newEntry({ key: 'a', phrase: dog, action: 'add', xyxy: [200, 0, 220, 9] }),
      newEntry({ key: 'a', phrase: { ...dog, end: 4 } }),
      newEntry({ key: 'elsewhere', phrase: cat }),
    ])
    const judge = await people.open(config, { storage })
    expect(await judge.judge(picture)).toEqual({
      verdicts: [
        verdict({ phrase: 0, at: accepted?.at }),
        expect.objectContaining({ phrase: 0, xyxy: null, verdict: 'complete', probability: 1 }),
        expect.objectContaining({ phrase: 1, verdict: 'redraw', probability: 0, redrawn: [0, 0, 100, 9] }),
      ],
      unanswered: [
        expect.objectContaining({ boxes: 0, reason: 'outside' }),
        expect.objectContaining({
          boxes: 0,
          reason: 'no_phrase',
          detail: expect.stringContaining('"a dog"'),
        }),
        { boxes: 1, reason: 'not_reviewed', detail: 'nobody has said anything of them' },
      ],
    })
    const after = await people.inputs(config, { storage, shard: '00000' })
    expect(after).not.toEqual(before)
    await log.append([newEntry({ key: 'elsewhere', phrase: cat, action: 'reject' })])
    expect(await people.inputs(config, { storage, shard: '00000' })).toEqual(after)
    await log.append([newEntry({ key: 'a', phrase: cat, action: 'relabel', words: { start: 9, end: 12 } })])
    expect(await people.inputs(config, { storage, shard: '00000' })).not.toEqual(after)
    const again = await (await people.open(config, { storage })).judge(picture)
    expect(again.verdicts[0]).toMatchObject({ verdict: 'accept', start: 9, end: 12 })
  })
})

const verdict = (changes: object) => ({
  ...{ xyxy: [1, 2, 30, 40], verdict: 'accept', probability: 1, redrawn: null, start: null, end: null },
  ...{ judge: 'Ann', person: true, reason: null, ...changes },
})

const image = (key: string): ImageRow => ({
  ...{ key, image: { bytes: new Uint8Array([1]), path: null }, width: 100, height: 80, captions: [] },
  ...{ url: null, sha256: '', phash: '0'.repeat(16), license: null, meta: null },
})
