import { parseJson, stringifyJson } from '../base/parse-json.js'
import { shortFloat } from './float-text.js'
import type { Format, Writer } from './format.js'
import { dotless } from './picture-names.js'
import { pictureEnding } from './place-picture.js'
import { pictureObject } from './region-object.js'
import { identityKeys } from './source-identity.js'
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
        const tarName = `${shard}.tar`
        const tar = await folder.part(tarName)
        const add = async (member: string, content: Uint8Array) => {
          for (const part of tarMember(member, content)) await tar.write(part)
        }
        for await (const { row, name } of rows) {
          const { bytes, captions, regions } = row
          const sample = dotless(name)
          const picture = pictureObject(row)
          const short = picture.regions.map(({ xyxy, score, ...region }) => ({
            ...region,
            xyxy: xyxy.map(shortFloat),
            score: shortFloat(score),
          }))
          const meta = picture.meta && parseJson(picture.meta)
          const json = { ...picture, regions: short, meta, ...identityKeys(row) }
          await add(`${sample}.${pictureEnding(bytes)}`, bytes)
          await add(`${sample}.json`, Buffer.from(stringifyJson(json)))
          await add(`${sample}.txt`, Buffer.from(captions[0]?.text ?? ''))
          written.captions += captions.length
          written.regions += regions.length
        }
        await tar.write(tarEnd)
        await folder.end(tarName)
      },
      async finish() {},
    }
  },
  ingest: (folder, { format }) => ({
    regions: {
      format,
      path: folder,
      columns: { caption: 'json.captions', regions: 'json.regions', meta: ['source_id', 'source_name'] },
    },
  }),
}
