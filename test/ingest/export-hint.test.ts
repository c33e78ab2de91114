import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exportHint } from '../../src/formats/export-hint.js'
import { planOf, rowsOf, withSource } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
async function file(name: string, content: string | object): Promise<string> {
  const path = join(folder, String(count++), name)
  await mkdir(join(path, '..'))
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  return path
}

const labelme = {
  version: '5.4.1',
  flags: {},
  shapes: [{ label: 'dog', points: [], shape_type: 'rectangle', flags: {} }],
  imagePath: 'a.jpg',
  imageData: null,
}
const regions = [{ shape_attributes: { name: 'rect', x: 1 }, region_attributes: {} }]
const via = {
  _via_settings: {},
  _via_img_metadata: { 'a.jpg123': { filename: 'a.jpg', size: 123, regions } },
}
const studio = [
  {
    id: 1,
    annotations: [
      { id: 1, completed_by: 1, result: [{ from_name: 'label', to_name: 'image', type: 'rectanglelabels' }] },
    ],
    data: { image: '/data/a.jpg' },
  },
]
const cvat =
  '<?xml version="1.0"?>\n<annotations>\n  <version>1.1</version>\n  <meta/>\n  <image id="0" name="a.jpg"/>\n</annotations>'

describe('a file that another program wrote for itself', () => {
  it.each([
    ['coco', "labelme's JSON", 'a.json', labelme],
    ['json', "labelme's JSON", 'a.json', labelme],
    ['yolo', "labelme's JSON", 'a.json', labelme],
    ['voc', "labelme's JSON", 'a.json', labelme],
    ['coco', 'of VGG Image Annotator: export "Annotations (COCO format)"', 'via.json', via],
    ['json', 'of VGG Image Annotator', 'via.json', via],
    [
      'csv',
      'of VGG Image Annotator',
      'via.csv',
      'filename,file_size,region_shape_attributes\na.jpg,1,"{}"\n',
    ],
    ['coco', 'of Label Studio: export "COCO" or "YOLO"', 'project.json', studio],
    ['json', 'of Label Studio', 'project.json', studio],
    ['coco', '"CVAT for images": export "COCO"', 'annotations.xml', cvat],
    ['yolo', '"CVAT for images"', 'annotations.xml', cvat],
  ])('is named where %s cannot read it: %s', async (format, words, name, content) => {
    const path = await file(name, content)
    const given = { format, ...(format === 'coco' ? { instances: path } : { path }) }
    await expect(rowsOf(given)).rejects.toThrow(` It is ${words}`)
    await expect(planOf(given)).rejects.toThrow(` It is ${words}`)
  })

  it('is named where it lies in a folder, and when a source is hashed', async () => {
    const path = join(await file('a.json', labelme), '..')
    await expect(rowsOf({ format: 'voc', path })).rejects.toThrow(/has no annotations.* It is labelme's JSON/)
    await expect(withSource({ format: 'yolo', path }, (source) => source.hash())).rejects.toThrow(
      /It is labelme's/,
    )
  })

  it('is not taken for one where it is none', async () => {
    const coco = {
      info: {},
      images: [{ id: 1, file_name: 'a.jpg' }],
      annotations: [{ bbox: [1, 2, 3, 4], flags: {} }],
      categories: [],
    }
    expect(await exportHint(await file('coco.json', coco))).toBe('')
    expect(await exportHint(join(folder, 'nowhere.json'))).toBe('')
    await expect(rowsOf({ format: 'json', path: await file('list.json', [{ link: 'u' }]) })).rejects.toThrow(
      /has no key "url"; it has: link\. Name the one that is meant with `columns\.url`\.$/,
    )
  })
})
