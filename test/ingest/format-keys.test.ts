import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/base/files/parse-config.js'
import { hashJson } from '../../src/base/hash.js'
import { ingestConfig } from '../../src/ingest/config.js'
import { openSource, readCard, withCard } from '../../src/ingest/open-source.js'
import { sources } from '../../src/ingest/sources.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

/** The keys that some format has and others have not, with a value that it would take. */
const values: Readonly<Record<string, unknown>> = {
  path: 'p',
  header: false,
  columns: {},
  images: 'i',
  names: ['dog'],
  captions: 'c',
  instances: 'x',
  classes: 'l',
  image_list: 'l',
  image_labels: 'l',
  quoted: true,
  join: 'no',
  corners: 'edges',
  exhaustive: false,
  split: 'val',
  base_url: 'http://host/',
  min_score: 0.3,
  prompt: { negatives: 5 },
  outside: true,
}
const ofStages = 'card, license, shard_size, limit, part, fetch, image, min_success_rate, low_success'
const keysOf: Readonly<Record<string, string>> = {
  tsv: 'path, header, quoted, columns, join, images, base_url, outside',
  csv: 'path, header, columns, join, images, base_url, outside',
  jsonl: 'path, columns, join, images, base_url, outside',
  json: 'path, columns, join, images, base_url, outside',
  parquet: 'path, columns, join, images, base_url, outside',
  webdataset: 'path, columns, join',
  folder: 'path, columns, names, outside',
  coco: 'images, captions, instances, exhaustive, base_url, prompt, outside',
  openimages: 'path, images, classes, image_list, image_labels, base_url, prompt, outside',
  'visual-genome': 'path, images, image_list, base_url, prompt, outside',
  'flickr30k-entities': 'path, images, split, base_url, outside',
  refcoco: 'path, images, instances, split, base_url, outside',
  odvg: 'path, images, classes, exhaustive, base_url, prompt, outside',
  saco: 'path, images, base_url, prompt, outside',
  'glip-tsv': 'path, images, min_score',
  yolo: 'path, split, exhaustive, prompt, outside',
  voc: 'path, images, split, classes, corners, exhaustive, prompt, outside',
  'csv-regions': 'path, images, base_url, outside',
}

describe('an ingest stage', () => {
  it.each(sources.map(({ name }) => name))('of format %s has its own keys, and is told of them', (format) => {
    const own = (keysOf[format] ?? '').split(', ')
    const known = `the format ${format} has: ${own.join(', ')}, ${ofStages}`
    const parse = (given: object) => parseConfig(ingestConfig, { format, ...given }, 'with')
    for (const [key, value] of Object.entries({ ...values, colour: 'red' })) {
      if (own.includes(key)) expect(parse({ [key]: value }), key).toMatchObject({ [key]: value })
      else expect(() => parse({ [key]: value }), key).toThrow(`no such key: "${key}"; ${known}`)
    }
    expect(() => parse({ colour: 1, size: 2 })).toThrow(`with: no such keys: "colour", "size"; ${known}`)
  })

  it('has columns that its format knows', () => {
    const parse = (format: string, columns: object) => parseConfig(ingestConfig, { format, columns }, 'with')
    expect(() => parse('tsv', { image: 'jpg' })).toThrow(
      'with: columns: no such key: "image"; there are: url, caption, id, license, meta',
    )
    expect(() => parse('folder', { image: 'jpg' })).toThrow(
      'with: columns: no such key: "image"; there are: url, caption, id, license, meta',
    )
    expect(parse('parquet', { image: 'jpg', regions: 'boxes' })).toBeDefined()
  })

  it('of no format that is known is told of those that are', () => {
    for (const format of ['xls', null, 5])
      expect(() => parseConfig(ingestConfig, { format }, 'with')).toThrow(
        /with: format: .* is not one of tsv, csv, jsonl, .*, csv-regions/,
      )
  })

  it('has the hash that shards of older versions were made with', () => {
    const always = {
      shard_size: 1000,
      min_score: 0.5,
      prompt: { max_tokens: 254, negatives: 0, seed: 2112 },
      min_success_rate: 0.3,
      low_success: 'warn',
      max_transient_rate: 0.5,
    }
    for (const { name } of sources) {
      const { fetch, image, ...rest } = ingestConfig.parse({ format: name })
      expect(rest).toEqual({ ...always, format: name })
      expect(hashJson(ingestConfig.parse({ ...rest, fetch, image }))).toBe(
        hashJson(ingestConfig.parse({ format: name })),
      )
    }
  })
})

