import { execFileSync } from 'node:child_process'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModelConfig } from '../../src/model/model-folder.js'
import { glipConfig, presetNames } from '../../src/model/network/presets.js'
import { readTokenizer, tokenizerJson } from '../../src/model/word-piece.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { tinyConfig } from '../helpers/tiny-glip.js'
import { tinyOfficial } from '../helpers/tiny-official.js'

const folder = await temporaryFolder()
let count = 0
async function folderOf(config: unknown) {
  const path = join(folder, `model-${count++}`)
  await mkdir(path)
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  return path
}

describe('config.json of a model folder', () => {
  it.each([
    ...presetNames.map((name) => [name, glipConfig(name, 30_522)] as const),
    ['tiny', tinyConfig] as const,
    ['tiny official', { ...tinyOfficial, later: { key: 1 } }] as const,
  ])('of %s is read as it is', async (_, config) => {
    const path = await folderOf(config)
    expect(JSON.stringify(await readModelConfig(path))).toBe(JSON.stringify(config))
  })

  const { backbone, text, head } = tinyConfig
  it.each([
    [{ image_size: 'a' }, 'image_size: expected a number, not "a"'],
    [{ image_size: 1e9 }, 'image_size: 1000000000 is too large: it must be at most 4096'],
    [{ image_size: 40 }, 'image_size: expected a multiple of 32 pixels'],
    [{ image_size: null }, 'image_size: expected a number, not null'],
    [{ image_sizes: [] }, 'image_sizes: the list needs at least 1 entry, and has 0'],
    [{ image_sizes: [[64]] }, 'image_sizes.0'],
    [{ image_sizes: [[64, 65]] }, 'image_sizes.0: expected multiples of 32 pixels'],
    [{ image_mean: [0, 0] }, 'image_mean: '],
    [{ image_std: [0, 1, 1] }, 'image_std.0: 0 is too small'],
    [{ image_channels: 'cmyk' }, 'image_channels: '],
    [{ backbone: undefined }, 'backbone: '],
    [{ backbone: { ...backbone, kind: 'vit' } }, 'backbone.kind: '],
    [{ backbone: { ...backbone, widths: [1e12, 1, 1, 1] } }, 'backbone.widths.0: 1000000000000 is too large'],
    [{ backbone: { ...backbone, depths: [1] } }, 'backbone.depths: expected one for each of 4 widths'],
    [
      { fpn: { channels: 16, levels: 7, extra_levels: 0 } },
      "fpn.levels: expected no more than the backbone's",
    ],
    [{ text: { ...text, max_tokens: 1e8 } }, 'text.max_tokens: 100000000 is too large'],
    [{ text: { ...text, hidden: 17 } }, 'text.hidden: expected a multiple of 2 heads'],
    [{ tower: { kind: 'conv', blocks: -1 } }, 'tower.blocks: -1 is too small'],
    [{ fusion: 3 }, 'fusion: '],
    [{ head: { anchor_scale: 'wide' } }, 'head: expected anchor_scale and box_edges, or queries'],
    [{ head: { ...head, contrastive: 1e9 } }, 'head.contrastive: 1000000000 is too large'],
    [{ selection: { threshold: 2, level_candidates: 1, boxes: 1 } }, 'selection.threshold: 2 is too large'],
    [{ prompt: [3] }, 'prompt.0: '],
  ])('%j is told by its file and key', async (edit, message) => {
    const path = await folderOf({ ...tinyConfig, ...edit })
    const error = await readModelConfig(path).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ name: 'UserError' })
    expect((error as Error).message).toContain(`${path}/config.json: ${message}`)
    expect((error as Error).message.split('\n')).toHaveLength(1)
  })

  it('is a regular file of some size', async () => {
    const pipe = join(folder, 'pipe')
    await mkdir(pipe)
    execFileSync('mkfifo', [join(pipe, 'config.json')])
    await expect(readModelConfig(pipe)).rejects.toThrow(/Cannot read .*config\.json is not a regular file/)
    const large = join(folder, 'large')
    await mkdir(large)
    const file = await open(join(large, 'config.json'), 'w')
    await file.truncate(2 ** 40)
    await file.close()
    await expect(readModelConfig(large)).rejects.toThrow(/config\.json has more than \d+ bytes/)
  })
})

describe('tokenizer.json', () => {
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'cat']
  const whole = JSON.parse(tokenizerJson(new Map(words.map((word, id) => [word, id]))))
  it.each([
    [{ vocab: { '[PAD]': 'a' } }, /model\.vocab: expected the numbers of at most/],
    [{ vocab: { '[PAD]': 1e12 } }, /model\.vocab: expected the numbers/],
    [{ vocab: { '[PAD]': -1 } }, /model\.vocab: expected the numbers/],
    [{ vocab: ['[PAD]'] }, /model\.vocab: expected the numbers/],
    [{ vocab: null }, /model\.vocab: expected the numbers/],
    [{ continuing_subword_prefix: 3 }, /model\.continuing_subword_prefix: /],
    [{ type: ['WordPiece'] }, /is not a WordPiece tokenizer\.json/],
  ])('with a model of %j is refused', async (edit, message) => {
    const path = join(folder, `tokenizer-${count++}.json`)
    await writeFile(path, JSON.stringify({ ...whole, model: { ...whole.model, ...edit } }))
    await expect(readTokenizer(path)).rejects.toThrow(message)
  })
})
