import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { iou } from '../../src/boxes/iou.js'
import { teach } from '../../src/cli/teach.js'
import { readCommit } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { hashTeacher, openTeacher } from '../../src/teacher/open-teacher.js'
import { colourDataset, phrasesIn, things } from '../helpers/colour-teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
async function fileOf(text: string, name = `teacher-${count++}.mjs`): Promise<string> {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}
const teacherOf = (opened: string, more = '') =>
  fileOf(`export const teacher = { name: 'mine', ${more} open: (options) => (${opened}) }`)

const picture = { width: 20, height: 10, data: new Uint8Array(600), scale: 1 }
const query = {
  picture,
  text: 'a cat and a dog',
  phrases: [
    [0, 5],
    [10, 15],
  ] as const,
}
const options = { floor: 0.2, nms: 0.5, max_boxes: 2 }

async function refusal(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => new Error('nothing was refused'),
    (error: unknown) => error as Error,
  )
  expect(error.message.split('\n')).toHaveLength(1)
  expect(error.message.length).toBeLessThan(1001)
  return error
}

describe('a teacher of your own', () => {
  it('finds boxes for phrases, the weak and overlapping ones left out', async () => {
    const path = await teacherOf(`{
      batch: 3,
      detect: (queries) => queries.map(() => [
        { phrase: 1, xyxy: [0, 0, 5, 5], score: 0.3 },
        { phrase: 1, xyxy: [0, 0, 5, 5.1], score: 0.9 },
        { phrase: 0, xyxy: [0, 0, 5, 5], score: 0.4 },
        { phrase: 0, xyxy: [9, 0, 12, 5], score: 0.1 },
      ]),
    }`)
    const teacher = await openTeacher(path)
    expect(teacher).toMatchObject({ name: 'mine', batch: 3, hash: await hashTeacher(path) })
    const found = [
      { phrase: 1, xyxy: [0, 0, 5, 5.1], score: 0.9 },
      { phrase: 0, xyxy: [0, 0, 5, 5], score: 0.4 },
    ]
    expect(await teacher.detect([query, query], options)).toEqual([found, found])
    await teacher.close()
  })

  it('detects labels once in a picture, and proposes them for every phrase', async () => {
    const path = await teacherOf(`{
      labels: ['cat', 'dog'],
      detectLabels: async (pictures) => pictures.map(() => [
        { label: 'dog', xyxy: [0, 0, 5, 5], score: 0.9 },
        { label: 'cat', xyxy: [0, 0, 5, 5], score: 0.1 },
      ]),
    }`)
    const teacher = await openTeacher(path, { name: 'ours' })
    expect(teacher).toMatchObject({ name: 'ours', labels: ['cat', 'dog'] })
    const box = { label: 'dog', xyxy: [0, 0, 5, 5], score: 0.9 }
    expect(await teacher.detect([query], options)).toEqual([
      [
        { phrase: 0, ...box },
        { phrase: 1, ...box },
      ],
    ])
  })

  it('is known by its text and by the files that it names, wherever they lie', async () => {
    await writeFile(join(folder, 'weights.bin'), 'one')
    const path = await teacherOf('{ detect: () => [] }', "files: ['weights.bin'],")
    const files: string[] = []
    const before = await hashTeacher(path, {}, (name) => files.push(name))
    expect(files).toEqual([path.slice(folder.length + 1), 'weights.bin'])
    await mkdir(join(folder, 'moved'))
    const moved = join(folder, 'moved', path.slice(folder.length + 1))
    await copyFile(path, moved)
    await copyFile(join(folder, 'weights.bin'), join(folder, 'moved/weights.bin'))
    expect(await hashTeacher(moved)).toBe(before)
    await writeFile(join(folder, 'weights.bin'), 'two')
    expect(await hashTeacher(path)).not.toBe(before)
    // What was changed is run anew in the same process.
    await fileOf((await readFile(path, 'utf8')).replace('mine', 'changed'), path.slice(folder.length + 1))
    expect((await openTeacher(path)).name).toBe('changed')
    expect(await hashTeacher(path)).not.toBe(await hashTeacher(moved))
  })

  it.each([
    [
      'export const x = 1',
      /exports no teacher: expected `export const teacher = \{ name, open \}`.*it exports: x\./,
    ],
    ['export const teacher = { name: "", open() {} }', /exports no teacher/],
    ['export const teacher = { name: "a", files: [3], open() {} }', /exports no teacher/],
    ['const x = ;', /cannot be run: /],
    ['throw new Error("no\\nlicence")', /cannot be run: no\\nlicence/],
    ['import "./none.mjs"', /cannot be run: .*none\.mjs/],
    [
      'export const teacher = { name: "a", files: ["none.onnx"], open() {} }',
      /its `files` name none\.onnx, and there is no file/,
    ],
    [
      'export const teacher = { name: "a", open() { throw new Error("no server") } }',
      /open failed: no server$/,
    ],
    ['export const teacher = { name: "a", open() { throw null } }', /open failed: null/],
    ['export const teacher = { name: "a", open: () => ({}) }', /neither `detect` nor `detectLabels`/],
    ['export const teacher = { name: "a", open: () => undefined }', /neither `detect` nor `detectLabels`/],
    ['export const teacher = { name: "a", open: () => ({ detectLabels() {} }) }', /no `labels`/],
  ])('is refused in one message where its file is %j', async (text, message) => {
    const path = await fileOf(text)
    const error = await refusal(openTeacher(path))
    expect(error).toBeInstanceOf(UserError)
    expect(error.message).toMatch(message)
    expect(error.message.startsWith(path)).toBe(true)
  })

  it.each([
    ['3', /was asked for 1 list of boxes, and gave 3/],
    ['[]', /gave \[\]/],
    ['[[{ phrase: 0, score: 1 }]]', /has no `xyxy` of four numbers/],
    ['[[{ phrase: 0, xyxy: [0, 0, NaN, 1], score: 1 }]]', /has no `xyxy` of four numbers/],
    ['[[null]]', /has no `xyxy`/],
    ['[[{ phrase: 0, xyxy: [0, 0, 1, 1], score: 7 }]]', /the score 7: it must be 0 to 1/],
    ['[[{ phrase: 2, xyxy: [0, 0, 1, 1], score: 1 }]]', /the phrase 2 of a query with 2/],
  ])('is refused where it answers %s', async (answer, message) => {
    const teacher = await openTeacher(await teacherOf(`{ detect: () => (${answer}) }`))
    const error = await refusal(teacher.detect([query], options))
    expect(error).toBeInstanceOf(UserError)
    expect(error.message).toMatch(message)
  })

  it('says that it was the teacher which failed, and that a label is none of its own', async () => {
    const failing = await openTeacher(
      await teacherOf('{ detect() { throw new Error("the server sleeps") } }'),
    )
    const error = await refusal(failing.detect([query], options))
    expect(error.message).toMatch(/\.mjs: detect failed: the server sleeps$/)
    // That may pass: the shard is tried again.
    expect(error).not.toBeInstanceOf(UserError)
    const odd = await teacherOf(
      "{ labels: ['cat'], detectLabels: () => [[{ label: 'owl', xyxy: [0, 0, 1, 1], score: 1 }]] }",
    )
    expect((await refusal((await openTeacher(odd)).detect([query], options))).message).toMatch(
      /the label "owl", which is not among its labels/,
    )
  })

  it('is run only where its file is named: never from a folder', async () => {
    const run = `globalThis.wasRun = true; export const teacher = { name: 'a', open: () => ({ detect: () => [] }) }`
    for (const name of ['plain', 'named.mjs']) {
      await mkdir(join(folder, name))
      for (const file of ['teacher.mjs', 'index.js', 'model.mjs', 'config.js'])
        await writeFile(join(folder, name, file), run)
      await writeFile(
        join(folder, name, 'config.json'),
        '{"model_type": "./teacher.mjs", "teacher": "./teacher.mjs", "auto_map": "teacher.mjs", "model_file": "teacher.mjs"}',
      )
      expect((await refusal(openTeacher(join(folder, name)))).message).toContain('is not a family')
      expect((await refusal(hashTeacher(join(folder, name)))).message).toContain('is not a family')
    }
    // A list of words is no program, whatever its name.
    expect((await refusal(openTeacher(await fileOf(run, 'teacher.txt')))).message).toContain(
      'is not a model folder',
    )
    expect(globalThis).not.toHaveProperty('wasRun')
    expect((await refusal(openTeacher(join(folder, 'none.mjs')))).message).toContain('none.mjs')
    await symlink(await fileOf(run), join(folder, 'link.mjs'))
    expect((await openTeacher(join(folder, 'link.mjs'))).name).toBe('a')
  })
})

