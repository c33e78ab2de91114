import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readJudgements } from '../../../src/audit/judgements.js'
import { readHashList } from '../../../src/dedup/read-hash-list.js'
import { readCalibration } from '../../../src/filter/calibration-file.js'
import { calibrated } from '../../../src/filter/rule/calibration.js'
import { readSynonyms } from '../../../src/words/read-synonyms.js'
import { readRecipe } from '../../../src/world/recipe.js'
import { type FuzzTarget, jsonSample, textSample } from '../target.js'

const calibration = (method: object) => ({
  version: 1,
  teacher: 'a',
  calibration: method,
  judged: 100,
  ece: { before: 0.2, after: 0.1 },
  bins: [{ count: 10, score: 0.5, right: 0.4 }],
})

const judged = {
  key: 'a',
  caption: 0,
  start: 0,
  end: 5,
  xyxy: [1, 2, 3, 4],
  stratum: 'new 0.5',
  population: 12,
  right: true,
  missed: 0,
}

/** Lists and files that a configuration or an option names. */
export async function listTargets(folder: string): Promise<FuzzTarget[]> {
  const place = (name: string) => join(folder, name)
  const recipe = await readFile(new URL('../../../datasets/toy.yaml', import.meta.url))
  return [
    {
      name: 'list: calibration',
      samples: [
        jsonSample(calibration({ method: 'isotonic', scores: [0.1, 0.5, 0.9], shares: [0, 0.4, 1] })),
        jsonSample(calibration({ method: 'temperature', temperature: 1.5 })),
      ],
      file: place('calibration.json'),
      async read() {
        const read = await readCalibration(place('calibration.json'))
        for (const score of [0, 0.3, 1])
          if (!Number.isFinite(calibrated(read.calibration, score))) throw new Error(`${score} has no value`)
      },
    },
    {
      name: 'list: judgements',
      samples: [
        textSample(
          [judged, { ...judged, xyxy: null, right: null }, judged]
            .map((one) => `${JSON.stringify(one)}\n`)
            .join(''),
        ),
      ],
      file: place('judged.jsonl'),
      read: () => readJudgements(place('judged.jsonl')),
    },
    {
      name: 'list: hashes of pictures',
      samples: [textSample('# a set\n0123456789abcdef one\n\nfedcba9876543210 two of\n00ff00ff00ff00ff\n')],
      file: place('hashes.txt'),
      async read() {
        const { hashes, nameOf } = await readHashList(place('hashes.txt'))
        for (const at of hashes.keys()) nameOf(at)
      },
    },
    {
      name: 'list: synonyms',
      samples: [textSample('person: [goalkeeper, child]\n"a dog": [puppy]\ncar:\n  - taxi\n')],
      file: place('synonyms.yaml'),
      read: () => readSynonyms(place('synonyms.yaml')),
    },
    {
      name: 'list: recipe of a world',
      samples: [recipe],
      file: place('recipe.yaml'),
      read: () => readRecipe(place('recipe.yaml')),
    },
  ]
}
