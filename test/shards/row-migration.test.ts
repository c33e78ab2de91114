import { expect, it } from 'vitest'
import { rowMigration } from '../../src/shards/row-migration.js'

const tree = (name: string, ...children: unknown[]): never => ({ element: { name }, children }) as never
const schemaOf = (...columns: readonly string[]) => ({
  schema: tree('schema', tree('key'), tree('proposals', tree('list', ...columns.map((name) => tree(name))))),
})

it('proposals of older files get the columns that they lack, as nulls', () => {
  const row = { key: 'a', proposals: [{ score: 1, label: 'x' }, { score: 2 }] }
  expect(rowMigration('proposals', schemaOf('score', 'label', 'contrast'))).toBeUndefined()
  expect(rowMigration('phrases', schemaOf('score'))).toBeUndefined()
  const migrate = rowMigration('proposals', schemaOf('score', 'label'))!
  expect(migrate(row)).toEqual({
    ...row,
    proposals: [
      { score: 1, label: 'x', contrast: null },
      { score: 2, contrast: null },
    ],
  })
  const both = rowMigration('proposals', schemaOf('score'))!
  expect(both({ key: 'a', proposals: [{ score: 1 }] })).toEqual({
    ...{ key: 'a', proposals: [{ score: 1, label: null, contrast: null }] },
  })
  expect(both({ key: 'a' })).toEqual({ key: 'a' })
})
