import { tsvRows } from '../../formats/read-cells.js'
import { readTable, tableMarks } from '../read/read-table.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, header, listPath, pairColumns, sourceSchema } from '../read/source-keys.js'

const schema = sourceSchema('tsv', { path: listPath, header, columns: pairColumns, base_url: baseUrl })
const endings = ['.tsv', '.txt']

/**
 * Pairs from tab-separated values, with a header or without: CC3M is caption, then url. Tabs are not quoted
 * in these files, so a quotation mark is a character like any other.
 */
export const tsv: SourceFormat<typeof schema> = {
  name: 'tsv',
  schema,
  endings,
  hasBoxes: () => false,
  open: (config) =>
    fileSource(
      requirePath(config),
      endings,
      (path, from) => readTable(tsvRows, path, config, from),
      [],
      (path) => tableMarks(tsvRows, path, config),
    ),
}
