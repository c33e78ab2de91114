import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { About } from '../../src/card/about.js'
import { exportFormats } from '../../src/export/config.js'
import { exportTo, groundedDataset, hashesIn } from '../helpers/grounded-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
const fresh = () => join(folder, String(count++))

const captions = [
  { text: 'A 🐕 dog, "fast"', kind: 'web' as const },
  { text: 'a cat. dog', kind: 'categories' as const },
]
const region = (caption: number, start: number, end: number) => ({
  ...{ caption, start, end, score: 0.7, origin: 'round-1', xyxy: [4, 5, 24.25, 40.1] as const, label: 'dog' },
})
const picture = { captions, regions: [region(0, 4, 7), region(1, 2, 5)], license: 'CC0', meta: '{"id":7}' }
const source = await groundedDataset(fresh(), [[picture, picture], [picture]])

type Json = ReturnType<typeof JSON.parse>
const croissantOf = async (out: string): Promise<Json> =>
  JSON.parse(await readFile(join(out, 'croissant.json'), 'utf8'))

/** Every node of a JSON-LD with an `@id` and more than that. */
function nodesIn(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn)
  if (typeof value !== 'object' || value === null) return []
  const own = value as Json
  const inner = Object.values(own).flatMap(nodesIn)
  return own['@id'] !== undefined && Object.keys(own).length > 1 ? [own, ...inner] : inner
}

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  if (typeof value !== 'object' || value === null) return []
  const own = value as Json
  if (Object.keys(own).length === 1 && typeof own['@id'] === 'string') return [own['@id']]
  return Object.entries(own).flatMap(([key, inner]) => (key === '@context' ? [] : referencesIn(inner)))
}

describe.each(exportFormats)('croissant.json of %s', async (format) => {
  const out = fresh()
  const { report } = await exportTo(source, out, { format })
  const croissant = await croissantOf(out)

  it('has every file of data with its hash, and nothing twice', async () => {
    const loose = /^(images|labels)\//
    const others = ['README.md', 'export.json', 'croissant.json']
    const hashes = await hashesIn(out)
    const expected = Object.entries(hashes).filter(([name]) => !loose.test(name) && !others.includes(name))
    const files = croissant.distribution.filter((one: Json) => one['@type'] === 'cr:FileObject')
    expect(files.map((one: Json) => [one.contentUrl, one.sha256])).toEqual(expected.sort())
    for (const { contentUrl, contentSize } of files)
      expect(contentSize).toBe(`${(await readFile(join(out, contentUrl))).length} B`)
    const ids = nodesIn(croissant).map((node) => node['@id'])
    expect(new Set(ids).size).toBe(ids.length)
    for (const reference of referencesIn(croissant)) expect(ids).toContain(reference)
  })

  it('tells each stage, from its records', () => {
    const activities = croissant['prov:wasGeneratedBy']
    expect(activities.map((one: Json) => one['prov:label'])).toEqual([
      ...['ingest: made', 'dedup: once', 'chunk: words', 'teach: asked', 'filter: found'],
      `export as ${format}`,
    ])
    const [, , , teach, filter, last] = activities
    expect(teach['prov:used']).toEqual([{ '@id': 'output/phrases/words' }])
    expect(filter['prov:wasInformedBy']).toEqual([
      { '@id': 'activity/phrases/words' },
      { '@id': 'activity/proposals/asked' },
    ])
    expect(filter['prov:startedAtTime'] <= filter['prov:endedAtTime']).toBe(true)
    expect(filter['prov:wasAssociatedWith'][0]['prov:label']).toMatch(/^groundmill \d+\.\d+\.\d+/)
    // Nothing in an export is of the time at which it was made.
    expect(Object.keys(last).filter((key) => key.endsWith('Time'))).toEqual([])
  })

  it('leaves out what nobody has said, and the report names it', () => {
    expect(
      Object.keys(croissant)
        .filter((key) => key.startsWith('rai:'))
        .sort(),
    ).toEqual([
      ...['rai:dataAnnotationProtocol', 'rai:dataCollection', 'rai:dataCollectionTimeframe'],
      ...['rai:dataLimitations', 'rai:machineAnnotationTools'],
    ])
    expect(report.unsaid.map(({ key }) => key)).toContain('data_biases')
  })
})

it('takes columns and keys that are there', async () => {
  const out = fresh()
  await exportTo(source, out, { format: 'csv' })
  const [head] = (await readFile(join(out, 'regions.csv'), 'utf8')).split('\n')
  const [{ field }] = (await croissantOf(out)).recordSet
  for (const { source: of } of field) expect(head?.split(',')).toContain(of.extract.column)
  await exportTo(source, out, { format: 'coco' }, { force: true })
  for (const { field, '@id': id } of (await croissantOf(out)).recordSet) {
    const [file, list] = id.split('-')
    const entries: Json[] = JSON.parse(await readFile(join(out, `${file}.json`), 'utf8'))[list]
    expect(entries.length).toBeGreaterThan(0)
    for (const one of field)
      for (const entry of entries)
        expect(entry).toHaveProperty(one.source.extract.jsonPath.replace(`${list}[*].`, ''))
  }
})

it('says what people say, as it stands, and such an export is another', async () => {
  const card: About = {
    ...{ title: 'Dogs', description: 'Dogs and what they do.', license: 'CC-BY-4.0', version: '1.0.0' },
    ...{ url: 'https://dogs.example', citation: 'Dogs, 2026', date_published: '2026-11-30' },
    creators: [{ name: 'A. Dog', type: 'person' }],
    ...{
      data_limitations: 'No cats.',
      data_biases: 'Dogs.',
      personal_sensitive_information: 'Names of dogs.',
    },
    ...{ data_use_cases: 'Training.', data_social_impact: 'Little.', has_synthetic_data: false },
    derived_from: ['https://wolves.example'],
  }
  const out = fresh()
  const { report } = await exportTo(source, out, { format: 'hf', card })
  expect(report.unsaid).toEqual([])
  const croissant = await croissantOf(out)
  expect(croissant).toMatchObject({
    ...{ name: 'Dogs', license: 'CC-BY-4.0', citeAs: 'Dogs, 2026', datePublished: '2026-11-30' },
    ...{ 'rai:dataBiases': 'Dogs.', 'rai:hasSyntheticData': false },
    creator: [{ '@type': 'sc:Person', name: 'A. Dog' }],
  })
  expect(croissant['rai:dataLimitations'][0]).toBe('No cats.')
  expect(croissant['rai:dataLimitations'][1]).toContain('personal information')
  expect(croissant['prov:wasDerivedFrom'].at(-1).url).toBe('https://wolves.example')
  const readme = await readFile(join(out, 'README.md'), 'utf8')
  expect(readme).toContain('pretty_name: "Dogs"')
  expect(readme).toContain('- No cats.')
  await expect(exportTo(source, out, { format: 'hf' })).rejects.toThrow('--force')
})
