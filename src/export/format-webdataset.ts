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
        folder.end(tarName)
      },
      async finish() {},
    }
  },
  layout({ shards }) {
    const tars = shards.map(({ shard }) => `${shard}.tar`)
    const sample = (fileSet: string, ending: string) => ({
      ...{ of: { fileSet }, extract: { fileProperty: 'filename' } as const },
      transform: [{ regex: `^(.*)\\.${ending}$` }],
    })
    const content = (fileSet: string) => ({ of: { fileSet }, extract: { fileProperty: 'content' } }) as const
    return {
      fileSets: [
        {
          id: 'picture-files',
          description: 'the pictures within the tars',
          includes: ['*.jpg', '*.png', '*.webp', '*.gif', '*.bmp', '*.tif', '*.avif'],
          ...{ containedIn: tars, encodingFormat: 'image/jpeg' },
        },
        {
          id: 'json-files',
          description: 'what is said of them, a JSON object each',
          ...{ includes: ['*.json'], containedIn: tars, encodingFormat: 'application/json' },
        },
      ],
      records: [
        {
          ...{ id: 'images', description: 'the picture of a sample', key: 'sample' },
          fields: [
            {
              ...{ name: 'sample', description: 'name of the sample', type: 'sc:Text' },
              source: sample('picture-files', '\\w+'),
            },
            {
              ...{ name: 'image', description: 'the picture', type: 'sc:ImageObject' },
              source: content('picture-files'),
            },
          ],
        },
        {
          ...{ id: 'pictures', description: 'a sample: a picture and what is said of it', key: 'sample' },
          fields: [
            {
              ...{ name: 'sample', description: 'name of the sample', type: 'sc:Text' },
              ...{ source: sample('json-files', 'json'), references: 'images/sample' },
            },
            {
              name: 'json',
              description:
                'key, size, captions, regions (caption, start, end, text, xyxy, score, origin) as JSON',
              ...{ type: 'sc:Text', source: content('json-files') },
            },
            {
              ...{ name: 'image', description: 'the picture', type: 'sc:ImageObject' },
              source: { field: 'images/image' },
            },
          ],
        },
      ],
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
