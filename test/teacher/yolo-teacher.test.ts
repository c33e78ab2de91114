import { copyFile, cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashTeacher, openTeacher, teacherName } from '../../src/teacher/open-teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { pictures } from './pictures.js'
import {
  all,
  answers,
  ask,
  cut,
  type Expected,
  expectAmong,
  expected,
  folder,
  isVisible,
} from './python-answers.js'

type Labelled = Expected & { readonly label: string }
const wanted = expected<Readonly<Record<string, readonly (readonly Labelled[])[]>>>('yolo')
const queries = pictures.map((picture) => ask(picture, ['a dog', 'someone']))

async function expectLikePython(path: string, name: string, count = 20, within = 1e-3) {
  const found = await answers(path, queries.slice(0, count))
  wanted[name].slice(0, count).forEach((boxes, index) => {
    for (const phrase of [0, 1]) {
      const own = found[index].filter((box) => box.phrase === phrase)
      for (const box of boxes.filter((one) => isVisible(one, pictures[index])))
        expectAmong(
          own.filter(({ label }) => label === box.label),
          [box],
          pictures[index],
          within,
        )
      // What Python has not is not found either: the best box is the same one.
      const best = boxes.find((one) => isVisible(one, pictures[index]))
      if (best) expect(own[0].score).toBeCloseTo(best.score, within < 0.01 ? 3 : 1)
    }
  })
}

describe('an export of Ultralytics’ form', () => {
  it.each(['tiny-world', 'tiny-open', 'tiny-seg', 'tiny-chosen'])(
    '%s, named by its file, finds what the reference finds in 20 pictures, for every phrase',
    (name) => expectLikePython(`${folder('yolo')}/${name}.onnx`, name),
  )

  it('in half precision, with an input of half precision, finds nearly the same', () =>
    expectLikePython(`${folder('yolo')}/tiny-world_fp16.onnx`, 'tiny-world', 5, 0.03))

  it('lies alone in a folder, with names of its own or those of config.json', async () => {
    const alone = await temporaryFolder()
    await copyFile(`${folder('yolo')}/tiny-world.onnx`, join(alone, 'best.onnx'))
    const teacher = await openTeacher(alone, { threads: 1 })
    expect(teacher.labels).toEqual(['person', 'dog', 'traffic light', "dog's bowl"])
    await teacher.close()
    const before = await hashTeacher(alone)
    const id2label = { 0: 'human', 1: 'dog', 2: 'light', 3: 'bowl' }
    await writeFile(join(alone, 'config.json'), JSON.stringify({ model_type: 'yolo', id2label }))
    const named = await openTeacher(alone, { threads: 1 })
    const [boxes] = await named.detect([ask(pictures[0], ['a dog'])], all)
    await named.close()
    expect(boxes[0].label).toBe('human')
    expect(await hashTeacher(alone)).not.toBe(before)
  })

  it('is called as its file, and hashed by it', async () => {
    const path = `${folder('yolo')}/tiny-world.onnx`
    expect(await teacherName(path)).toBe('tiny-world')
    expect(await hashTeacher(path)).not.toBe(await hashTeacher(`${folder('yolo')}/tiny-open.onnx`))
  })

  it('is refused where several lie in a folder, and where nothing says what it is', async () => {
    const several = await temporaryFolder()
    await cp(folder('yolo'), several, { recursive: true })
    await expect(openTeacher(several)).rejects.toThrow(/config\.json is missing/)
    const other = join(several, 'other.onnx')
    await copyFile(`${folder('detr')}/onnx/model.onnx`, other)
    await expect(openTeacher(other)).rejects.toThrow(/it is a file/)
  })
})

describe('YOLO-World with embeddings of its prompts', () => {
  const cases =
    expected<{ readonly phrases: readonly string[]; readonly found: readonly (readonly Expected[])[] }[]>(
      'yolo-world',
    )

  it('finds the phrases of 20 pictures where the reference does', async () => {
    const asked = cases.map(({ phrases }, index) => ask(pictures[index], phrases))
    const found = await answers('yolo-world', asked)
    cases.forEach(({ found: phrases }, index) => {
      phrases.forEach((boxes, phrase) => {
        const own = found[index].filter((box) => box.phrase === phrase)
        expectAmong(own, boxes, pictures[index])
        const best = boxes.find((one) => isVisible(one, pictures[index]))
        if (best) expect(own[0].score).toBeCloseTo(cut(best, pictures[index]).score, 3)
      })
    })
  })

  it('asks more phrases than one run takes, and loses none', async () => {
    const phrases = Array.from({ length: 90 }, (_, index) => `a cat ${index}`)
    const [found] = await answers('yolo-world', [ask(pictures[3], phrases)])
    expect(new Set(found.map(({ phrase }) => phrase))).toEqual(new Set(phrases.keys()))
  })

  it('asks in templates by the mean of their embeddings: the same twice is the same, another is not', async () => {
    const teacher = await openTeacher(folder('yolo-world'), { threads: 1 })
    const of = (...templates: readonly string[]) =>
      teacher.detect([ask(pictures[2], ['a cat'])], { ...all, templates })
    const alone = await teacher.detect([ask(pictures[2], ['a cat'])], all)
    const scores = (boxes: typeof alone) => boxes[0].map(({ score }) => Math.round(score * 1e5))
    expect(scores(await of('{}'))).toEqual(scores(alone))
    expect(scores(await of('a photo of {}', 'a photo of {}'))).toEqual(scores(await of('a photo of {}')))
    expect(scores(await of('{}', 'a photo of {}'))).not.toEqual(scores(alone))
    await teacher.close()
  })

  it('is refused without the model that reads words', async () => {
    const copy = await temporaryFolder()
    await cp(folder('yolo-world'), copy, { recursive: true })
    await rm(join(copy, 'text_model.onnx'))
    await expect(openTeacher(copy, { threads: 1 })).rejects.toThrow(
      /text_model\.onnx, which makes them, is missing/,
    )
  })
})
