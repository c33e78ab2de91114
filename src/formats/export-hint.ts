import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readAt } from './read-tar.js'

/** How files begin that other programs write for themselves, and what these programs can write besides. */
const exports: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /"shapes"\s*:\s*\[[\s\S]*"(shape_type|imagePath|imageData|flags)"|"imagePath"[\s\S]*"shapes"\s*:\s*\[/,
    "labelme's JSON, one a picture: make COCO or VOC of it, as with its labelme2coco.py or labelme2voc.py",
  ],
  [
    /"_via_|"shape_attributes"|region_shape_attributes/,
    'of VGG Image Annotator: export "Annotations (COCO format)" there',
  ],
  [
    /"from_name"|"annotations"\s*:\s*\[\s*\{[^[\]{}]*"(completed_by|result)"/,
    'of Label Studio: export "COCO" or "YOLO" there',
  ],
  [
    /<annotations>[\s\S]*(<image\s|<meta>)/,
    '"CVAT for images": export "COCO", "Pascal VOC" or "YOLO" from CVAT',
  ],
  [/"classTitle"/, 'of Supervisely: export COCO, Pascal VOC or YOLO there'],
  [
    /"coordinates"\s*:\s*\{\s*"(x|y|width|height)"/,
    "CreateML's JSON: export COCO, Pascal VOC or YOLO where it was written",
  ],
  [/"asset"\s*:\s*\{[\s\S]*"boundingBox"/, 'of VoTT: export "Pascal VOC" there'],
]

const headBytes = 1 << 18

/**
 * What to do with a file that another program wrote in a form of its own, for the end of a message that says
 * why it cannot be read.
 *
 * @param path the file, or a folder in which such files are
 * @returns empty where nothing is known of it
 */
export async function exportHint(path: string): Promise<string> {
  const head = await headOf(path).catch(() => '')
  const advice = exports.find(([pattern]) => pattern.test(head))?.[1]
  return advice === undefined ? '' : ` It is ${advice}.`
}

async function headOf(path: string): Promise<string> {
  if ((await stat(path)).isDirectory()) {
    const name = (await readdir(path)).sort().find((one) => /^[^.].*\.(json|xml)$/i.test(one))
    return name === undefined ? '' : headOf(join(path, name))
  }
  const handle = await open(path, 'r')
  try {
    return Buffer.from(await readAt(handle, 0, headBytes)).toString('utf8')
  } finally {
    await handle.close()
  }
}
