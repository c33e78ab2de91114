import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { parseVocAnnotation } from '../../src/formats/voc-annotation.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { rowsByShards, rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
async function dataset(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = join(folder, String(count++))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}
const bndbox = (box: string) => {
  const [xmin, ymin, xmax, ymax] = box.split(' ')
  return `<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox>`
}
const object = (name: string, inside = bndbox('1 2 9 8')) => `<object><name>${name}</name>${inside}</object>`
const xml = (...inside: string[]) => `<annotation>${inside.join('\n')}</annotation>\n`
const size = (width: number, height: number) =>
  `<size><width>${width}</width><height>${height}</height><depth>3</depth></size>`
const parse = (text: string) => parseVocAnnotation(Buffer.from(text))
const boxesOf = (inside: string) =>
  parse(xml(`<object><name>a</name>${inside}</object>`)).objects[0].boxes.map(({ xyxy }) =>
    xyxy.map((side) => Math.round(side * 100) / 100),
  )

describe('an annotation', () => {
  it('has names as they are meant, whatever stands around them', () => {
    const text = xml(
      '<filename> a.jpg </filename><path>C:\\somebody\\a.jpg</path>',
      size(0, 0),
      object(' traffic  light\n'),
      object('Q&amp;A &lt;b&gt; caf&#233; &#x1F993;'),
      object('<![CDATA[R&D]]>'),
      object('007'),
      object(
        '1e3',
        `${bndbox('1 2 9 8')}<part><name>head</name>${bndbox('3 3 4 4')}</part><difficult>1</difficult>`,
      ),
      object('gone', '<deleted>1</deleted>'),
      '<object><bndbox/></object>',
    )
    const { filename, size: said, objects } = parse(`\uFEFF<?xml version="1.0"?>\n<!-- by hand -->\n${text}`)
    expect([filename, said]).toEqual(['a.jpg', undefined])
    expect(objects.map(({ name, difficult, boxes }) => [name, difficult, boxes.length])).toEqual([
      ['traffic  light', false, 1],
      ['Q&A <b> café 🦓', false, 1],
      ['R&D', false, 1],
      ['007', false, 1],
      ['1e3', true, 1],
      ['', false, 0],
    ])
  })

  it('has its objects wherever they stand, in elements of any case and prefix', () => {
    const hat = object('hat', bndbox('3 3 6 6'))
    const names = (text: string) => parse(text).objects.map(({ name, boxes }) => [name, boxes.length])
    expect(names(xml(object('man', `${bndbox('1 2 9 8')}${hat}`)))).toEqual([
      ['man', 1],
      ['hat', 1],
    ])
    expect(names(xml(`<objects>${hat}<object><part>${hat}</part></object></objects>`))).toEqual([
      ['hat', 1],
      ['', 0],
    ])
    expect(names(xml(hat).replaceAll('object>', 'Object>').replaceAll('xmin>', 'XMin>'))).toEqual([
      ['hat', 1],
    ])
    expect(
      names(
        xml(hat)
          .replaceAll('</', '</v:')
          .replaceAll(/<(?!\/)/g, '<v:'),
      ),
    ).toEqual([['hat', 1]])
    expect(names(xml('<object name="dog"/>', hat))).toEqual([
      ['', 0],
      ['hat', 1],
    ])
    expect(parse(xml(object('a', '<difficult>yes</difficult>'))).objects[0].difficult).toBe(true)
  })

  it.each([
    ['a box with fractions', bndbox('1.5 2 9.25 8'), [[1.5, 2, 9.25, 8]]],
    [
      'several boxes',
      bndbox('1 2 9 8') + bndbox('2 2 3 3'),
      [
        [1, 2, 9, 8],
        [2, 2, 3, 3],
      ],
    ],
    ['a box that is no number', bndbox('a 2 9 8'), []],
    ['half a box', '<bndbox><xmin>1</xmin></bndbox>', []],
    [
      "an outline of LabelMe's",
      '<polygon><username>x</username><pt><x>3</x><y>9</y></pt><pt><x>5</x><y>2</y></pt></polygon>',
      [[3, 2, 5, 9]],
    ],
    [
      "an outline of Roboflow's",
      '<polygon><x1>3</x1><y1>9</y1><x2>5.5</x2><y2>2</y2></polygon>',
      [[3, 2, 5.5, 9]],
    ],
    ['an outline from 0 on', '<polygon><x0>3</x0><y0>9</y0><x1>5</x1><y1>2</y1></polygon>', [[3, 2, 5, 9]]],
    ['a box and its outline', `<polygon><x1>3</x1><y1>9</y1></polygon>${bndbox('1 2 9 8')}`, [[1, 2, 9, 8]]],
    [
      'a turned box',
      '<robndbox><cx>10</cx><cy>10</cy><w>8</w><h>2</h><angle>1.570796</angle></robndbox>',
      [[9, 6, 11, 14]],
    ],
  ])('may have %s', (_, inside, wanted) => {
    expect(boxesOf(inside)).toEqual(wanted)
  })

  it.each([
    ['cut short', '<annotation><object>', /line 1: /],
    ['not XML', 'class 1 2 3', /line 1: /],
    ['empty', '', /line \d+: |root/],
    [
      'of CVAT',
      '<annotations><version>1.1</version><image id="0" name="a.jpg"/></annotations>',
      /its root is <annotations>.*"CVAT for images"; export "Pascal VOC"/,
    ],
    ['a page', '<html><body/></html>', /its root is <html>/],
    [
      'a bomb',
      `<!DOCTYPE a [<!ENTITY x "${'y'.repeat(100)}"><!ENTITY z "&x;&x;">]>${xml(object('&z;'))}`,
      /defines entities/,
    ],
    ['with an entity of HTML', xml(object('caf&eacute;')), /uses &eacute;, which XML does not know/],
    ['nested for ever', `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`, /./],
    [
      'in an unknown encoding',
      `<?xml version="1.0" encoding="klingon"?>${xml()}`,
      /encoding klingon is not known/,
    ],
  ])('that is %s is refused', (_, text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  it('may be in the encoding that it says', () => {
    const text = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>${xml(object('é'))}`
    const nameIn = (bytes: Uint8Array) => parseVocAnnotation(bytes).objects[0].name
    expect(nameIn(Buffer.from(text('ISO-8859-1'), 'latin1'))).toBe('é')
    expect(nameIn(Buffer.from(`\uFEFF${text('utf-16')}`, 'utf16le'))).toBe('é')
    expect(nameIn(Buffer.from(text('utf-16'), 'utf8'))).toBe('é')
    const gbk = Buffer.concat([
      Buffer.from('<?xml version="1.0" encoding="GBK"?><annotation><object><name>'),
      Buffer.from([0xb9, 0xb7]),
      Buffer.from('</name></object></annotation>'),
    ])
    expect(nameIn(gbk)).toBe('狗')
    expect(() => nameIn(Buffer.from(text('utf-8'), 'latin1'))).toThrow(/it is not utf-8/)
  })
})

describe('a folder of annotations', () => {
  /** Picture and place of a row. */
  const read = async (files: Readonly<Record<string, string>>, path = '', given: object = {}) => {
    const root = await dataset(files)
    const rows = await rowsOf({ format: 'voc', path: join(root, path), ...given })
    return rows.map(({ file, problem }) => file?.slice(root.length + 1) ?? problem?.reason)
  }
  const own = {
    'Annotations/a.xml': xml(object('dog')),
    'Annotations/b.xml': xml('<filename>other.jpg</filename>'),
    'JPEGImages/a.jpg': '',
    'JPEGImages/b.jpg': '',
    'JPEGImages/other.jpg': '',
    'ImageSets/Main/train.txt': 'a\r\n',
    'ImageSets/Main/dog_val.txt': 'a  1\nb -1\nc  0\n',
  }
  it("is VOC's, whole or by its lists; an annotation's own name comes first", async () => {
    const both = ['JPEGImages/a.jpg', 'JPEGImages/b.jpg']
    expect(await read(own)).toEqual(both)
    expect(await read(own, 'Annotations')).toEqual(both)
    expect(await read(own, '', { split: 'train' })).toEqual(['JPEGImages/a.jpg'])
    expect(await read(own, 'Annotations', { split: 'dog_val' })).toEqual([...both, 'missing_file'])
    expect(await read(own, 'Annotations/b.xml')).toEqual(['JPEGImages/b.jpg'])
    await expect(read(own, '', { split: 'val' })).rejects.toThrow(
      /no split "val"; it has: dog_val, train, Annotations/,
    )
  })

  it.each([
    [
      'and pictures of the same names in two splits',
      {
        'x/Annotations/a.xml': xml(),
        'x/JPEGImages/a.jpg': '',
        'y/Annotations/a.xml': xml(),
        'y/JPEGImages/a.jpg': '',
      },
      {},
      ['x/JPEGImages/a.jpg', 'y/JPEGImages/a.jpg'],
    ],
    [
      'that a list in the root names by pictures and annotations',
      {
        'Annotations/a.xml': xml(),
        'Annotations/b 1.xml': xml(),
        'JPEGImages/a.jpg': '',
        'JPEGImages/b 1.jpg': '',
        'few.txt': 'a.jpg\n./JPEGImages/b 1.jpg ./Annotations/b 1.xml\n',
      },
      { split: 'few' },
      ['JPEGImages/a.jpg', 'JPEGImages/b 1.jpg'],
    ],
    ['beside the pictures', { 'a.xml': xml(), 'a.JPG': '' }, {}, ['a.JPG']],
    [
      'in folders of splits',
      { 'train/a.xml': xml(), 'train/a.jpg': '', 'valid/b.xml': xml(), 'valid/b.jpg': '' },
      { split: 'valid' },
      ['valid/b.jpg'],
    ],
    [
      'in folders within',
      { 'annotations/x/a.xml': xml(), 'images/x/a.png': '', 'images/y/a.png': '' },
      {},
      ['images/x/a.png'],
    ],
    ['with dots in the names', { 'a_jpg.rf.1.xml': xml(), 'a_jpg.rf.1.jpg': '' }, {}, ['a_jpg.rf.1.jpg']],
    [
      'with another name within',
      { 'a.xml': xml('<filename>D:\\x\\p 1.jpg</filename>'), 'p 1.jpg': '' },
      {},
      ['p 1.jpg'],
    ],
    [
      'with a name without its ending',
      { 'a.xml': xml('<filename>p</filename>'), 'p.png': '' },
      {},
      ['p.png'],
    ],
    ['with a wrong ending', { 'a.xml': xml('<filename>p.jpg</filename>'), 'p.png': '' }, {}, ['p.png']],
    ['with two pictures of a name', { 'a.xml': xml(), 'a.jpg': '', 'a.png': '' }, {}, ['missing_file']],
    [
      'with two pictures of a name, one named',
      { 'a.xml': xml('<filename>a.png</filename>'), 'a.jpg': '', 'a.png': '' },
      {},
      ['a.png'],
    ],
    [
      'without the picture',
      { 'a.xml': xml('<filename>b.jpg</filename>'), '._a.xml': '', 'c.jpg': '' },
      {},
      ['missing_file'],
    ],
  ])('may hold XML %s', async (_, files, given, wanted) => {
    expect(await read(files, '', given)).toEqual(wanted)
  })

  it('must have annotations', async () => {
    await expect(read({ 'a.jpg': '' })).rejects.toThrow(/has no annotations \(\.xml\)/)
  })

  it('costs a broken file alone, and goes on from any row', async () => {
    const root = await dataset({
      'a.xml': '<annotation>',
      'a.jpg': '',
      'b.xml': xml(object('dog')),
      'b.jpg': '',
    })
    const source = { format: 'voc', path: root, shard_size: 1 }
    const rows = await rowsOf(source)
    expect(rows.map(({ problem, regions }) => problem?.reason ?? regions?.length)).toEqual([
      'malformed_row',
      1,
    ])
    expect(rows[0].problem?.detail).toMatch(/a\.xml: line 1/)
    expect(await rowsByShards(source)).toEqual(rows)
  })
})

describe('boxes of annotations', () => {
  const one = async (text: string, given: object = {}) => {
    const path = await dataset({ 'a.xml': text, 'a.jpg': '' })
    return (await rowsOf({ format: 'voc', path, ...given }))[0]
  }

  it('go from pixel to pixel, counted from 1, or from edge to edge', async () => {
    const text = xml(
      object('dog', bndbox('1 1 40 30')),
      object('cat', '<polygon><x1>3</x1><y1>9</y1></polygon>'),
    )
    const sides = async (given: object) => (await one(text, given)).regions?.map(({ xyxy }) => xyxy)
    expect(await sides({})).toEqual([
      [0, 0, 40, 30],
      [3, 9, 3, 9],
    ])
    expect(await sides({ corners: 'edges' })).toEqual([
      [1, 1, 40, 30],
      [3, 9, 3, 9],
    ])
  })

  it('that are difficult are ignored, others that cannot be read are counted, and of neither is said that all are there', async () => {
    const classes = join(folder, 'labelmap.txt')
    await writeFile(classes, '# label:color_rgb:parts:actions\nbackground:0,0,0::\nox:1,2,3::\ndog:::\ncat\n')
    const text = xml(
      object('dog', `${bndbox('2 2 9 8')}<difficult>1</difficult>`),
      object('cat', bndbox('x 2 9 8')),
      object('cat', bndbox('1 2 9 8')),
    )
    expect(await one(text, { classes, prompt: { negatives: 5 } })).toMatchObject({
      regions: [{ category: 'cat', order: 2 }],
      ignored: [{ category: 'dog', xyxy: [1, 1, 9, 8], crowd: false }],
      dropped: { difficult_box: 1, malformed_box: 1 },
      partial: ['dog', 'cat'],
      absent: ['ox'],
      exhaustive: true,
    })
    const unnamed = await one(xml(object('')), { classes, prompt: { negatives: 5 } })
    expect(unnamed).toMatchObject({ dropped: { unnamed_box: 1 }, exhaustive: false, absent: [] })
  })

  it('are in the picture that is stored', async () => {
    const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#c33' } })
      .jpeg()
      .toBuffer()
    const path = await dataset({
      'a.xml': xml(size(80, 60), object('dog', bndbox('21 11 60 40'))),
      'a.jpg': picture,
    })
    const { all, images } = await ingestAll(join(folder, 'stored'), { format: 'voc', path })
    expect(images[0].captions).toEqual([{ text: 'dog', kind: 'categories' }])
    expect(images[0].meta).toBe('{"file_name":"a.jpg"}')
    expect((await all('grounding'))[0].regions.map(({ xyxy }) => [...xyxy])).toEqual([[10, 5, 30, 20]])
  })
})
