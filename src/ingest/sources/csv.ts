import { csvRows } from '../../formats/read-cells.js'
import { readTable } from '../read/read-table.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { header, listPath, pairColumns, pairPictures, sourceSchema } from '../read/source-keys.js'

const schema = sourceSchema('csv', {
  path: listPath,
  header,
  columns: pairColumns,
  ...pairPictures,
}).describe('pairs, one a line, with commas between the columns')
const endings = ['.csv']

/**
 * Pairs from comma-separated values (RFC 4180): a quoted cell may hold commas, line ends and doubled quotes.
 */
export const csv: SourceFormat<typeof schema> = {
  name: 'csv',
  schema,
  isRemote: true,
  endings,
  hasBoxes: () => false,
  open: (config) =>
    fileSource(requirePath(config), endings, (path, from) => readTable(csvRows, path, config, from), {
      joins: config.join !== 'no',
    }),
}