describe('a key that the format does not have', () => {
  const pipeline = (given: string) =>
    file(
      'pipeline.yaml',
      `name: p\nstages: [{ name: a, uses: ingest, with: { ${given} } }, { name: b, uses: chunk, needs: [a] }]\n`,
    )
  const tsvHas = `"split"; the format tsv has: path, header, quoted, columns, join, images, base_url, outside, ${ofStages}`

  it('is refused in a pipeline and in --set, by file, stage and format', async () => {
    const path = await pipeline('format: tsv, path: p, split: val')
    await expect(readPipeline(path)).rejects.toThrow(`${path}: stages.a.with: no such key: ${tsvHas}`)
    const sound = await pipeline('format: tsv, path: p')
    await expect(readPipeline(sound, { set: ['a.split=val'] })).rejects.toThrow(tsvHas)
  })

  it('is refused in a card, which has keys of its own', async () => {
    const own = 'name: x\ntitle: X\nlicense: free\n'
    const card = await file('card.yaml', `${own}format: tsv\nsplit: val\n`)
    await expect(readCard(card)).rejects.toThrow(
      `${card}: no such key: "split"; the format tsv has: path, header, quoted, columns, join, images, name, title, homepage, paper, license, rows, expected, unchecked, quirks`,
    )
    // What only a stage gives is for no card to say.
    await file('card.yaml', `${own}format: glip-tsv\nmin_score: 0.7\n`)
    await expect(readCard(card)).rejects.toThrow('no such key: "min_score"')
    await file('card.yaml', `${own}format: tsv\nheader: false\nrows: 3\nquirks: [odd]\n`)
    expect(await readCard(card)).toMatchObject({ header: false, rows: 3 })
  })

  it('is refused where a card says the format, before anything runs', async () => {
    const path = await pipeline('card: cc3m, path: p, split: val')
    const message = `${path}: stages.a.with (card cc3m): no such key: ${tsvHas}`
    await expect(readPipeline(path)).rejects.toThrow(message)
    await expect(
      readPipeline(await pipeline('card: cc3m, path: p'), { set: ['a.min_score=0.9'] }),
    ).rejects.toThrow(/stages\.a\.with \(card cc3m\): min_score: no such key: "min_score"; the format tsv/)
    const given = ingestConfig.parse({ card: 'cc3m', path: 'p', split: 'val' })
    await expect(openSource(given, 'stage "a"')).rejects.toThrow(
      `stage "a" (card cc3m): no such key: ${tsvHas}`,
    )
    const checked = await runCommand('datasets', 'check', 'cc3m', 'p', '--set', 'split=val')
    expect(checked.code).toBe(2)
    expect(checked.err).toContain(`--set (card cc3m): no such key: ${tsvHas}`)
  })

  it('may be the card’s where the stage names another format', async () => {
    const given = ingestConfig.parse({ card: 'cc3m', format: 'jsonl', path: 'p' })
    expect((await withCard(given)).config).toMatchObject({ format: 'jsonl', columns: { caption: 0, url: 1 } })
    expect((await withCard(given)).config).not.toHaveProperty('header')
  })

  it('of a card that is not there is left to the stage', async () => {
    const path = await pipeline('card: none.yaml, path: p')
    const read = await readPipeline(path)
    await expect(runPipeline(read, join(folder, 'run'))).rejects.toThrow(/Cannot read none\.yaml/)
    const without = await readPipeline(await pipeline('path: p'))
    await expect(runPipeline(without, join(folder, 'run'))).rejects.toThrow(
      'An ingest stage needs `format` or `card`.',
    )
    const pathless = await readPipeline(await pipeline('format: tsv'))
    await expect(runPipeline(pathless, join(folder, 'run'))).rejects.toThrow(
      'An ingest stage of format tsv needs `path`.',
    )
  })
})
