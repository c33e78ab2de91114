import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readExpressionAnswers, readSentenceAnswers } from '../../src/evaluate/phrase-answers.js'
import { readRefer } from '../../src/evaluate/refer.js'
import { readReferences } from '../../src/formats/refcoco-references.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const path = join(folder, 'answers.json')
const write = (value: unknown) => writeFile(path, typeof value === 'string' ? value : JSON.stringify(value))
const box = [1, 2, 3, 4]

describe('answers about sentences', () => {
  const read = async (value: unknown) => {
    await write(value)
    return readSentenceAnswers(path, ['7', '8'])
  }
  const answer = (more: object = {}) => ({ image_id: 7, sentence_id: 0, boxes: [[box], []], ...more })

  it('are of pictures and sentences by number or text, with numbers that may be texts', async () => {
    const boxes = [[[1, 2, 3, 4]], []]
    const values = [
      answer(),
      answer({ image_id: '8.0', sentence_id: '1', boxes: [[['1', 2, '3.0', 4]], []] }),
    ]
    expect(await read(values)).toEqual([
      { image: '7', sentence: 0, boxes },
      { image: '8', sentence: 1, boxes },
    ])
  })

  it.each([
    [{ boxes: null }, '[0].boxes: expected for each phrase a list of boxes'],
    [{ boxes: { a: 1 } }, '[0].boxes: expected for each phrase a list of boxes'],
    [{ boxes: [[box], box] }, 'that of phrase 1 is none'],
    [{ boxes: [[[1, 2, 3]]] }, 'that of phrase 0 is none'],
    [{ boxes: [[box], null] }, 'that of phrase 1 is none'],
    [{ sentence_id: null }, '[0].sentence_id: expected the place of a sentence'],
    [{ sentence_id: 0.5 }, '[0].sentence_id: expected the place of a sentence'],
    [{ image_id: null }, '[0].image_id: expected the name of a picture'],
    [{ image_id: '7.jpg' }, 'answers about 1 picture that the split does not have: 7.jpg'],
  ])('are refused with their place where they are none: %j', async (more, message) => {
    await expect(read([answer(more)])).rejects.toThrow(message)
  })

  it('of which a number is NaN are refused', async () => {
    await expect(read('[{"image_id": 7, "sentence_id": 0, "boxes": [[[NaN, 1, 2, 3]]]}]')).rejects.toThrow(
      'that of phrase 0 is none',
    )
  })
})

describe('answers about expressions', () => {
  const read = async (value: unknown) => {
    const notices: string[] = []
    await write(value)
    return { answers: await readExpressionAnswers(path, ['1', '2'], (text) => notices.push(text)), notices }
  }

  it('are told of where some are missing, which are wrong', async () => {
    const { answers, notices } = await read([{ sent_id: '1', bbox: ['1', 2, 3, 4] }])
    expect(answers).toEqual(new Map([['1', box]]))
    expect(notices).toEqual([`${path}: 1 of 2 expressions have no answer: they are wrong.`])
  })

  it.each([
    [[{ sent_id: 1, bbox: null }], '[0].bbox: expected x1 y1 x2 y2'],
    [[{ sent_id: 1, bbox: [box] }], '[0].bbox: expected x1 y1 x2 y2'],
    [[{ sent_id: 1, bbox: [1, 2, 3] }], '[0].bbox: expected x1 y1 x2 y2'],
    [[{ sent_id: null, bbox: box }], '[0].sent_id: expected an id'],
    [[null], '[0]: expected a list of objects with sent_id, bbox'],
    [
      [
        { sent_id: 1, bbox: box },
        { sent_id: '1', bbox: box },
      ],
      '[1].sent_id: expression 1 has several answers',
    ],
  ])('are refused with their place where they are none: %j', async (value, message) => {
    await expect(read(value)).rejects.toThrow(message)
  })
})

describe('expressions', () => {
  const references = (sentences: unknown[]) => [
    { ann_id: 1, image_id: 1, split: 'val', sentences },
    { ann_id: 2, image_id: 1, split: 'test', sentences: [] },
  ]

  it('that cannot be read are kept to be told of, and texts are sentences', async () => {
    await write(references([{ sent: null, sent_id: 5 }, 'the dog']))
    const { references: read } = await readReferences(path, 'val')
    expect(read[0]?.sentences).toEqual([
      { sent: undefined, sent_id: '5' },
      { sent: 'the dog', sent_id: undefined },
    ])
  })

  // Pickles of protocol 0 are text: a list of one reference to annotation 1, with one sentence.
  const pickle = (sentence: string) =>
    `(lp0\n(dp1\nVann_id\np2\nI1\nsVimage_id\np3\nI1\nsVsplit\np4\nVval\np5\nsVsentences\np6\n(lp7\n${sentence}asa.`
  const whole = '(dp8\nVsent\np9\nVthe dog\np10\nsVsent_id\np11\nI1\ns'
  const instances = (more: object) => ({ annotations: [{ id: 1, image_id: 1, bbox: [1, 2, 3, 4], ...more }] })

  it.each([
    [whole, {}, undefined],
    [
      '(dp8\nVsent\np9\nNsVsent_id\np11\nI1\ns',
      {},
      'annotation 1 of picture 1: sentences[0].sent: expected a text',
    ],
    ['Vthe dog\np10\n', {}, 'annotation 1 of picture 1: sentences[0]: there is no sent_id'],
    [whole, { bbox: null }, 'annotation 1 of picture 1 has no bbox in'],
    [whole, { id: 9 }, 'annotation 1 of picture 1 is not in'],
  ])('are all scored, or refused: %#', async (sentence, more, message) => {
    await writeFile(join(folder, 'refs(unc).p'), pickle(sentence))
    await writeFile(join(folder, 'instances.json'), JSON.stringify(instances(more)))
    const read = readRefer(folder, 'unc', 'val')
    if (message) await expect(read).rejects.toThrow(message)
    else expect(await read).toEqual([{ id: '1', text: 'the dog', file: undefined, target: [1, 2, 4, 6] }])
  })
})
