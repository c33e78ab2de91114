import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutPicture } from '../../../src/review/exchange/exchange-format.js'
import { exchangeFormatNames, exchangeFormats } from '../../../src/review/exchange/exchange-formats.js'
import { readExchange, writeExchange } from '../../../src/review/exchange/exchange-record.js'
import { numbered } from '../../../src/review/exchange/exported-picture.js'
import { returnedVerdicts } from '../../../src/review/exchange/returned-verdicts.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { type FuzzTarget, textSample } from '../target.js'

const id = '0a1b2c3d'
const pictures = numbered(
  ['000000000', '000000001'].map((key) => ({
    ...{ key, width: 40, height: 30, captions: ['a dog & a "cat"', 'é'] },
    phrases: [
      { caption: 0, start: 0, end: 5, text: 'a dog' },
      { caption: 0, start: 8, end: 15, text: 'a "cat"' },
    ],
    boxes: [
      { phrase: 0, xyxy: [1.5, 2, 20, 25] as const, score: 0.5 },
      { phrase: 1, xyxy: [20.25, 2, 39, 25] as const, score: 0.25 },
    ],
  })),
)
const record = { id, grounding: 'found', pictures: new Map(pictures.map((one) => [one.key, one])) }

/** What labelling tools give back, and what is kept of what they were given. */
export async function exchangeTargets(folder: string): Promise<FuzzTarget[]> {
  const out = pictures.map((one): OutPicture => ({ ...one, name: `${one.key}.jpg`, address: 'a.jpg' }))
  const tools = exchangeFormatNames.map((format): FuzzTarget => {
    const { write, read } = exchangeFormats[format]
    const text = [...write({ id, dataset: 'd', grounding: 'found', pictures: out })].join('')
    const answered = format === 'label-studio' ? text.replaceAll('"predictions":', '"annotations":') : text
    const file = join(folder, format)
    return {
      name: `review import ${format}`,
      samples: [textSample(answered)],
      file,
      async read() {
        for await (const one of read(file, async () => record))
          if ('returned' in one) returnedVerdicts(one.returned)
      },
    }
  })
  const storage = openStorage(join(folder, 'data'))
  await writeExchange(storage, { ...record, pictures })
  const file = storage.path(`exchanges/${id}.jsonl`)
  const kept: FuzzTarget = {
    name: 'review export, kept in a dataset',
    samples: [await readFile(file)],
    file,
    read: () => readExchange(storage, id),
  }
  return [...tools, kept]
}
