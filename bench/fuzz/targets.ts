/** The readers of strangers' bytes, each as what is done with one file. */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { readYaml } from '../../src/base/files/parse-yaml.js'
import { jsonProblem, parseJson } from '../../src/base/parse-json.js'
import { UserError } from '../../src/base/user-error.js'
import { checkDataset } from '../../src/catalog/check-dataset.js'
import { readStats } from '../../src/catalog/read-stats.js'
import { readDetections } from '../../src/evaluate/benchmark-ids.js'
import { readDetectionTruth } from '../../src/evaluate/read-detection-truth.js'
import { readSacoTruth } from '../../src/evaluate/saco.js'
import { ingestConfig } from '../../src/ingest/config.js'
import { Reject } from '../../src/ingest/fetch/reject.js'
import { imageConfig } from '../../src/ingest/image/image-config.js'
import { normaliseImage } from '../../src/ingest/image/normalise-image.js'
import { openSource, readCard } from '../../src/ingest/open-source.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import { readModelConfig } from '../../src/model/model-folder.js'
import { readTokenizer } from '../../src/model/word-piece.js'
import { causeOf } from '../../src/parquet/open-parquet.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { families } from '../../src/rows/family-path.js'
import { readDataset } from '../../src/shards/dataset.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { openWeightFile } from '../../src/weights/open-weight-file.js'
import { readPlainPickle } from '../../src/weights/read-plain-pickle.js'
import { oddImages } from '../../test/helpers/odd-images.js'
import { parquetFixtures, parquetRows } from '../../test/helpers/parquet-fixtures.js'
import { makeSmallDataset } from '../../test/helpers/small-dataset.js'
import { sourceSamples } from '../../test/helpers/source-samples.js'
import { tinyConfig } from '../../test/helpers/tiny-glip.js'

export interface FuzzTarget {
  /** Kind of file and reader, such as `source coco instances.json`. */
  readonly name: string
  /** Good files, which inputs are made of. */
  readonly samples: readonly Uint8Array[]
  /** Reads an input as the program does; what it throws is the outcome. */
  read(bytes: Uint8Array): Promise<void>
}

/** Reads a target's file with others' bytes in its place; after that it is as it was, for the other targets. */
const throughFile =
  (path: string, read: () => Promise<unknown>): FuzzTarget['read'] =>
  async (bytes) => {
    const good = await readFile(path).catch(() => undefined)
    await writeFile(path, bytes)
    try {
      await read()
    } finally {
      if (good) await writeFile(path, good)
      else await rm(path)
    }
  }

/** More rows than any sample has: more come of bytes that were doubled. */
const mostRows = 3000

async function readSource(given: object): Promise<void> {
  const source = await openSource(ingestConfig.parse(given))
  try {
    await planIngest(source)
    let rows = 0
    for await (const _ of source.rows()) if (++rows === mostRows) break
  } finally {
    await source.close()
  }
}

/** Files below a folder, or the file itself. */
async function filesBelow(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** One target for each kind of file of each source: of many files alike (labels, XML) the first. */
async function sourceTargets(folder: string): Promise<FuzzTarget[]> {
  const samples = await sourceSamples(folder)
  const targets: FuzzTarget[] = []
  for (const [name, given] of Object.entries(samples)) {
    const named = Object.entries(given).filter(
      ([key, value]) => typeof value === 'string' && value.startsWith(folder) && key !== 'images',
    ) as [string, string][]
    if (name === 'glip-tsv') named.push(['images', (given as unknown as { images: string }).images])
    const kinds = new Map<string, string>()
    for (const [, path] of named)
      for (const file of await filesBelow(path)) {
        const kind = relative(folder, file).replace(/\d+/g, 'N')
        if (!kinds.has(kind)) kinds.set(kind, file)
      }
    for (const [kind, path] of kinds) {
      // What a picture holds is for the readers of pictures.
      if (/\.jpg$/.test(kind)) continue
      targets.push({
        name: `source ${name}: ${basename(kind)}`,
        samples: [await readFile(path)],
        read: throughFile(path, () => readSource(given)),
      })
    }
  }
  return targets
}

/** Parquet of pyarrow, of all its types and codecs. */
async function parquetTargets(): Promise<FuzzTarget[]> {
  const samples = (await parquetFixtures()).map(({ bytes }) => bytes)
  return [
    {
      name: 'parquet of pyarrow',
      samples: samples.filter(({ length }) => length < 20_000),
      read: async (bytes) => {
        try {
          await parquetRows(bytes)
        } catch (error) {
          // Whoever reads a file says which it is, and that it is damaged, for this reason.
          throw new UserError(causeOf(error))
        }
      },
    },
  ]
}

/** Weights of torch and safetensors: all names, and the values of all that are small. */
async function readWeights(path: string): Promise<void> {
  const file = await openWeightFile(path)
  try {
    for (const tensor of file.tensors.values()) await tensor.read()
  } finally {
    await file.close()
  }
}

async function weightTargets(folder: string): Promise<FuzzTarget[]> {
  const torch = new URL('../../test/weights/fixtures/torch/', import.meta.url)
  const names = (await readdir(torch)).filter((name) => /\.(pth|pt|bin)$/.test(name))
  const checkpoints = await Promise.all(names.map((name) => readFile(new URL(name, torch))))
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
    }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const safetensors = Buffer.concat([length, header, Buffer.alloc(32, 1)])
  const [torchPath, safePath] = [join(folder, 'model.pth'), join(folder, 'model.safetensors')]
  const pickles = JSON.parse(
    await readFile(new URL('../../test/weights/fixtures/pickles.json', import.meta.url), 'utf8'),
  ) as unknown
  const plain = [...base64In(pickles)].filter((bytes) => bytes[0] === 0x80)
  return [
    {
      name: 'torch checkpoint',
      samples: checkpoints,
      read: throughFile(torchPath, () => readWeights(torchPath)),
    },
    { name: 'safetensors', samples: [safetensors], read: throughFile(safePath, () => readWeights(safePath)) },
    {
      name: 'plain pickle',
      samples: plain,
      read: async (bytes) => void readPlainPickle(bytes, 'refs.p'),
    },
  ]
}

