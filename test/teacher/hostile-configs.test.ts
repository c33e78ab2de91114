import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { setNested } from '../../src/base/set-option.js'
import { writeModelFolder } from '../../src/model/model-folder.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { boundedCommands } from '../helpers/bounded-commands.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { tinyOfficial, tinyOfficialSpecs } from '../helpers/tiny-official.js'

const folder = await temporaryFolder()
const dataset = join(folder, 'dataset')
const storage = openStorage(dataset)
const grey = { create: { width: 64, height: 64, channels: 3, background: '#888' } } as const
const text = 'a dog'
await createDataset(storage, { name: 'd', card: null, shards: ['00000'] })
await putShard(storage, 'images', null, '00000', [
  {
    ...{ key: '0', image: { bytes: await sharp(grey).jpeg().toBuffer(), path: null }, width: 64, height: 64 },
    ...{ captions: [{ text, kind: 'web' }], url: null, sha256: '', phash: '', license: null, meta: null },
  },
])
const phrase = { caption: 0, text, start: 0, end: 5, head: 'dog' }
await putShard(storage, 'phrases', 'chunk', '00000', [{ key: '0', phrases: [phrase] }])

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'cat', 'dog']
const toy = join(folder, 'toy')
const draw = random('hostile')
await writeModelFolder(toy, {
  config: tinyOfficial,
  vocabulary: new Map(words.map((word, index) => [word, index])),
  parameters: tinyOfficialSpecs.map(({ name, shape }) => ({
    ...{ name, shape },
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.normal() * 0.4),
  })),
  card: '# tiny',
  batch: 1,
})

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

interface Wrong {
  /** The folder's own, which is copied. */
  readonly model: string
  readonly file: string
  /** Of what is set, with a dot for each level. */
  readonly key: string
  readonly value: unknown
}

const numbers = ['a', 1e9, -1, 0.5, null, [64], 1e308]
const ofToy = (key: string, values: readonly unknown[] = numbers) =>
  values.map((value): Wrong => ({ model: toy, file: 'config.json', key, value }))
const of = (model: string, file: string, key: string, values: readonly unknown[]) =>
  values.map((value): Wrong => ({ model: fixture(model), file, key, value }))
const size = { height: 1e9, width: 1e9 }
const wrongs: readonly Wrong[] = [
  ...ofToy('image_size'),
  ...['text.max_tokens', 'text.vocab_size', 'text.hidden', 'backbone.patch', 'fpn.levels'].flatMap((key) =>
    ofToy(key, [1e9, -1, 'a']),
  ),
  ...ofToy('image_sizes', [[[1e9, 64]], [], 'a']),
  ...ofToy('image_std', [[0, 0, 0], 'a']),
  ...ofToy('backbone', ['a', { kind: 'other' }]),
  ...ofToy('selection', [{ threshold: 0.1, level_candidates: 1e12, boxes: 1e12 }]),
  ...of('detr', 'preprocessor_config.json', 'size', [
    1e9,
    size,
    { shortest_edge: 1e9, longest_edge: 1e9 },
    'a',
  ]),
  ...of('detr', 'preprocessor_config.json', 'image_std', [[0, 0, 0], 'a']),
  ...of('detr', 'preprocessor_config.json', 'rescale_factor', ['a', -1]),
  ...of('detr', 'config.json', 'id2label', [{ 99999999999: 'dog' }, 'a', 1e9]),
  ...of('owlvit', 'preprocessor_config.json', 'size', [1e9, size, -1]),
  ...of('owlvit', 'config.json', 'text_config.max_position_embeddings', [1e9, 'a', -1]),
  ...of('grounding-dino', 'config.json', 'max_text_len', [1e9, 'a', -1, 0.5]),
  ...of('grounding-dino', 'tokenizer.json', 'model.vocab', ['a', { dog: 1e15 }, { dog: 'a' }]),
  ...of('owlvit', 'tokenizer.json', 'model.merges', ['a', [1e9]]),
  ...of('mm-grounding-dino', 'config.json', 'max_text_len', [1e9, 'a']),
  ...of('omdet-turbo', 'config.json', 'text_config.max_position_embeddings', [1e9, 'a', 2]),
  ...of('omdet-turbo', 'preprocessor_config.json', 'size', [size, 'a']),
  ...of('sam3', 'config.json', 'text_config.max_position_embeddings', [1e9, -1, 2]),
  ...of('sam3', 'preprocessor_config.json', 'size', [1e9, size]),
  ...of('sam3', 'tokenizer.json', 'model.vocab', ['a']),
  ...of('yolo-world', 'config.json', 'id2label', ['a', { 99999999999: 'dog' }]),
  ...of('yolo-world', 'tokenizer.json', 'model.vocab', ['a', { dog: 1e15 }]),
]
/** Nobody reads it: how many names there are is said by `id2label`. */
const letBe: readonly Wrong[] = of('detr', 'config.json', 'num_labels', [1e9])

const nameOf = ({ model, file, key, value }: Wrong) =>
  `${model.split('/').at(-1)} ${file} ${key} ${JSON.stringify(value)}`

/** A folder with the others' files, and the one that is wrong; the command that teaches with it. */
async function command(wrong: Wrong, number: number): Promise<readonly string[]> {
  const { model, file, key, value } = wrong
  const path = join(folder, `model-${number}`)
  await cp(model, path, { recursive: true })
  const config = JSON.parse(await readFile(join(model, file), 'utf8'))
  setNested(config, { text: key, keys: key.split('.') as [string], value })
  await writeFile(join(path, file), JSON.stringify(config))
  return ['teach', dataset, '--model', path, '--phrases', 'chunk', '--as', `t${number}`]
}

const all = [...wrongs, ...letBe]
const commands = Object.fromEntries(
  await Promise.all(all.map(async (wrong, at) => [nameOf(wrong), await command(wrong, at)] as const)),
)
commands['as it was'] = ['teach', dataset, '--model', toy, '--phrases', 'chunk', '--as', 'toy']

describe('a file of a model that says what no network is', async () => {
  const { ends } = await boundedCommands(commands, { megabytes: 600, seconds: 60 })

  it.each(wrongs.map((wrong) => [nameOf(wrong), wrong] as const))('is refused: %s', (name, { file, key }) => {
    const { code, said } = ends[name]!
    const message = said
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('groundmill: '))
    expect(message).toHaveLength(1)
    expect(message[0]).toContain(file)
    expect(said).toContain(key.split('.').at(-1))
    expect(code).toBe(2)
  })

  it('is let be where nobody reads it', () => {
    for (const name of ['as it was', ...letBe.map(nameOf)]) expect(ends[name]).toMatchObject({ code: 0 })
  })
})
