import { Float32, Int32, Utf8 } from 'apache-arrow'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { parquetChunks } from '../../src/parquet/parquet-chunks.js'
import { listOf, schemaOf, struct, xyxy } from '../../src/rows/arrow-schema.js'
import { parquetRows } from '../helpers/parquet-fixtures.js'

const schema = schemaOf({
  'a.b': new Utf8(),
  a: struct({ b: new Int32(), texts: listOf(new Utf8()) }),
  boxes: listOf(struct({ xyxy: xyxy(), score: new Float32(), label: new Utf8() })),
})
const nullable = new Set(['a.texts', 'boxes.label'])

async function written(rows: readonly object[], names: ReadonlySet<string> = nullable): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of parquetChunks(schema, names, rows)) pieces.push(Uint8Array.from(piece))
  return new Uint8Array(Buffer.concat(pieces))
}

/** Without denormals, which become zero in a process in which onnxruntime has opened a session. */
const float = fc
  .float({ noNaN: true, noDefaultInfinity: true })
  .map((value) => (Math.abs(value) < 2 ** -126 ? 0 : value))
const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const row = fc.record({
  'a.b': text,
  a: fc.record({ b: fc.integer(), texts: fc.option(fc.array(text, { maxLength: 3 })) }),
  boxes: fc.array(
    fc.record({ xyxy: fc.tuple(float, float, float, float), score: float, label: fc.option(text) }),
    {
      maxLength: 5,
    },
  ),
})

it('rows are read as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 250 }), async (rows) => {
      expect(await parquetRows(await written(rows))).toEqual(rows)
    }),
    { numRuns: 20 },
  )
})

it('a column of other values each is read as it was written, behind the end of its dictionary too', async () => {
  const draw = random(1, 'boxes')
  const number = () => Math.fround(draw.next())
  const rows = Array.from({ length: 600 }, (_, at) => ({
    ...{ 'a.b': `${at}`, a: { b: at, texts: null } },
    boxes: Array.from({ length: 20 }, () => ({
      ...{ xyxy: [number(), number(), number(), number()], score: number(), label: null },
    })),
  }))
  const bytes = await written(rows)
  expect(await parquetRows(bytes)).toEqual(rows)
  // Five numbers of 32 bits a box: places in a dictionary of them all would come on top of that.
  expect(bytes.length).toBeLessThan(1.25 * 600 * 20 * 5 * 4)
})

it('rows of a few long texts among short ones are held a few at a time', async () => {
  const long = 'x'.repeat(2 ** 20)
  const texts = Array.from({ length: 20 }, (_, at) => (at === 4 ? long : ''))
  const counter = { rows: 0 }
  let [given, held] = [0, 0]
  const rows = function* () {
    for (; given < 60; given++) {
      held = Math.max(held, given - counter.rows)
      yield { 'a.b': '', a: { b: 1, texts }, boxes: [] }
    }
  }
  for await (const piece of parquetChunks(schema, nullable, rows(), counter)) expect(piece).toBeDefined()
  expect(counter.rows).toBe(60)
  expect(held).toBeLessThan(15)
})

it.each([
  ['boxes.score', 'a finite number', { score: Number.NaN }],
  ['boxes.xyxy', '4 values', { xyxy: null }],
  ['boxes.label', 'a string', { label: 3 }],
])('what column %s cannot hold is named', async (column, expected, wrong) => {
  const box = { xyxy: [0, 0, 1, 1], score: 1, label: null, ...wrong }
  const rows = [{ 'a.b': '', a: { b: 1, texts: null }, boxes: [box] }]
  await expect(written(rows, new Set([...nullable, 'boxes.xyxy']))).rejects.toThrow(
    new TypeError(`column ${column}, value 0: expected ${expected}, got ${String(Object.values(wrong)[0])}`),
  )
})
