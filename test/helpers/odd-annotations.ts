/** Files of annotations as people's programs write them, each with what is odd about it. */

const sizes = { width: 400, height: 200 }
const picture = (id: number, more: object = {}) => ({ id, file_name: `${id}.jpg`, ...sizes, ...more })
const box = (id: number, more: object = {}) => ({
  id,
  image_id: id,
  category_id: 1,
  bbox: [50, 40, 100, 100],
  ...more,
})
const dog = { id: 1, name: 'dog' }
const both = [picture(1), picture(2)]
const whole = { images: both, annotations: [box(1), box(2)], categories: [dog] }

/** Two pictures with a box each in COCO's form, but for what the name says; `"NaN"` is written as Python does. */
export const oddAnnotations: Readonly<Record<string, object | string | Buffer>> = {
  'nothing odd': whole,
  'an annotation of a picture that the file lacks': { ...whole, annotations: [box(1), box(2), box(77)] },
  'annotations of a category that the file lacks': {
    ...whole,
    annotations: [box(1), box(2, { category_id: 9 }), box(2, { category_id: 9 })],
  },
  '`image_id` as a text': { ...whole, annotations: [box(1, { image_id: '1' }), box(2, { image_id: '2' })] },
  '`category_id` as a text': { ...whole, annotations: [box(1, { category_id: '1' }), box(2)] },
  'ids over 2^53': JSON.stringify({
    ...whole,
    images: [picture(1, { id: 'A' }), picture(2, { id: 'B' })],
    annotations: [box(1, { image_id: 'A' }), box(2, { image_id: 'B' })],
  })
    .replaceAll('"A"', '9007199254740992')
    .replaceAll('"B"', '9007199254740993'),
  'two pictures of one id': {
    ...whole,
    images: [picture(1), picture(2, { id: 1 })],
    annotations: [box(1), box(1)],
  },
  'a picture that is listed twice': { ...whole, images: [...both, picture(2)] },
  'two categories of one id': { ...whole, categories: [dog, { id: 1, name: 'cat' }] },
  'an annotation without `image_id`': {
    ...whole,
    annotations: [...whole.annotations, box(3, { image_id: null })],
  },
  'a category named by a number': { ...whole, categories: [dog, { id: 2, name: 7 }] },
  'a licence that is none': { ...whole, licenses: ['CC BY', { url: null, id: 0, name: null }] },
  'a picture without a name': { ...whole, images: [...both, { id: 3, ...sizes }] },
  'nothing but annotations that are none': { ...whole, annotations: ['box', {}] },
  'nothing but annotations of other pictures': { ...whole, annotations: [box(7), box(8)] },
  'nulls wherever a key may be absent': {
    ...whole,
    images: both.map((image) => ({ ...image, license: null, coco_url: null, caption: null })),
    annotations: [box(1, { iscrowd: null, score: null }), box(2, { tokens_positive: null, origin: null })],
    categories: [{ ...dog, supercategory: null }],
  },
  'sizes of 0': { ...whole, images: both.map((image) => ({ ...image, width: 0, height: 0 })) },
  '`NaN` beside a box': { ...whole, annotations: [box(1, { area: 'NaN' }), box(2)] },
  '`NaN` in a box': { ...whole, annotations: [box(1, { bbox: [50, 'NaN', 100, 100] }), box(2)] },
  'numbers of a box as texts': {
    ...whole,
    annotations: [box(1, { bbox: ['50', '40', '100.0', '100'] }), box(2)],
  },
  'a box of five numbers': { ...whole, annotations: [box(1, { bbox: [50, 40, 100, 100, 30] }), box(2)] },
  'an outline and no box': {
    ...whole,
    annotations: [box(1, { bbox: null, segmentation: [[50, 40, 150, 40, 150, 140]] }), box(2)],
  },
  'neither box nor outline': { ...whole, annotations: [box(1, { bbox: [], segmentation: [] }), box(2)] },
  'a box outside the picture': { ...whole, annotations: [box(1, { bbox: [900, 40, 9, 9] }), box(2)] },
  'the slashes of Windows': { ...whole, images: [picture(1, { file_name: '.\\1.jpg' }), picture(2)] },
  'a path of another machine': {
    ...whole,
    images: [picture(1, { file_name: 'C:\\data\\1.jpg' }), picture(2, { file_name: '/data/upload/7/2.jpg' })],
  },
  ...Object.fromEntries(
    Object.entries({
      'a picture beside the folder of pictures': '../private.jpg',
      'a picture by the name of its folder and more': '../pictures-2.jpg',
      'a picture that is a link out of the folder': 'leads-out.jpg',
      'a picture that is a link within the folder': 'leads-in.jpg',
      'a picture that is a link to itself': 'circle.jpg',
      'a picture that is a device': '/dev/zero',
      'a picture that is a file of the system': '/etc/passwd',
      'a picture that is a pipe': 'pipe.jpg',
      'a picture that is a folder': 'folder.jpg',
      'a picture of no bytes': 'empty.jpg',
      'a picture of more than `max_bytes`': 'large.jpg',
      'a picture that is not there': 'nowhere.jpg',
      'a picture with a null character in its name': '1\0.jpg',
    }).map(([name, file]) => [name, { ...whole, images: [picture(1, { file_name: file }), picture(2)] }]),
  ),
  'UTF-8 with a byte order mark': `\uFEFF${JSON.stringify(whole)}`,
  'UTF-16': Buffer.from(`\uFEFF${JSON.stringify(whole)}`, 'utf16le'),
  'a Windows code page': Buffer.from(
    JSON.stringify({ ...whole, categories: [{ id: 1, name: 'bär' }] }),
    'latin1',
  ),
  'a file that is cut short': JSON.stringify(whole).slice(0, -10),
  'a list': [whole],
}
