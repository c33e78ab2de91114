import { readdir, readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { keyFiles } from '../../scripts/make-keys.js'
import { packaged } from '../../src/base/files/packaged.js'
import { UserError } from '../../src/base/user-error.js'
import { keys } from '../../src/cli/reference/keys.js'
import { editorSchema } from '../../src/keys/editor-schema.js'
import { findKeys, type KeyKind, keyKinds } from '../../src/keys/key-kinds.js'
import { keyRows } from '../../src/keys/key-rows.js'
import { type KeySchema, keySchema } from '../../src/keys/key-schema.js'
import { kinds } from '../../src/pipeline/stages/kinds.js'
import { written } from '../helpers/written.js'

const all = keyKinds()
const kindNamed = (name: string) => all.find((kind) => kind.name === name) as KeyKind

describe('every key', () => {
  it('says what it means, of every kind, source and rule', () => {
    const unsaid = all.flatMap((kind) => [
      ...(kind.meaning === '' ? [kind.name] : []),
      ...keyRows(kind).flatMap(({ key, meaning }) => (meaning === '' ? [`${kind.name}.${key}`] : [])),
    ])
    expect(unsaid).toEqual([])
    for (const name of ['ingest.tsv', 'filter.score', 'rounds', 'card.coco', 'world', 'ingest.fetch'])
      expect(keyRows(kindNamed(name)).length, name).toBeGreaterThan(1)
  })

  it('is found in the schemas themselves, whatever lies in them', () => {
    // Also those that no table shows, such as what rounds fill in.
    const unsaid = kinds.flatMap(({ name, schema }) => withoutMeaning(keySchema(schema), name))
    expect(unsaid).toEqual([])
  })

  it('is on the page and in the schema for editors as it is: `npm run keys` writes them', async () => {
    for (const [path, text] of Object.entries(keyFiles()))
      expect((await readFile(packaged(path), 'utf8')) === text, `${path} is not current`).toBe(true)
  })

  it('has its type, range, default and unit', () => {
    const row = (kind: string, key: string) => keyRows(kindNamed(kind)).find((one) => one.key === key)
    expect(row('teach', 'floor')).toMatchObject({ type: 'number, 0 to 1', default: '0.1', required: false })
    expect(row('filter.score', 'min')).toMatchObject({ type: 'number, 0 to 1', required: true })
    expect(row('ingest.fetch', 'timeout_ms')).toMatchObject({
      type: 'whole number, 1 or more',
      default: '10000',
    })
    expect(row('ingest.fetch', 'timeout_ms')?.meaning).toMatch(/^milliseconds /)
    expect(row('ingest.tsv', 'fetch')).toMatchObject({ keysOf: 'ingest.fetch', default: undefined })
    expect(row('dedup', 'distance')).toMatchObject({ type: 'whole number, 0 to 16 or null', default: '4' })
    expect(row('promote', 'guards[].lower_by')).toMatchObject({ type: 'number, 0 to 1' })
    expect(row('rounds', 'teach')).toMatchObject({ keysOf: 'teach' })
    // A format has no key that it refuses.
    expect(row('ingest.csv', 'prompt')).toBeUndefined()
    expect(row('ingest.coco', 'prompt.negatives')).toMatchObject({ default: '0' })
  })
})

/** Keys without a description, where they are. */
function withoutMeaning(schema: KeySchema, place: string): string[] {
  const { properties = {}, items, additionalProperties, anyOf = [], oneOf = [] } = schema
  const inner = [items, additionalProperties, ...anyOf, ...oneOf].filter((one) => typeof one === 'object')
  return [
    ...Object.entries(properties).flatMap(([key, own]) => [
      ...(own.description ? [] : [`${place}.${key}`]),
      ...withoutMeaning(own, `${place}.${key}`),
    ]),
    ...inner.flatMap((own) => withoutMeaning(own, place)),
  ]
}

describe('the schema for editors', () => {
  const ajv = new Ajv({ strict: false, allErrors: true })
  const validate = ajv.compile(editorSchema(kindNamed('pipeline'), all))
  const problems = (pipeline: unknown) => (validate(pipeline) ? [] : (validate.errors ?? []))

  it('takes every pipeline that comes with the program, which name it', async () => {
    const names = (await readdir(packaged('pipelines'))).filter((name) => name.endsWith('.yaml'))
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) {
      const text = await readFile(packaged(`pipelines/${name}`), 'utf8')
      expect(text).toMatch(/^# yaml-language-server: \$schema=pipeline\.schema\.json\n/)
      expect(problems(parse(text)), name).toEqual([])
    }
  })

  it('refuses a wrong key, value and kind where they stand', () => {
    const stage = (uses: string, given: object) => ({ name: 'p', stages: [{ name: 's', uses, with: given }] })
    const places = (pipeline: object) => problems(pipeline).map(({ instancePath }) => instancePath)
    expect(places(stage('teach', { floor: 0.2 }))).toEqual([])
    expect(places(stage('ingest', { card: 'cc3m', path: 'a.tsv' }))).toEqual([])
    expect(places(stage('teach', { device: ['cpu', 'cuda:1'] }))).toEqual([])
    expect(places(stage('teach', { ask: '$' + '{ask}' }))).toEqual([])
    expect(problems(stage('teach', { flor: 0.2 }))[0]?.params).toEqual({ additionalProperty: 'flor' })
    expect(places(stage('teach', { floor: 2 }))).toContain('/stages/0/with/floor')
    expect(places(stage('filter', { rules: [{ rule: 'score' }] }))).toContain('/stages/0/with/rules/0')
    expect(places(stage('ingest', { format: 'tsv', path: 'a', instances: 'b' }))).toContain('/stages/0/with')
    expect(places(stage('ingest', { format: 'xls' }))).toContain('/stages/0/with/format')
    expect(places(stage('teech', {}))).toContain('/stages/0/uses')
  })

  it('is there of cards too', async () => {
    const isCard = ajv.compile(editorSchema(kindNamed('card'), all))
    const names = (await readdir(packaged('datasets'))).filter((name) => /^(?!toy).*\.yaml$/.test(name))
    for (const name of names) {
      isCard(parse(await readFile(packaged(`datasets/${name}`), 'utf8')))
      expect(isCard.errors ?? [], name).toEqual([])
    }
  })
})

describe('groundmill keys', () => {
  it('lists the kinds, the keys of one, and one key wherever it is', async () => {
    expect(await written(() => keys([], {}))).toMatch(/\nteach +asks a model for boxes[\s\S]*\nworld /)
    expect(await written(() => keys(['filter', 'score'], {}))).toMatch(
      /\nmin +number, 0 to 1 +\(must be given\)/,
    )
    expect(await written(() => keys(['verify'], {}))).toMatch(
      /\njudge +network \| .* which of these; each has/,
    )
    expect(await written(() => keys(['filter'], {}))).toMatch(/\nfilter soft_nms +lowers the scores/)
    const floor = await written(() => keys(['floor'], {}))
    expect(floor).toMatch(/\nteach\.floor +number, 0 to 1 +0\.1 [\s\S]*\nevaluate\.floor /)
    const rows = JSON.parse(await written(() => keys(['teach.floor'], { json: true })))
    expect(rows).toMatchObject([{ key: 'teach.floor', default: '0.1' }])
    const schema = JSON.parse(await written(() => keys(['teach'], { schema: true })))
    expect(schema.properties.floor).toMatchObject({ maximum: 1, default: 0.1 })
  })

  it('says what is nearest where there is no such key', () => {
    const refusal = (...words: string[]) => {
      try {
        findKeys(words, all)
      } catch (error) {
        expect(error).toBeInstanceOf(UserError)
        return (error as Error).message
      }
      return ''
    }
    expect(refusal('teech')).toMatch(/"teech"\. Did you mean "teach"\?/)
    expect(refusal('learning-rate')).toContain('learning_rate')
    expect(refusal('ingest', 'tvs')).toContain('ingest.tsv')
    expect(refusal('zzzzzz')).toMatch(/There are: pipeline, rounds, ingest/)
  })
})
