import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCategoryTruth, readCocoTruth } from '../../src/audit/coco-truth.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const caption = 'a cat'
const path = join(folder, 'truth.json')
await writeFile(
  path,
  JSON.stringify({
    images: [{ id: 1, file_name: 'a.jpg', width: 64, height: 63, caption }],
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [5, 11, 20, 10], tokens_positive: [[2, 5]] }],
    categories: [{ id: 1, name: 'cat' }],
  }),
)

describe('a truth in the form of COCO', () => {
  it('tells of what it cannot use', async () => {
    const odd = join(folder, 'odd.json')
    const annotation = { image_id: 1, category_id: 1, bbox: [5, 11, 20, 10], tokens_positive: [[2, 5]] }
    const annotations = [
      annotation,
      { ...annotation, bbox: [1, 2, 0, 4] },
      { ...annotation, tokens_positive: 'x' },
      { ...annotation, image_id: 9 },
      { image_id: 1, caption: 'a cat' },
    ]
    await writeFile(
      odd,
      JSON.stringify({
        images: [{ id: 1, file_name: 'a.jpg', width: 64, height: 63, caption }],
        annotations,
        categories: [{ id: 1, name: 'cat' }],
      }),
    )
    for (const read of [readCocoTruth, readCategoryTruth]) {
      const notices: string[] = []
      await read(odd, (text) => notices.push(text))
      expect(notices).toEqual([
        `${odd} annotations[3]: image_id 9, an id that no picture has`,
        `${odd}: 2 boxes are malformed or of no size, and left out of the truth`,
      ])
    }
  })

  it('knows an attribute that is null from one that is not said', async () => {
    const told = join(folder, 'told.json')
    const annotation = { image_id: 1, category_id: 1, tokens_positive: [[2, 5]] }
    await writeFile(
      told,
      JSON.stringify({
        images: [{ id: 1, file_name: 'a.jpg', width: 64, height: 63, caption, license: null }],
        annotations: [
          { ...annotation, bbox: [5, 11, 20, 10], attributes: { colour: 'Gray', size: null } },
          { ...annotation, bbox: [5, 30, 20, 10], attributes: { colour: 'blue' }, area: null },
        ],
        categories: [{ id: 1, name: 'cat', supercategory: null }],
      }),
    )
    const truthOf = await readCocoTruth(told)
    const captions = [{ text: caption, kind: 'web' }] as const
    const truth = truthOf({
      captions,
      url: null,
      meta: JSON.stringify({ file_name: 'a.jpg' }),
      width: 64,
      height: 63,
    })
    expect(truth?.objects.map(({ attributes }) => attributes)).toEqual([
      { colour: 'grey', size: null },
      { colour: 'blue', size: undefined },
    ])
  })

  it.each([
    [{}, [5 * (63 / 64), 11 * (63 / 64), 25 * (63 / 64), 21 * (63 / 64)]],
    [{ exif_orientation: 6 }, [42, 5, 52, 25]],
    [{ exif_orientation: 8 }, [11, 39, 21, 59]],
  ])('has its boxes where a picture was turned upright with it: %j', async (more, box) => {
    const truthOf = await readCocoTruth(path)
    const meta = JSON.stringify({ file_name: 'a.jpg', ...more })
    const captions = [{ text: caption, kind: 'web' }] as const
    const truth = truthOf({ captions, url: null, meta, width: 63, height: 64 })
    expect(truth?.objects.map(({ xyxy }) => xyxy)).toEqual([box])
  })
})