/** All texts of a value that are base64 of bytes. */
function* base64In(value: unknown): Generator<Uint8Array> {
  if (typeof value === 'string') yield Buffer.from(value, 'base64')
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* base64In(part)
}

async function imageTargets(): Promise<FuzzTarget[]> {
  const config = imageConfig.parse({ max_pixels: 4_000_000 })
  const byFormat = new Map<string, Uint8Array[]>()
  for (const [name, bytes] of Object.entries(await oddImages())) {
    if (bytes.length > 60_000 || bytes.length === 0) continue
    const format = /JPEG|PNG|GIF|WebP|TIFF|AVIF/i.exec(name)?.[0]?.toLowerCase()
    if (!format) continue
    byFormat.set(format, [...(byFormat.get(format) ?? []), bytes])
  }
  return [...byFormat].map(([format, samples]) => ({
    name: `picture ${format}`,
    samples,
    read: async (bytes) => void (await normaliseImage(bytes, `a.${format}`, config)),
  }))
}

/** The JSON that is not a source's: truth and answers of benchmarks. */
async function evaluateTargets(folder: string): Promise<FuzzTarget[]> {
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
    images: [{ id: 1, width: 40, height: 30, file_name: 'a.jpg', text_input: 'a dog' }],
    annotations: [{ id: 1, image_id: 1, bbox: [0.1, 0.1, 0.2, 0.2], category_id: 1 }],
  }
  const [truthPath, answerPath, askedPath] = ['truth.json', 'answers.json', 'asked.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  const sampleOf = (value: unknown) => [new Uint8Array(Buffer.from(JSON.stringify(value)))]
  const goodTruth = join(folder, 'good-truth.json')
  await writeFile(goodTruth, JSON.stringify(truth))
  const good = await readDetectionTruth(goodTruth)
  return [
    {
      name: 'truth of COCO',
      samples: sampleOf(truth),
      read: throughFile(truthPath, () => readDetectionTruth(truthPath)),
    },
    {
      name: 'truth of LVIS',
      samples: sampleOf(truth),
      read: throughFile(truthPath, () => readDetectionTruth(truthPath, 'lvis')),
    },
    {
      name: 'answers of a benchmark',
      samples: sampleOf(answers),
      read: throughFile(answerPath, () => readDetections(answerPath, good, 'boxes')),
    },
    {
      name: 'truth of SA-Co',
      samples: sampleOf(asked),
      read: throughFile(askedPath, () => readSacoTruth([askedPath])),
    },
  ]
}

