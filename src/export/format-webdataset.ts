import { parseJson, stringifyJson } from '../base/parse-json.js'
import { shortFloat } from './float-text.js'
import type { Format, Writer } from './format.js'
import { pictureEnding } from './place-picture.js'
import { pictureObject } from './region-object.js'
import { tarEnd, tarMember } from './tar-member.js'

/**
 * WebDataset: a tar a shard, and in it for each picture KEY.jpg (or its own ending), KEY.json with all that
 * is said of it, and KEY.txt with its first caption, which most loaders of pairs ask for.
 */
export const webdataset: Format = {
  pictures: 'within',
  urls: false,
  lacks: ['phrases without a box', 'negatives', 'areas', 'crowds'],
  notes: [],
  async open({ folder, memory }): Promise<Writer> {
    const { written } = memory.sums
    return {
      async shard({ shard }, rows) {
        const name = `${shard}.tar`
        const tar = await folder.part(name)
        const add = async (member: string, content: Uint8Array) => {
          for (const part of tarMember(member, content)) await tar.write(part)
        }
        for await (const { row } of rows) {
          const { key, bytes, captions, regions } = row
          const picture = pictureObject(row)
          const short = picture.regions.map(({ xyxy, score, ...region }) => ({
            ...region,
            xyxy: xyxy.map(shortFloat),
            score: shortFloat(score),
          }))
          const json = { ...picture, regions: short, meta: picture.meta && parseJson(picture.meta) }
          await add(`${key}.${pictureEnding(bytes)}`, bytes)
          await add(`${key}.json`, Buffer.from(stringifyJson(json)))
          await add(`${key}.txt`, Buffer.from(captions[0]?.text ?? ''))
          written.captions += captions.length
          written.regions += regions.length
        }
        await tar.write(tarEnd)
        await folder.end(name)
      },
      async finish() {},
    }
  },
  ingest: (folder, { format }) => ({
    regions: { format, path: folder, columns: { caption: 'json.captions', regions: 'json.regions' } },
  }),
}
