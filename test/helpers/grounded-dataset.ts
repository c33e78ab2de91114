import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportConfig } from '../../src/export/config.js'
import { exportConfig } from '../../src/export/config.js'
import { type ExportOptions, exportDataset } from '../../src/export/export-dataset.js'
import type { ExportSource } from '../../src/export/export-rows.js'
import type {
  Caption,
  Families,
  ImageRow,
  Phrase,
  Proposal,
  Region,
  SelectionRow,
} from '../../src/rows/rows.js'
import { createDataset } from '../../src/shards/dataset.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { grain } from './odd-images.js'

/** A region of a picture to be made; its span is cut to its caption. */
export interface RegionSpec {
  readonly caption: number
  readonly start: number
  readonly end: number
  readonly xyxy: Region['xyxy']
  readonly score: number
  readonly origin: string
  /** What a detector calls it: then the dataset has proposals, of a stage "asked". */
  readonly label?: string
}

export interface PictureSpec {
  readonly captions: readonly Caption[]
  readonly regions: readonly RegionSpec[]
  readonly url?: string | null
  readonly license?: string | null
  readonly meta?: string | null
  readonly key?: string
  /** Why the selection drops it. */
  readonly dropped?: string
}

export const side = 64
const jpeg = await grain(side, side).jpeg().toBuffer()

/** A picture of 64 pixels each way that is like no other. */
function pictureOf(key: string): Uint8Array {
  // What stands behind the end of a JPEG is no part of it.
  return Buffer.concat([jpeg, Buffer.from(key)])
}

const stats = { counts: {}, histograms: {}, tallies: {} }

/** Writes a dataset with a grounding "found" of phrases "words", a shard a list. */
export async function groundedDataset(
  url: string,
  shards: readonly (readonly PictureSpec[])[],
): Promise<ExportSource> {
  const storage = openStorage(url)
  const names = shards.map((_, index) => String(index).padStart(5, '0'))
  await createDataset(storage, { name: 'made', card: null, shards: names })
  for (const [index, pictures] of shards.entries()) {
    const shard = names[index]
    const keys = pictures.map(({ key }, at) => key ?? `${shard}${String(at).padStart(4, '0')}`)
    const images = pictures.map(({ captions, url: address, license, meta }, at): ImageRow => {
      const bytes = pictureOf(keys[at])
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      return {
        ...{ key: keys[at], image: { bytes, path: null }, width: side, height: side, captions },
        ...{
          url: address ?? null,
          sha256,
          phash: '0'.repeat(16),
          license: license ?? null,
          meta: meta ?? null,
        },
      }
    })
    const grounded = pictures.map(({ captions, regions }) => regionsOf(captions, regions))
    const commit = async <F extends 'images' | 'phrases' | 'proposals' | 'grounding' | 'selection'>(
      stage: string,
      family: F,
      rows: readonly Families[F][],
      inputs: Readonly<Record<string, string>> = {},
    ) => {
      const counts = { unit: 'rows', in: rows.length, out: rows.length, rejected: {}, stats }
      const task = { storage, stage, shard, configHash: 'c', inputs }
      const { record } = await runShardTask(task, family, async (write) => ({
        files: { [family]: await write(family, rows) },
        ...counts,
        ...(family === 'proposals' && { config: { labels: ['any'] } }),
      }))
      return record.files[family]?.sha256 as string
    }
    await commit('made', 'images', images)
    const choices = pictures.map(({ dropped = null }, at) => ({ key: keys[at], reason: dropped }))
    const selection = await commit(
      'once',
      'selection',
      choices.map((choice): SelectionRow => ({ ...choice, duplicate_of: null })),
    )
    const words = grounded.map(({ phrases }, at) => ({ key: keys[at], phrases, left_out: [] }))
    const phrases = await commit('words', 'phrases', words, { selection })
    const found = grounded.map(({ regions }, at) => ({ key: keys[at], regions }))
    const labelled = grounded.map(({ regions }, at) => ({
      key: keys[at],
      teacher: 'asked',
      proposals: regions.flatMap(({ phrase, xyxy, score }, index): Proposal[] => {
        const { label } = pictures[at].regions[index]
        // Another label of the same box, and the same label for another phrase, were not kept.
        const box = { phrase, xyxy, score, contrast: null }
        return label === undefined
          ? []
          : [
              { ...box, score: score / 2, label: 'other' },
              { ...box, label },
              { ...box, phrase: 0, label: 'wrong' },
            ]
      }),
    }))
    const isLabelled = pictures.some(({ regions }) => regions.some(({ label }) => label !== undefined))
    const proposals = isLabelled ? await commit('asked', 'proposals', labelled, { phrases }) : undefined
    await commit('found', 'grounding', found, { phrases, ...(proposals && { proposals }) })
  }
  return { name: 'made', storage, shards: names, grounding: 'found', phrases: 'words', selection: 'once' }
}

/** Phrases of the spans, behind one that no region names, and the regions that point to them. */
function regionsOf(captions: readonly Caption[], specs: readonly RegionSpec[]) {
  const phrases: Phrase[] = [{ caption: 0, text: 'nothing', start: 0, end: 0, head: 'nothing' }]
  const known = new Map<string, number>()
  const regions = specs.flatMap((spec): Region[] => {
    const points = [...(captions[spec.caption]?.text ?? '')]
    const [start, end] = [Math.min(spec.start, points.length), Math.min(spec.end, points.length)]
    const text = points.slice(start, end).join('')
    if (text.trim() === '') return []
    const id = `${spec.caption} ${start} ${end}`
    const phrase =
      known.get(id) ?? phrases.push({ caption: spec.caption, text, start, end, head: 'thing' }) - 1
    known.set(id, phrase)
    return [
      {
        ...spec,
        start,
        end,
        phrase,
        xyxy: spec.xyxy.map(Math.fround) as never,
        score: Math.fround(spec.score),
      },
    ]
  })
  return { phrases, regions }
}

/** Exports a dataset with all defaults but those given. */
export const exportTo = (
  source: ExportSource,
  out: string,
  config: Partial<ExportConfig> & Pick<ExportConfig, 'format'>,
  options: Partial<ExportOptions> = {},
) => exportDataset(source, { config: exportConfig.parse(config), out, ...options })

/** SHA-256 of every file below a folder, by its name. */
export async function hashesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const hashes = await Promise.all(
    files.sort().map(async (file) => {
      return [
        file.slice(folder.length + 1),
        createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
      ] as const
    }),
  )
  return Object.fromEntries(hashes)
}
