import { join } from 'node:path'
import { asciiJson } from '../base/ascii-json.js'
import { helperPrefix } from './export-folder.js'
import type { WriterContext } from './format.js'
import { appendFile, type PartFile } from './part-file.js'

type ListName = 'images' | 'annotations'

/** A COCO file whose two lists grow in files of their own, to be joined at the end. */
export async function openCocoFile(folder: WriterContext['folder'], name: string) {
  const helper = (list: ListName) => `${helperPrefix}${name}-${list}.json`
  const parts: Record<ListName, PartFile> = {
    images: await folder.part(helper('images')),
    annotations: await folder.part(helper('annotations')),
  }
  return {
    async add(list: ListName, value: object) {
      const part = parts[list]
      await part.write(`${part.length() > 0 ? ',\n' : ''}${asciiJson(value)}`)
    },
    async finish(head: object) {
      const file = `${name}.json`
      const whole = await folder.part(file)
      await whole.write(`${asciiJson({ info: { description: name }, ...head }).slice(0, -1)}`)
      for (const list of ['images', 'annotations'] as const) {
        await parts[list].flush()
        await whole.write(`,\n"${list}": [\n`)
        await appendFile(join(folder.path, helper(list)), whole)
        await whole.write('\n]')
      }
      await whole.write('}\n')
      await folder.end(file)
    },
  }
}
