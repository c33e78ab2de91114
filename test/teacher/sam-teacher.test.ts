import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { pictures } from './pictures.js'
import { answers, ask, type Expected, expectAmong, expected, folder, isVisible } from './python-answers.js'

interface SamCase {
  readonly phrases: readonly string[]
  readonly found: readonly (readonly Expected[])[]
}

async function copyOfFolder(): Promise<string> {
  const copy = await temporaryFolder()
  await cp(folder('sam3'), copy, { recursive: true })
  return copy
}

describe('sam3', () => {
  const cases = expected<SamCase[]>('sam3')
  const queries = cases.map(({ phrases }, index) => ask(pictures[index], phrases))

  async function expectLikePython(count: number, file?: string, within?: number) {
    const found = await answers('sam3', queries.slice(0, count), { ...(file && { file }) })
    cases.slice(0, count).forEach(({ found: phrases }, index) => {
      phrases.forEach((boxes, phrase) => {
        const own = found[index].filter((box) => box.phrase === phrase)
        expectAmong(own, boxes, pictures[index], within)
        const best = boxes.find((box) => isVisible(box, pictures[index]))
        if (best) expect(Math.abs(own[0].score - best.score)).toBeLessThan(within ?? 1e-3)
      })
    })
  }

  it('in three parts finds what the Python processor finds in 20 pictures', () => expectLikePython(20))

  it('in one graph finds the same', () => expectLikePython(6, 'model'))

  it('in half precision finds nearly the same', () => expectLikePython(4, 'model_fp16', 0.1))

  it('has parts under names with a hyphen, and the configuration of the model for videos', async () => {
    const copy = await copyOfFolder()
    for (const name of ['vision', 'text'])
      await rename(join(copy, `onnx/${name}_encoder.onnx`), join(copy, `onnx/${name}-encoder.onnx`))
    await rm(join(copy, 'onnx/model.onnx'))
    const detector = JSON.parse(await readFile(join(copy, 'config.json'), 'utf8'))
    await writeFile(
      join(copy, 'config.json'),
      JSON.stringify({ model_type: 'sam3_video', detector_config: detector }),
    )
    const [own] = await answers('sam3', queries.slice(0, 1))
    expect(await answers(copy, queries.slice(0, 1))).toEqual([own])
  })

  it('asks a long phrase by its beginning, and says so once', async () => {
    const notices: string[] = []
    const long = `a photo of ${'a very red dog '.repeat(20)}`
    const [found] = await answers('sam3', [ask(pictures[0], [long, `${long}!`])], {
      notice: (text) => notices.push(text),
    })
    expect(new Set(found.map(({ phrase }) => phrase))).toEqual(new Set([0, 1]))
    expect(notices).toEqual([expect.stringMatching(/more than the 32 tokens that sam3 reads/)])
  })

  it('is refused where a part is another, and where nothing is there but weights', async () => {
    const copy = await copyOfFolder()
    await cp(join(folder('detr'), 'onnx/model.onnx'), join(copy, 'onnx/decoder.onnx'))
    await expect(openTeacher(copy, { threads: 1 })).rejects.toThrow(
      /decoder\.onnx: there is no output "pred_logits"/,
    )
    await rm(join(copy, 'onnx'), { recursive: true })
    await writeFile(join(copy, 'model.safetensors'), '')
    await expect(openTeacher(copy, { threads: 1 })).rejects.toThrow(
      /has no model\.onnx, nor any other \.onnx file.*model\.safetensors.*export/,
    )
  })
})
