import { Float32, Int32, Utf8 } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ListColumns } from '../../src/parquet/list-columns.js'
import { parquetChunks } from '../../src/parquet/parquet-chunks.js'
import { readRows } from '../../src/parquet/read-rows.js'
import { arrowSchema, listOf, nullable, schemaOf, struct } from '../../src/rows/arrow-schema.js'
import type { ProposalRow } from '../../src/rows/rows.js'
import { openedBytes, parquetRows } from '../helpers/parquet-fixtures.js'

async function fileOf(schema: ReturnType<typeof schemaOf>, rows: readonly object[], none: readonly string[]) {
  const parts: Uint8Array[] = []
  for await (const part of parquetChunks(schema, new Set(none), rows)) parts.push(part.slice())
  return Buffer.concat(parts)
}

const number = fc.float({ noNaN: true, noDefaultInfinity: true }).map(Math.fround)
const proposal = fc.record({
  phrase: fc.integer({ min: -1, max: 5 }),
  xyxy: fc.tuple(number, number, number, number),
  score: number,
  label: fc.constantFrom(null, null, 'dog', 'cat'),
  contrast: fc.option(number),
})
/** Rows with lists, and some without labels, as most teachers give them. */
const proposals = fc.oneof(
  fc.array(proposal, { maxLength: 6 }),
  fc.array(
    proposal.map((one) => ({ ...one, label: null, contrast: null })),
    { maxLength: 6 },
  ),
)

/** The items of a list from its columns. */
function itemsOf({ length, members }: ListColumns) {
  const { phrase, xyxy, score, label, contrast } = members
  return Array.from({ length }, (_, at) => ({
    phrase: phrase?.[at],
    xyxy: Array.from({ length: 4 }, (_, side) => xyxy?.[4 * at + side]),
    score: score?.[at],
    label: label?.[at] ?? null,
    contrast: contrast?.[at] ?? null,
  }))
}

describe('a list as its columns', () => {
  it('has what its items have, in any range', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(proposals, { minLength: 1, maxLength: 12 }),
        fc.nat(12),
        fc.nat(12),
        async (lists, start, count) => {
          const rows = lists.map((own, at): ProposalRow => ({ key: `${at}`, proposals: own, teacher: 't' }))
          const bytes = await fileOf(arrowSchema('proposals'), rows, [...nullable.proposals])
          const range = { start, end: start + count }
          const found: unknown[] = []
          for await (const row of readRows(openedBytes(bytes), { ...range, columnar: 'proposals' }))
            found.push({ ...row, proposals: itemsOf(row.proposals as ListColumns) })
          expect(found).toEqual(await parquetRows(bytes, range))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('gives typed arrays of what is there, and nothing of what is nowhere', async () => {
    const own = [1, 2].map((phrase) => ({ phrase, xyxy: [1, 2, 3, 4], score: 0.5, label: null }))
    const rows = [{ key: 'a', proposals: own, teacher: 't' }]
    const bytes = await fileOf(arrowSchema('proposals'), rows, [...nullable.proposals])
    for await (const row of readRows(openedBytes(bytes), { columns: ['proposals'], columnar: 'proposals' }))
      expect(row).toEqual({
        proposals: {
          length: 2,
          members: {
            phrase: Int32Array.of(1, 2),
            xyxy: Float32Array.of(1, 2, 3, 4, 1, 2, 3, 4),
            score: Float32Array.of(0.5, 0.5),
            label: undefined,
            contrast: undefined,
          },
        },
      })
  })

  it('is refused where its items have lists of different lengths, or where it is no list of structs', async () => {
    const schema = schemaOf({
      name: new Utf8(),
      lists: listOf(struct({ id: new Int32(), values: listOf(new Float32()) })),
    })
    const lists = [
      { id: 1, values: [1, 2] },
      { id: 2, values: [3] },
      { id: 3, values: [4, 5, 6] },
    ]
    const bytes = await fileOf(schema, [{ name: 'a', lists }], [])
    const read = async (columnar: string) => {
      for await (const _ of readRows(openedBytes(bytes), { columnar }));
    }
    await expect(read('lists')).rejects.toThrow('lists in the items of a list are of different lengths')
    await expect(read('name')).rejects.toThrow('column name is no list of structs')
  })
})
