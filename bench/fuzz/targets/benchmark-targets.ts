import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDetections } from '../../../src/evaluate/benchmark-ids.js'
import { readDetectionTruth } from '../../../src/evaluate/read-detection-truth.js'
import { readSacoTruth } from '../../../src/evaluate/saco.js'
import { type FuzzTarget, jsonSample } from '../target.js'

/** The JSON that is not a source's: truth and answers of benchmarks. */
export async function benchmarkTargets(folder: string): Promise<FuzzTarget[]> {
  const truth = {
    images: [
      {
        id: 1,
        width: 40,
        height: 30,
        file_name: 'a.jpg',
        not_exhaustive_category_ids: [],
        neg_category_ids: [7],
      },
    ],
    categories: [{ id: 7, name: 'dog', frequency: 'f' }],
    annotations: [{ id: 1, image_id: 1, category_id: 7, bbox: [1, 2, 3, 4], area: 12, iscrowd: 0 }],
  }
  const answers = [{ image_id: 1, category_id: 7, bbox: [1, 2, 3, 4], score: 0.5 }]
  const asked = {
    images: [
      { id: 1, width: 40, height: 30, file_name: 'a.jpg', text_input: 'a dog', is_instance_exhaustive: 1 },
    ],
    annotations: [{ id: 1, image_id: 1, bbox: [0.1, 0.1, 0.2, 0.2], category_id: 1 }],
  }
  const [truthPath, answerPath, askedPath] = ['truth.json', 'answers.json', 'asked.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  const goodTruth = join(folder, 'good-truth.json')
  await writeFile(goodTruth, JSON.stringify(truth))
  const good = await readDetectionTruth(goodTruth)
  return [
    {
      name: 'truth of COCO',
      samples: [jsonSample(truth)],
      file: truthPath,
      read: () => readDetectionTruth(truthPath),
    },
    {
      name: 'truth of LVIS',
      samples: [jsonSample(truth)],
      file: truthPath,
      read: () => readDetectionTruth(truthPath, 'lvis'),
    },
    {
      name: 'answers of a benchmark',
      samples: [jsonSample(answers)],
      file: answerPath,
      read: () => readDetections(answerPath, good, 'boxes'),
    },
    {
      name: 'truth of SA-Co',
      samples: [jsonSample(asked)],
      file: askedPath,
      read: () => readSacoTruth([askedPath]),
    },
  ]
}
