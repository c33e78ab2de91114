import type { Mark } from '../../formats/mark.js'
import { readObjects } from '../../formats/read-objects.js'
import { columnsUsed, type PairColumns, pairColumnsIn, pairOf, requireKey } from '../read/columns.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { listPath, pairColumns, pairPictures, sourceSchema } from '../read/source-keys.js'
import { problemRow, type SourceRow } from '../read/source-row.js'

const schema = sourceSchema('jsonl', {
  path: listPath,
  columns: pairColumns,
  ...pairPictures,
}).describe('pairs, a JSON object a line')
const endings = ['.jsonl', '.ndjson']

/** Pairs from a JSON object a line; columns are its keys, `url` and `caption` (or `captions`, `text`, …) unless said otherwise. */
export const jsonl: SourceFormat<typeof schema> = {
  name: 'jsonl',
  schema,
  isRemote: true,
  endings,
  hasBoxes: () => false,
  open: (config) =>
    fileSource(requirePath(config), endings, (path, from) => readPairs(path, config.columns, from), {
      joins: config.join !== 'no',
    }),
}

async function* readPairs(
  path: string,
  given: Partial<PairColumns> | undefined,
  from?: Mark,
): AsyncGenerator<SourceRow> {
  let first = from === undefined
  for await (const { mark, place, value, problem } of readObjects(path, from)) {
    if (!value) {
      yield problemRow(mark, place, problem)
      continue
    }
    const columns = pairColumnsIn(value, given)
    // A column that the first row lacks is a wrong name; one that a later row lacks is a bad row.
    if (first) {
      for (const column of columnsUsed(columns)) requireKey(value, column, place)
      first = false
    }
    yield pairOf(mark, place, columns, (column) => value[column])
  }
}
