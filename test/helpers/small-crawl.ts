import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { imageServer } from './image-server.js'
import { temporaryFolder } from './temporary-folder.js'

/** Six pictures, by their addresses in a list and as gold with boxes: three shards of two each. */
export interface SmallCrawl {
  readonly folder: string
  readonly url: string
  /** How often each path was asked for. */
  readonly visits: Map<string, number>
  /** What the server answers for a picture in the place of it. */
  readonly status: Map<number, number>
  /** The list of addresses, and the boxes of gold. */
  readonly list: string
  readonly instances: string
  /** Writes the list: pictures by their numbers. */
  writeList(pictures: readonly number[]): Promise<void>
  /** Ingest stages, by name. */
  readonly web: object
  readonly gold: object
}

export async function smallCrawl(): Promise<SmallCrawl> {
  const folder = await temporaryFolder()
  const bytes = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      sharp({
        create: { width: 40 + index, height: 30, channels: 3, background: { r: 30 * index, g: 90, b: 9 } },
      })
        .jpeg()
        .toBuffer(),
    ),
  )
  const status = new Map<number, number>()
  const { url, visits } = await imageServer(
    Object.fromEntries(
      bytes.map((picture, index) => [
        `/${index}.jpg`,
        (_, response) => response.writeHead(status.get(index) ?? 200).end(picture),
      ]),
    ),
  )
  const [list, instances] = [join(folder, 'pairs.tsv'), join(folder, 'instances.json')]
  const writeList = (pictures: readonly number[]) =>
    writeFile(
      list,
      `url\tcaption\n${pictures.map((one) => `${url}/${one}.jpg\ta red dog ${one}\n`).join('')}`,
    )
  const six = [0, 1, 2, 3, 4, 5]
  await writeList(six)
  await mkdir(join(folder, 'gold'))
  for (const index of six) await writeFile(join(folder, 'gold', `${index}.jpg`), bytes[index] as Buffer)
  await writeFile(
    instances,
    JSON.stringify({
      images: six.map((id) => ({ id, file_name: `${id}.jpg` })),
      annotations: six.map((id) => ({ image_id: id, category_id: 1, bbox: [2, 2, 20, 20] })),
      categories: [{ id: 1, name: 'dog' }],
    }),
  )
  const loose = { shard_size: 2, min_success_rate: 0, max_transient_rate: 1 }
  const fetch = { retries: 0, robots: false, allow_hosts: [url] }
  return {
    ...{ folder, url, visits, status, list, instances, writeList },
    web: { name: 'web', uses: 'ingest', with: { format: 'tsv', path: list, ...loose, fetch } },
    gold: {
      name: 'gold',
      uses: 'ingest',
      with: { format: 'coco', images: join(folder, 'gold'), instances, shard_size: 2 },
    },
  }
}
