import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readYaml } from '../../../src/base/files/parse-yaml.js'
import { jsonProblem, parseJson } from '../../../src/base/parse-json.js'
import { UserError } from '../../../src/base/user-error.js'
import { readCard } from '../../../src/ingest/open-source.js'
import { readPipeline } from '../../../src/pipeline/read-pipeline.js'
import { type FuzzTarget, jsonSample } from '../target.js'

/** Configurations in YAML and JSON. */
export async function configTargets(folder: string): Promise<FuzzTarget[]> {
  const root = new URL('../../../', import.meta.url).pathname
  const pipelines = ['pipelines/self-training.yaml', 'pipelines/cc3m.yaml']
  const cards = ['datasets/cc3m.yaml', 'datasets/lvis.yaml', 'datasets/voc2012.yaml']
  const samplesOf = (paths: readonly string[]) => Promise.all(paths.map((path) => readFile(join(root, path))))
  const [pipeline, card, yaml] = ['p.yaml', 'card.yaml', 'any.yaml'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  return [
    {
      name: 'pipeline',
      samples: await samplesOf(pipelines),
      file: pipeline,
      read: () => readPipeline(pipeline, { set: ['list=a.tsv', 'model=m'] }),
    },
    { name: 'card', samples: await samplesOf(cards), file: card, read: () => readCard(card) },
    { name: 'YAML', samples: await samplesOf(cards), file: yaml, read: () => readYaml(yaml) },
    {
      name: 'JSON',
      samples: [jsonSample({ a: [1, { b: null, c: '\u00e1' }], d: -0.5e9 })],
      read: async (bytes) => {
        try {
          parseJson(Buffer.from(bytes).toString('utf8'))
        } catch (error) {
          // What JSON.parse throws; who calls it says where.
          if (!(error instanceof SyntaxError)) throw error
          throw new UserError(jsonProblem(Buffer.from(bytes).toString('utf8'), error))
        }
      },
    },
  ]
}
