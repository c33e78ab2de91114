import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { labelsPath, parseYoloLabels, seemingKeypoints } from '../../src/formats/yolo-labels.js'
import { rowsByShards, rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
/** A dataset of files by their paths; pictures are never looked into here. */
async function dataset(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = join(folder, String(count++))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}
const box = '0 0.5 0.5 0.2 0.4'
/** The pictures of a dataset below its root, with the names of their boxes. */
const read = async (
  files: Readonly<Record<string, string | Uint8Array>>,
  path: string,
  given: object = {},
) => {
  const root = await dataset(files)
  const rows = await rowsOf({ format: 'yolo', path: join(root, path), ...given })
  return rows.map(({ file, regions }) => [
    file?.slice(root.length + 1),
    ...(regions ?? []).map(({ category }) => category),
  ])
}
const rounded = (labels: string, keypoints?: number) =>
  parseYoloLabels(labels, keypoints).map(
    ({ xyxy, reason }) => reason ?? xyxy.map((side) => Math.round(side * 100) / 100),
  )

describe('a row of labels', () => {
  it.each([
    ['a box', box, undefined, [0.4, 0.3, 0.6, 0.7]],
    ['a box with a class like pandas writes it', '0.0 0.5 0.5 0.2 0.4', undefined, [0.4, 0.3, 0.6, 0.7]],
    ['a box and keypoints in the plane', `${box} 0.5 0.5 0 0`, 4, [0.4, 0.3, 0.6, 0.7]],
    ['a box and seen keypoints', `${box} 0.5 0.5 2 0 0 0`, 6, [0.4, 0.3, 0.6, 0.7]],
    ['a box, keypoints and a confidence', `${box} 0.5 0.5 2 0.9`, 3, 'scored_box'],
    ['a box alone where others have keypoints', box, 6, [0.4, 0.3, 0.6, 0.7]],
    ['an outline', '0 0.1 0.2 0.5 0.2 0.3 0.9', undefined, [0.1, 0.2, 0.5, 0.9]],
    ['a turned box', '0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5', undefined, [0.1, 0.1, 0.9, 0.9]],
    ['an outline of 100,000 points', `0${' 0.1 0.2 0.5 0.9'.repeat(50_000)}`, 0, [0.1, 0.2, 0.5, 0.9]],
    ['other than the keypoints asked for', `${box} 0.5 0.5`, 4, 'malformed_box'],
    ['an odd number of numbers', `${box} 0.5 0.5 2`, undefined, 'malformed_box'],
    ['too short', '0 0.5 0.5 0.2', undefined, 'malformed_box'],
    ['no numbers', '0 a b c d', undefined, 'malformed_box'],
    ['separated by commas', '0,0.5,0.5,0.2,0.4', undefined, 'malformed_box'],
    ['a name for a class', 'dog 0.5 0.5 0.2 0.4', undefined, 'malformed_box'],
    ['a box with a confidence', `${box} 0.93`, undefined, 'scored_box'],
    ['pixels', '0 120 80 40 30', undefined, 'unnormalised_box'],
    ['an outline in pixels', '0 10 20 50 20 30 90', undefined, 'unnormalised_box'],
    ['keypoints taken for an outline', `${box} 0.5 0.5 2 0.6 0.5 2`, undefined, 'unnormalised_box'],
    ['a little outside', '0 1.008 0.5 0.2 0.4', undefined, [0.91, 0.3, 1.11, 0.7]],
  ] as const)('that is %s', (_, line, keypoints, wanted) => {
    expect(rounded(line, keypoints)).toEqual([wanted])
  })

  it('with a confidence and a track is what a model found, also of the first track', () => {
    expect(rounded(`${box} 0.93 1\n${box} 0.8 7`)).toEqual(['scored_box', 'scored_box'])
    expect(rounded('0 0.1 0.2 0.5 0.2 0.3 1')).toEqual([[0.1, 0.2, 0.5, 1]])
  })

  it('may end as it likes, and counts once', () => {
    const other = '1 0.5 0.5 0.2 0.4'
    expect(rounded(`\uFEFF${box}\r\n\r\n${other}\r ${box} \n`)).toEqual([
      [0.4, 0.3, 0.6, 0.7],
      [0.4, 0.3, 0.6, 0.7],
      'duplicate_box',
    ])
  })
})

describe('the form of rows whose dataset does not say it', () => {
  const inside = (index: number) => `0 0.5 0.5 0.2 0.4 0.4${index} 0.5 0.5 0.6 0.6 0.${index + 3}`
  const outline = (index: number) => `0 0.1 0.1 0.${index + 2} 0.1 0.5 0.3 0.5 0.9 0.2 0.8`
  const rows = (line: (index: number) => string, length = 4) =>
    ['', box].concat(Array.from({ length }, (_, index) => line(index)).join('\n'))

  it('is keypoints where all rows look like them', () => {
    expect(seemingKeypoints(rows((index) => `0 0.5 0.5 0.2 0.4 0.4${index} 0.5 1 0.6 0.6 0`))).toEqual([2, 3])
    expect(seemingKeypoints([...rows(inside), ...rows(inside)])).toEqual([3, 2])
    expect(seemingKeypoints([`0 0.5 0.5 0.2 0.4${' 0.45 0.5 1'.repeat(17)}`])).toEqual([17, 3])
    expect(seemingKeypoints([`0 0.5 0.5 0.2 0.4${' 0.45 0.5 1'.repeat(2)}`])).toBeUndefined()
  })

  it('is outlines where they do not, or where there are few', () => {
    expect(seemingKeypoints(rows(inside, 2))).toBeUndefined()
    expect(seemingKeypoints([...rows(outline), ...rows(outline)])).toBeUndefined()
    expect(seemingKeypoints([...rows(inside), ...rows(inside), `${inside(1)} 0.5 0.5`])).toBeUndefined()
    const corners = () => '0 0.4 0.4 0.6 0.4 0.6 0.6 0.4 0.6'
    expect(seemingKeypoints([...rows(corners), ...rows(corners)])).toBeUndefined()
  })

  it('is refused with what to say, and read as what is said', async () => {
    const labels = Array.from({ length: 9 }, (_, index) => inside(index % 5)).join('\n')
    const files = { 'images/a.jpg': '', 'labels/a.txt': labels }
    const yaml = 'train: images\nnames: [dog]\n'
    await expect(read({ ...files, 'data.yaml': yaml }, 'data.yaml')).rejects.toThrow(
      /seem to be boxes with keypoints: say kpt_shape: \[3, 2\] in it, or kpt_shape: \[0, 2\]/,
    )
    const said = (shape: string) => read({ ...files, 'data.yaml': `${yaml}kpt_shape: ${shape}\n` }, '')
    expect((await said('[3, 2]'))[0]).toHaveLength(6)
    expect((await said('[0, 2]'))[0]).toHaveLength(6)
  })
})

describe('a data.yaml', () => {
  const files = {
    'train/images/a.jpg': '',
    'train/images/sub/b.PNG': '',
    'train/images/._a.jpg': '',
    'train/labels/a.txt': box,
    'train/labels/sub/b.txt': '1 0.5 0.5 0.2 0.4\n7 0.5 0.5 0.2 0.4',
    'valid/images/v.jpg': '',
    'valid/labels/v.txt': box,
  }
  const both = [
    ['train/images/a.jpg', 'dog'],
    ['train/images/sub/b.PNG', 'cat'],
  ]
  it.each([
    ['from its folder', 'train: train/images'],
    ["as Roboflow's, one folder too high", 'train: ../train/images\nval: ../valid/images'],
    ['with the signs of Windows', 'train: ..\\train\\images'],
    ['from a path', 'path: train\ntrain: images'],
    ['from a path that is not here', 'path: /home/somebody/datasets/pets\ntrain: train/images'],
    ['a list of folders', 'train: [train/images]'],
    ['a list of files', 'train: lists/train.txt', './../train/images/a.jpg\r\n../train/images/sub/b.PNG\r\n'],
    ['a list from the root', 'train: lists/train.txt', 'train/images/a.jpg\ntrain/images/sub/b.PNG'],
    [
      "CVAT's list",
      'path: ./\ntrain: lists/train.txt',
      'data\\train\\images\\a.jpg\ndata/train/images/sub/b.PNG',
    ],
  ])('names pictures by a path %s', async (_, paths, list = '') => {
    const yaml = `${paths}\nnames: [dog, cat]\n`
    expect(await read({ ...files, 'lists/train.txt': list, 'data.yaml': yaml }, 'data.yaml')).toEqual(both)
  })

  it.each([
    ['/content/drive/ds/train/images/a.jpg\n/content/drive/ds/train/images/sub/b.PNG'],
    ['C:\\Users\\me\\ds\\train\\images\\a.jpg\r\nC:\\Users\\me\\ds\\train\\images\\sub\\b.PNG'],
    ['./train/images/a.jpg\nD:/ds/train/images/sub/b.PNG'],
  ])('may list pictures by paths of another machine: %j', async (list) => {
    const yaml = 'train: train.txt\nnames: [dog, cat]\n'
    expect(await read({ ...files, 'train.txt': list, 'data.yaml': yaml }, 'data.yaml')).toEqual(both)
  })

  it('may name a folder of another machine', async () => {
    const yaml = 'train: C:\\ds\\train\\images\nval: /x/ds/valid/images\nnames: [dog, cat]\n'
    expect(await read({ ...files, 'data.yaml': yaml }, '')).toEqual(both)
    expect(await read({ ...files, 'data.yaml': yaml }, '', { split: 'val' })).toHaveLength(1)
  })

  it('may name pictures by absolute paths', async () => {
    const root = await dataset(files)
    await writeFile(join(root, 'all.txt'), `${root}/train/images/a.jpg\n${root}/gone/b.jpg\n`)
    await writeFile(join(root, 'data.yaml'), `val: ${root}/all.txt\nnames: {0: dog}\n`)
    const rows = await rowsOf({ format: 'yolo', path: root, split: 'val' })
    expect(rows.map(({ file }) => file)).toEqual([`${root}/train/images/a.jpg`, `${root}/gone/b.jpg`])
  })

  it.each([
    ['[dog, 1]', ['dog', '1']],
    ['{0: dog, 1: true}', ['dog', 'true']],
    ['{"0": dog, "1": 1.5}', ['dog', '1.5']],
    ['\n  0: dog\n  1: 1', ['dog', '1']],
    ['[1.0, 007]', ['1.0', '007']],
    ['[0x1f, 2e3]', ['0x1f', '2e3']],
  ])('has the names %s', async (names, wanted) => {
    const rows = await read({ ...files, 'data.yaml': `train: train/images\nnames: ${names}\n` }, 'data.yaml')
    expect(rows.map(([, name]) => name)).toEqual(wanted)
  })

  it.each([
    ['train: train/images\nnc: 2', /has no `names`: phrases are made of them/],
    ['train: train/images\nnames: [a]\nnc: 2', /has 1 names and nc: 2/],
    ['train: train/images\nnames: {dog: 0}', /names: dog: expected the number of a class/],
    ['train:\nval: valid/images\nnames: [a]', /has no split "train"; it has: names, val\./],
    [
      'train: nowhere\nnames: [a]',
      /nowhere is neither a folder of pictures nor a list of them \(looked for: /,
    ],
    ['train: C:\\pets\\images\nnames: [a]', /looked for: .*C:\/pets\/images/],
    ['train: gone.txt\nnames: [a]', /none of its first pictures is there \(looked for: .*x\/a\.jpg/],
    ['train: train/labels\nnames: [a]', /has no pictures/],
    [
      'train: bare/images\nnames: [a]',
      /none of the pictures has labels \(looked for: .*bare\/labels\/a\.txt/,
    ],
    ['train: train/images\nnames: [a]\nkpt_shape: 17', /kpt_shape: expected how many keypoints/],
    ['train: train/images\nnames: [a]\nkpt_shape: [17, 4]', /kpt_shape: expected how many keypoints/],
    ['train: {images: train/images}\nnames: [a]', /train: expected a folder of pictures, a list of them/],
    ['train: train/images\nnames: dog, cat', /names: expected a list of names, or a map such as/],
    ['train: !!python/object:x [y]\nnames: [a]', /not YAML: Unresolved tag.* at line 1, column 8$/],
  ])('%j is refused', async (yaml, message) => {
    const more = { 'gone.txt': 'x/a.jpg\n', 'bare/images/a.jpg': '', 'data.yaml': yaml }
    await expect(read({ ...files, ...more }, 'data.yaml')).rejects.toThrow(message)
  })

  it('gives the split that is asked for, and what is dropped with its reason', async () => {
    const root = await dataset({
      ...files,
      'data.yaml': 'train: train/images\nvalidation: [valid/images, train/images]\nnames: [dog, cat]\n',
    })
    const rows = await rowsOf({ format: 'yolo', path: root, split: 'val', prompt: { negatives: 3 } })
    expect(rows.map(({ dropped, exhaustive, absent }) => [dropped, exhaustive, absent])).toEqual([
      [{}, true, ['cat']],
      [{}, true, ['cat']],
      [{ unnamed_box: 1 }, false, []],
    ])
  })
})

describe('labels', () => {
  const yaml = { 'data.yaml': 'train: images\nnames: [dog]\n' }
  it('may be UTF-16, and end in capitals', async () => {
    const utf16 = Buffer.from(`\uFEFF${box}\r\n`, 'utf16le')
    const pictures = { 'images/a.jpg': '', 'images/b.jpg': '', 'images/c.jpg': '' }
    const labels = { 'labels/a.txt': utf16, 'labels/b.TXT': box, 'labels/c.txt': Buffer.from([0x30, 0xe9]) }
    const root = await dataset({ ...yaml, ...pictures, ...labels })
    const rows = await rowsOf({ format: 'yolo', path: root })
    expect(rows.map(({ regions, problem }) => problem?.reason ?? regions?.length)).toEqual([
      1,
      1,
      'malformed_row',
    ])
    expect(rows[2].problem?.detail).toContain('not UTF-8')
  })

  it('of a class whose name is blank are counted, and nobody knows what they are of', async () => {
    const root = await dataset({
      'data.yaml': 'train: images\nnames: [dog, " "]\n',
      'images/a.jpg': '',
      'labels/a.txt': `${box}\n1 0.5 0.5 0.1 0.1`,
    })
    const [row] = await rowsOf({ format: 'yolo', path: root })
    expect(row).toMatchObject({ dropped: { unnamed_box: 1 }, exhaustive: false })
  })

  it('that are empty or missing are a picture without boxes; those that cannot be read are a reject', async () => {
    const root = await dataset({
      ...yaml,
      'images/a.jpg': '',
      'images/b.jpg': '',
      'images/c.jpg': '',
      'images/d.jpg': '',
      'labels/a.txt': box,
      'labels/b.txt': '\n',
    })
    await mkdir(join(root, 'labels', 'c.txt'))
    const source = { format: 'yolo', path: join(root, 'data.yaml'), shard_size: 1 }
    const rows = await rowsOf(source)
    expect(rows.map(({ regions, problem }) => problem?.reason ?? regions?.length)).toEqual([
      1,
      0,
      'not_a_file',
      0,
    ])
    expect(rows[2].problem?.detail).toMatch(/its labels cannot be read: .*c\.txt/)
    expect(await rowsByShards(source)).toEqual(rows)
  })

  it.each([
    ['images/a.jpg', 'labels/a.txt'],
    ['/images/a.b.jpg', '/labels/a.b.txt'],
    ['x/images/images/a.jpg', 'x/images/labels/a.txt'],
    ['x\\images\\a.jpg', 'x/labels/a.txt'],
    ['x/myimages/a.jpg', 'x/myimages/a.txt'],
  ])('of %s are %s', (picture, path) => {
    expect(labelsPath(picture)).toBe(path)
  })

  it('may lie beside the pictures', async () => {
    expect(await read({ ...yaml, 'images/a.jpg': '', 'images/a.txt': box }, 'data.yaml')).toEqual([
      ['images/a.jpg', 'dog'],
    ])
  })
})

describe('a dataset without a data.yaml', () => {
  it('is that of Darknet, as CVAT writes it', async () => {
    const files = {
      'obj.data':
        'classes = 1\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n',
      'obj.names': 'dog\n',
      'train.txt': 'data/obj_train_data/a.jpg\n',
      'obj_train_data/a.jpg': '',
      'obj_train_data/a.txt': box,
    }
    expect(await read(files, '')).toEqual([['obj_train_data/a.jpg', 'dog']])
    await expect(read(files, 'obj.data', { split: 'val' })).rejects.toThrow(/data\/valid\.txt is not there/)
    await expect(read(files, 'obj.data', { split: 'test' })).rejects.toThrow(
      /no split "test"; it has: classes/,
    )
    await expect(read(files, 'train.txt')).rejects.toThrow(/is a list of pictures, not of names/)
  })

  it.each([
    ['labelImg', { 'a.jpg': '', 'a.txt': box, 'classes.txt': 'dog\r\ncat\r\n' }, '', 'a.jpg'],
    [
      'Label Studio',
      { 'images/a.jpg': '', 'labels/a.txt': box, 'classes.txt': 'dog', 'notes.json': '{}' },
      '',
      'images/a.jpg',
    ],
    [
      'names among the labels',
      { 'images/a.jpg': '', 'labels/a.txt': box, 'labels/classes.txt': 'dog' },
      'labels',
      'images/a.jpg',
    ],
    [
      "Roboflow's Darknet",
      { 'train/a.jpg': '', 'train/a.txt': box, 'train/_darknet.labels': 'dog' },
      'train',
      'train/a.jpg',
    ],
  ])('is that of %s', async (_, files, path, picture) => {
    expect(await read(files, path)).toEqual([[picture, 'dog']])
  })

  it('has its splits as folders, and needs names', async () => {
    const files = {
      'images/val/a.jpg': '',
      'labels/val/a.txt': box,
      'images/train/b.jpg': '',
      'classes.txt': 'dog',
    }
    expect(await read(files, 'classes.txt', { split: 'val' })).toEqual([['images/val/a.jpg', 'dog']])
    await expect(read({ 'a.jpg': '', 'a.txt': box }, '')).rejects.toThrow(
      /no data\.yaml, no obj\.data and no classes\.txt/,
    )
    await expect(read({ 'a.yaml': '', 'b.yaml': '' }, '')).rejects.toThrow(/has several: a\.yaml, b\.yaml/)
    const other = { 'pipeline.yaml': 'stages: []\n', 'classes.txt': 'dog', 'a.jpg': '', 'a.txt': box }
    expect(await read(other, '')).toEqual([['a.jpg', 'dog']])
    const latin1 = Buffer.from('caf\xe9\n', 'latin1')
    await expect(read({ ...other, 'classes.txt': latin1 }, '')).rejects.toThrow(
      /classes\.txt is not UTF-8: save/,
    )
  })
})
