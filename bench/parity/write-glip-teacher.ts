/**
 * Writes a model folder of an official preset with random weights, for bench/teacher.ts.
 *
 *     npx tsx bench/parity/write-glip-teacher.ts --out FOLDER [--preset glip-t] [--size 800x1344]
 *
 * One input alone, height x width, whose shorter side is that of the pictures shown: `session.run` and
 * `detect` are then of the same graph, whatever a picture's aspect.
 */
import { glipConfig } from '../../src/model/network/presets.js'
import { specialTokens } from '../../src/model/word-piece.js'
import { writeRandomModel } from '../random-model.js'
import { option } from '../report.js'

const folder = option('out', '')
if (folder === '') throw new Error('--out FOLDER is missing')
const preset = option('preset', 'glip-t')
const [height = 0, width = 0] = option('size', '800x1344').split('x').map(Number)

/** As many tokens as bert-base-uncased has; of words, those that bench/teacher.ts asks for. */
const words = 'a red dog , the person two cats big ball'.split(' ')
const vocabulary = new Map<string, number>()
for (const token of [...specialTokens, ...words]) vocabulary.set(token, vocabulary.size)
while (vocabulary.size < 30_522) vocabulary.set(`unused${vocabulary.size}`, vocabulary.size)

const config = {
  ...glipConfig(preset, vocabulary.size),
  image_sizes: [[height, width] as const],
  image_resize: { shortest_edge: Math.min(height, width), longest_edge: Math.max(height, width) },
}
await writeRandomModel(folder, preset, config, vocabulary, { height, width })