describe('examples/own-teacher.mjs', () => {
  it('labels the phrases of a dataset, and its name and hash are kept with them', async () => {
    const url = join(folder, 'run/colours')
    const storage = openStorage(url)
    const caption = 'a red thing beside a blue thing and a cat'
    const phrases = phrasesIn(caption, ['a red thing', 'thing'], ['a blue thing', 'thing'], ['a cat', 'cat'])
    await colourDataset(storage, [{ caption, phrases }])
    const model = 'examples/own-teacher.mjs'
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    await teach(url, { phrases: 'chunk', model, as: 'label', set: [] }, new AbortController().signal)
    written.mockRestore()
    const { value: row } = await readShard(storage, 'proposals', 'label', '00000').next()
    expect(row?.teacher).toBe('colour-patches')
    expect(row?.proposals.map(({ phrase }) => phrase).sort()).toEqual([0, 1])
    for (const { phrase, xyxy, score } of row?.proposals ?? []) {
      expect(iou(xyxy, things[phrase]?.xyxy ?? [0, 0, 0, 0])).toBeGreaterThan(0.9)
      expect(score).toBeGreaterThan(0.9)
    }
    const record = await readCommit(storage, 'proposals', 'label', '00000')
    expect(record?.inputs).toMatchObject({ model: await hashTeacher(model), teacher: 'colour-patches' })
  })
})
