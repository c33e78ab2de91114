import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, parse } from 'node:path'

interface CocoCaptions {
  readonly images: readonly { readonly id: number; readonly file_name: string }[]
  readonly annotations: readonly { readonly image_id: number; readonly caption: string }[]
}

/**
 * A folder as somebody has it: the pictures of a folder of COCO's form (images/, captions.json), each with its captions in a text file
 * beside it, a line each.
 */
export async function captionsBeside(coco: string, folder: string): Promise<void> {
  const { images, annotations } = JSON.parse(
    await readFile(join(coco, 'captions.json'), 'utf8'),
  ) as CocoCaptions
  await mkdir(folder, { recursive: true })
  for (const { id, file_name: name } of images) {
    const captions = annotations.filter(({ image_id }) => image_id === id)
    const lines = captions.map(({ caption }) => caption.trim().replace(/\s+/g, ' '))
    await copyFile(join(coco, 'images', name), join(folder, name))
    await writeFile(join(folder, `${parse(name).name}.txt`), `${lines.join('\n')}\n`)
  }
}
