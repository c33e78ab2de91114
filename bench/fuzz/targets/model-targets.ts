import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { readModelConfig } from '../../../src/model/model-folder.js'
import { readTokenizer } from '../../../src/model/word-piece.js'
import { checkTeacherFolder } from '../../../src/teacher/open-teacher.js'
import { readRegionScorer } from '../../../src/teacher/region-scorer.js'
import { readTextEncoder } from '../../../src/teacher/text-encoder.js'
import { tinyConfig } from '../../../test/helpers/tiny-glip.js'
import { type FuzzTarget, filesBelow, jsonSample, textSample } from '../target.js'

/** Folders of each family, and what reads them without opening their models. */
const families: readonly (readonly [folder: string, read: (copy: string) => Promise<unknown>])[] = [
  ...['detr', 'rt_detr', 'rt_detr_v2', 'owlvit', 'owlv2', 'grounding-dino', 'torchvision'].map(
    (name) => [`teacher/fixtures/${name}`, (copy: string) => checkTeacherFolder(copy)] as const,
  ),
  ['filter/fixtures/sentence', readTextEncoder],
  ['filter/fixtures/clip', readRegionScorer],
]

/** What sentence-transformers writes beside a model. */
const besideSentences: Readonly<Record<string, unknown>> = {
  'modules.json': [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
  ],
  'sentence_bert_config.json': { max_seq_length: 128, do_lower_case: false },
  'config_sentence_transformers.json': { prompts: { query: '' }, default_prompt_name: null },
  '1_Pooling/config.json': { word_embedding_dimension: 16, pooling_mode_mean_tokens: true },
}

/** Files of model folders, each beside the others as they should be. */
export async function modelTargets(folder: string): Promise<FuzzTarget[]> {
  const tests = new URL('../../../test/', import.meta.url).pathname
  const targets: FuzzTarget[] = []
  for (const [fixture, read] of families) {
    const family = fixture.slice(fixture.lastIndexOf('/') + 1)
    const copy = join(folder, family)
    for (const path of await filesBelow(join(tests, fixture))) {
      const to = join(copy, relative(join(tests, fixture), path))
      await mkdir(dirname(to), { recursive: true })
      await writeFile(to, await readFile(path))
    }
    if (family === 'sentence')
      for (const [name, value] of Object.entries(besideSentences)) {
        await mkdir(dirname(join(copy, name)), { recursive: true })
        await writeFile(join(copy, name), JSON.stringify(value))
      }
    for (const name of await readdir(copy, { recursive: true })) {
      if (!name.endsWith('.json')) continue
      const file = join(copy, name)
      targets.push({
        name: `model ${family}: ${name}`,
        samples: [await readFile(file)],
        file,
        read: () => read(copy),
      })
    }
  }
  // As transformers 5 writes it, in the place of the older file.
  const owl = join(folder, 'owlv2')
  const nested = JSON.parse(await readFile(join(owl, 'preprocessor_config.json'), 'utf8')) as object
  targets.push({
    name: 'model owlv2: processor_config.json',
    samples: [jsonSample({ processor_class: 'Owlv2Processor', image_processor: nested })],
    file: join(owl, 'processor_config.json'),
    read: () => checkTeacherFolder(owl),
  })
  const own = join(folder, 'own')
  await mkdir(own)
  const [config, tokenizer, words] = ['config.json', 'tokenizer.json', 'vocab.txt'].map((name) =>
    join(own, name),
  ) as [string, string, string]
  const wordPiece = await readFile(join(folder, 'grounding-dino', 'tokenizer.json'), 'utf8')
  const { vocab } = (JSON.parse(wordPiece) as { model: { vocab: Record<string, number> } }).model
  const inOrder = Object.entries(vocab).sort(([, a], [, b]) => a - b)
  targets.push(
    {
      name: 'model groundmill-glip: config.json',
      samples: [jsonSample(tinyConfig)],
      file: config,
      read: () => readModelConfig(own),
    },
    {
      name: 'tokenizer.json',
      samples: [textSample(wordPiece)],
      file: tokenizer,
      read: () => readTokenizer(tokenizer),
    },
    {
      name: 'vocab.txt',
      samples: [textSample(inOrder.map(([token]) => `${token}\n`).join(''))],
      file: words,
      read: () => readTokenizer(words),
    },
  )
  return targets
}