/** Files of a model folder, each with the others as they should be. */
async function modelTargets(folder: string): Promise<FuzzTarget[]> {
  const fixtures = new URL('../../test/teacher/fixtures/', import.meta.url).pathname
  const targets: FuzzTarget[] = []
  for (const family of ['detr', 'owlvit', 'grounding-dino', 'torchvision']) {
    const copy = join(folder, family)
    for (const path of await filesBelow(join(fixtures, family))) {
      const to = join(copy, relative(join(fixtures, family), path))
      await mkdir(dirname(to), { recursive: true })
      await writeFile(to, await readFile(path))
    }
    for (const name of await readdir(copy)) {
      if (!name.endsWith('.json')) continue
      const path = join(copy, name)
      const sample = await readFile(path)
      targets.push({
        name: `model ${family}: ${name}`,
        samples: [sample],
        read: throughFile(path, async () => {
          const teacher = await openTeacher(copy, { threads: 1 })
          await teacher.close()
        }),
      })
    }
  }
  const own = join(folder, 'own')
  await mkdir(own)
  targets.push({
    name: 'model groundmill-glip: config.json',
    samples: [new Uint8Array(Buffer.from(JSON.stringify(tinyConfig)))],
    read: throughFile(join(own, 'config.json'), () => readModelConfig(own)),
  })
  const tokenizer = join(copyOf(folder, 'grounding-dino'), 'tokenizer.json')
  targets.push({
    name: 'tokenizer.json',
    samples: [await readFile(tokenizer)],
    read: throughFile(join(own, 'tokenizer.json'), () => readTokenizer(join(own, 'tokenizer.json'))),
  })
  return targets
}

const copyOf = (folder: string, family: string) => join(folder, family)

/** Every row of every family of a dataset, and what commands say of it. */
async function readDatasetWhole(url: string): Promise<void> {
  const storage = openStorage(url)
  const { shards } = await readDataset(storage)
  await readStats(url)
  const stages = ['s', 'chunk', 'label-1', 'round-1']
  for (const family of families)
    for (const stage of family === 'images' ? [null] : stages)
      for (const shard of shards.slice(0, 1)) {
        try {
          for await (const _ of readShard(storage, family, stage, shard));
        } catch (error) {
          // A family that the stage does not have.
          if (!(error instanceof UserError)) throw error
        }
      }
}

/** Records, lists and shards of a dataset that came from somewhere else. */
async function datasetTargets(folder: string): Promise<FuzzTarget[]> {
  const { url, storage } = await makeSmallDataset(folder)
  const all = (await filesBelow(url)).map((path) => relative(url, path)).sort()
  const first = (pattern: RegExp) => all.find((path) => pattern.test(path))
  const names = [
    'dataset.json',
    first(/^images\/00000.*\.json$/),
    first(/^grounding\/round-1\/00000.*\.json$/),
    first(/^proposals\/.*\.json$/),
    first(/^grounding\/round-1\/00000.*\.parquet$/),
    first(/^phrases\/chunk\/00000.*\.parquet$/),
    first(/^rejects\/.*\.parquet$/),
  ].filter((name) => name !== undefined)
  const targets: FuzzTarget[] = []
  for (const name of names) {
    const path = join(url, name)
    const good = await readFile(path)
    targets.push({
      name: `dataset: ${name.replace(/-[0-9a-f]{16,}/, '')}`,
      samples: [good],
      read: async (bytes) => {
        await writeFile(path, bytes)
        try {
          await readDatasetWhole(url)
          await checkDataset(storage, { deep: true, mend: false, onFinding() {} })
        } finally {
          await writeFile(path, good)
        }
      },
    })
  }
  return targets
}

async function configTargets(folder: string): Promise<FuzzTarget[]> {
  const root = new URL('../../', import.meta.url).pathname
  const pipelines = ['pipelines/self-training.yaml', 'pipelines/cc3m.yaml']
  const cards = ['datasets/cc3m.yaml', 'datasets/toy.yaml']
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
      read: throughFile(pipeline, () => readPipeline(pipeline)),
    },
    { name: 'card', samples: await samplesOf(cards), read: throughFile(card, () => readCard(card)) },
    { name: 'YAML', samples: await samplesOf(cards), read: throughFile(yaml, () => readYaml(yaml)) },
    {
      name: 'JSON',
      samples: [new Uint8Array(Buffer.from(JSON.stringify({ a: [1, { b: null, c: '\u00e1' }], d: -0.5e9 })))],
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

/** Whether what was thrown is a refusal that was meant: of a row or of what the user gave. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof UserError || error instanceof Reject

/** All readers; their files lie below a folder, which is there. */
export async function fuzzTargets(folder: string, only = ''): Promise<FuzzTarget[]> {
  const roomOf = async (name: string) => {
    const room = join(folder, name)
    await mkdir(room, { recursive: true })
    return room
  }
  const all = [
    ...(await sourceTargets(await roomOf('sources'))),
    ...(await parquetTargets()),
    ...(await weightTargets(await roomOf('weights'))),
    ...(await imageTargets()),
    ...(await evaluateTargets(await roomOf('evaluate'))),
    ...(await modelTargets(await roomOf('models'))),
    ...(await datasetTargets(await roomOf('dataset'))),
    ...(await configTargets(await roomOf('config'))),
  ]
  return all.filter(({ name }) => name.includes(only))
}
