import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { trainConfig } from '../../src/train/config.js'
import type { StepMetrics } from '../../src/train/metrics-log.js'
import { trainModel } from '../../src/train/train-model.js'
import { readSafetensors } from '../../src/weights/safetensors.js'
import { smallGold } from '../helpers/small-gold.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { picture } from '../teacher/pictures.js'

const folder = await temporaryFolder()
const lines: StepMetrics[] = []
let totals: Set<number>

beforeAll(async () => {
  const source = await smallGold(folder)
  totals = new Set()
  await trainModel({
    name: 'queries',
    folder: join(folder, 'model'),
    // 30 pictures, eight times, four at once.
    config: trainConfig.parse({
      preset: 'toy-r50',
      image_size: 64,
      epochs: 8,
      batch: 4,
      learning_rate: 1e-3,
      warmup: 5,
      seed: 3,
      threads: 1,
      mix: 'size',
      augment: { flip: 0, crop: 0, colour: 0, scale: [1, 1], negatives: 0 },
    }),
    sources: [source],
    texts: [],
    onProgress: (line, steps) => {
      lines.push(line)
      totals.add(steps)
    },
  })
}, 300_000)

describe('training of a network with queries', () => {
  it('takes as many steps as its epochs are', () => {
    expect(lines.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
    expect(totals).toEqual(new Set([60]))
  })

  it('lowers the loss and its terms', () => {
    const mean = (name: string, part: readonly StepMetrics[]) =>
      part.reduce((sum, line) => sum + line[name], 0) / part.length
    const [first, last] = [lines.slice(0, 8), lines.slice(-8)]
    for (const name of ['loss', 'regression', 'giou', 'distance', 'contrastive'])
      expect(mean(name, last), name).toBeLessThan(0.9 * mean(name, first))
    expect(lines[0]).not.toHaveProperty('centerness')
    expect(lines.every(({ positives }) => positives >= 4)).toBe(true)
  })

  it('leaves the norms of the backbone as they start, and writes them with the model', async () => {
    const { tensors } = await readSafetensors(join(folder, 'model', 'model.safetensors'))
    const of = (name: string) => [...new Set(tensors.get(`backbone.body.${name}`)!.data)]
    expect(of('bn1.weight')).toEqual([1])
    expect(of('layer4.0.bn3.weight')).toEqual([0.25])
    expect(of('layer4.0.bn3.bias')).toEqual([0])
    expect(of('layer4.0.conv3.weight').length).toBeGreaterThan(1000)
  })

  it('gives a model that labels', async () => {
    const teacher = await openTeacher(join(folder, 'model'), { threads: 1 })
    const shown = picture(0)
    const query = { picture: shown, text: 'a red circle', phrases: [[0, 12]] as const }
    const [found] = await teacher.detect([query], { floor: 0, nms: 1, max_boxes: 100 })
    await teacher.close()
    // One box a query, but for those that lie outside of the picture.
    expect(found.length).toBeGreaterThan(10)
    expect(found.length).toBeLessThanOrEqual(20)
    for (const { xyxy, score } of found) {
      expect(score).toBeGreaterThan(0)
      expect(score).toBeLessThan(1)
      expect(xyxy[2]).toBeLessThanOrEqual(shown.width)
      expect(xyxy[3]).toBeLessThanOrEqual(shown.height)
    }
    expect(await readFile(join(folder, 'model', 'README.md'), 'utf8')).toContain('A counts queries')
  })
})
