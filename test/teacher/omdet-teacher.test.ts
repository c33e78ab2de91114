import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { pictures } from './pictures.js'
import { answers, ask, type Expected, expectAmong, expected, folder, isVisible } from './python-answers.js'

interface OmDetCase {
  readonly phrases: readonly string[]
  readonly processor: readonly (Expected & { readonly label: number })[]
}

describe('omdet-turbo', () => {
  const cases = expected<OmDetCase[]>('omdet-turbo')
  const queries = cases.map(({ phrases }, index) => ask(pictures[index], phrases))

  it('finds what the Python processor finds in 20 pictures, phrase by phrase', async () => {
    const found = await answers('omdet-turbo', queries)
    cases.forEach(({ phrases, processor }, index) => {
      const sure = processor.filter(({ score }) => score > 0.201)
      const own = found[index].filter(({ score }) => score > 0.201)
      expect(own.length).toBe(sure.filter((box) => isVisible(box, pictures[index])).length)
      for (const phrase of phrases.keys()) {
        expectAmong(
          own.filter((box) => box.phrase === phrase),
          sure.filter(({ label }) => label === phrase),
          pictures[index],
        )
      }
    })
  })

  it('in half precision finds nearly the same', async () => {
    const found = await answers('omdet-turbo', queries.slice(0, 4), { file: 'model_fp16' })
    found.forEach((own, index) => {
      const best = cases[index].processor.filter(({ score }) => score > 0.7)
      for (const box of best)
        expectAmong(
          own.filter(({ phrase }) => phrase === box.label),
          [box],
          pictures[index],
          0.05,
        )
    })
  })

  it('asks in several runs what has no room in one task, and a long phrase by its beginning, and says that', async () => {
    const notices: string[] = []
    const phrases = Array.from({ length: 30 }, (_, index) => `a red dog number ${index}`)
    const long = `a photo of ${'a very red dog '.repeat(20)}`
    const [many, one] = await answers('omdet-turbo', [ask(pictures[0], phrases), ask(pictures[1], [long])], {
      notice: (text) => notices.push(text),
    })
    // Each run has ten boxes of the best phrases: in one run thirty phrases would share ten.
    expect(many.length).toBeGreaterThan(10)
    expect(one.length).toBeGreaterThan(0)
    expect(notices).toEqual([expect.stringMatching(/more than the 77 tokens that omdet-turbo reads/)])
  })

  it('refuses a task without room', async () => {
    const copy = await temporaryFolder()
    await cp(folder('omdet-turbo'), copy, { recursive: true })
    const file = join(copy, 'config.json')
    const said = JSON.parse(await readFile(file, 'utf8'))
    const wrong = { ...said, text_config: { ...said.text_config, max_position_embeddings: 3 } }
    await writeFile(file, JSON.stringify(wrong))
    await expect(answers(copy, [])).rejects.toThrow(/config\.json: text_config\.max_position_embeddings is 3/)
  })
})
