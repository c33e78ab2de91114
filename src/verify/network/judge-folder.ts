import { join } from 'node:path'
import { z } from 'zod'
import { parseConfig } from '../../base/files/parse-config.js'
import { readTextIfThere } from '../../base/files/read-file.js'
import { jsonOf } from '../../base/files/read-json.js'
import { writeFileAtomic } from '../../base/files/write-file-atomic.js'
import { shownValue } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { sigmoid } from '../../graph/ops/activation.js'
import { toOnnx } from '../../graph/to-onnx.js'
import { localModelFolder } from '../../model/fetch-onnx.js'
import { hashModelFiles } from '../../model/hash-model-files.js'
import { checkOnnxFile } from '../../weights/check-onnx-file.js'
import { type NamedArray, writeSafetensors } from '../../weights/safetensors.js'
import { besideFactCount } from './beside-facts.js'
import { judgeInputs, judgeNetwork } from './judge-network.js'
import type { JudgeWords } from './judge-words.js'
import { setFactCount } from './set-facts.js'

const modelType = 'groundmill-judge'
/** Boxes that a model file takes in one run. */
export const judgeBatch = 32

const size = z.int().positive().max(4096)
const logistic = (facts: number) =>
  z.object({ weights: z.array(z.number()).length(facts).readonly(), bias: z.number() })

const schema = z.object({
  model_type: z.literal(modelType),
  network: z.object({
    crop: size.max(512),
    widths: z.tuple([size, size, size]).readonly(),
    word_width: size,
    width: size,
    max_words: size.max(512),
    vocabulary_size: z.int().positive().max(1_000_000),
  }),
  /** Of `besideFacts`. */
  right: z.object({ known: logistic(besideFactCount), unknown: logistic(besideFactCount) }),
  /** Of `setFacts`. */
  complete: logistic(setFactCount),
})

/** What a judge's folder says of it, besides its weights. */
export type JudgeFacts = Omit<z.infer<typeof schema>, 'model_type'>

export interface JudgeModelFolder extends JudgeFacts {
  readonly words: JudgeWords
  readonly parameters: readonly NamedArray[]
  /** The text of its card. */
  readonly card: string
}

const files = ['config.json', 'words.json', 'model.onnx', 'model.safetensors']

/**
 * Writes a folder: `model.onnx` with its weights in `model.safetensors`, `words.json`, the card, and `config.json`,
 * which comes last: without it the folder is no judge.
 */
export async function writeJudgeFolder(folder: string, judge: JudgeModelFolder): Promise<void> {
  const { words, parameters, card, ...facts } = judge
  const places = await writeSafetensors(join(folder, 'model.safetensors'), parameters)
  const logits = judgeNetwork(facts.network, judgeInputs(facts.network, judgeBatch))
  const onnx = toOnnx({
    outputs: { logits, probability: sigmoid(logits) },
    parameters: (name) => {
      const place = places.get(name)
      if (!place) throw new Error(`there is no value for ${name}`)
      return { location: 'model.safetensors', offset: place.offset, length: place.length }
    },
  })
  await writeFileAtomic(join(folder, 'model.onnx'), onnx)
  await writeFileAtomic(join(folder, 'words.json'), `${JSON.stringify([...words.keys()])}\n`)
  await writeFileAtomic(join(folder, 'README.md'), card)
  await writeFileAtomic(
    join(folder, 'config.json'),
    `${JSON.stringify({ model_type: modelType, ...facts }, null, 2)}\n`,
  )
}

const localJudge = (judge: string) =>
  localModelFolder(judge, ({ names }) => files.filter((name) => names.includes(name)))

/**
 * Reads and checks the folder of a judge.
 *
 * @throws UserError where it is none, or is damaged
 */
export async function readJudgeFolder(
  judge: string,
): Promise<JudgeFacts & { readonly words: JudgeWords; readonly model: string }> {
  const folder = await localJudge(judge)
  const path = join(folder, 'config.json')
  const text = await readTextIfThere(path)
  if (text === undefined)
    throw new UserError(`${folder} is no judge: it has no config.json. A \`judge\` stage trains one on gold.`)
  const { model_type: type } = Object(jsonOf(text, path)) as { readonly model_type?: unknown }
  if (type !== modelType)
    throw new UserError(
      `${path}: model_type ${shownValue(type)} is no judge: one that a \`judge\` stage has trained was expected (${modelType}).`,
    )
  const facts = parseConfig(schema, jsonOf(text, path), path)
  const wordsPath = join(folder, 'words.json')
  const written = await readTextIfThere(wordsPath)
  if (written === undefined)
    throw new UserError(
      `${folder} is no judge any more: its words.json is missing. Train it again, or copy the whole folder.`,
    )
  const words = parseConfig(z.array(z.string()), jsonOf(written, wordsPath), wordsPath)
  if (words.length !== facts.network.vocabulary_size - 1)
    throw new UserError(
      `${wordsPath} has ${words.length} words, and ${path} says ${facts.network.vocabulary_size - 1}: they belong to different judges.`,
    )
  const model = join(folder, 'model.onnx')
  await checkOnnxFile(model)
  return { ...facts, words: new Map(words.map((word, index) => [word, index + 1])), model }
}

/** SHA-256 over what decides a judge's answers. Throws a UserError as `readJudgeFolder` does. */
export async function hashJudge(judge: string): Promise<string> {
  const folder = await localJudge(judge)
  await readJudgeFolder(folder)
  return hashModelFiles(
    folder,
    files.map((name) => join(folder, name)),
    { withNames: false },
  )
}
