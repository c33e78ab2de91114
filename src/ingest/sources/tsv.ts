import { quotedTsvRows, tsvRows } from '../../formats/read-cells.js'
import { readTable, tablePieces } from '../read/read-table.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { header, listPath, pairColumns, pairPictures, quoted, sourceSchema } from '../read/source-keys.js'

const schema = sourceSchema('tsv', {
  path: listPath,
  header,
  quoted,
  columns: pairColumns,
  ...pairPictures,
}).describe('pairs, one a line, with tabs between the columns')
const endings = ['.tsv', '.txt']

/**
 * Pairs from tab-separated values, with a header or without: CC3M is caption, then url. In most such files
 * nothing is quoted, and a quotation mark is a character like any other; pandas and others write cells as CSV
 * does, in quotation marks where they hold tabs, line ends or such marks: `quoted: true`.
 */
export const tsv: SourceFormat<typeof schema> = {
  name: 'tsv',
  schema,
  isRemote: true,
  endings,
  hasBoxes: () => false,
  open(config) {
    const rows = config.quoted ? quotedTsvRows : tsvRows
    const joins = config.join !== 'no'
    // A quoted row may have several lines: where rows begin is only known by reading them, as what an id joins is.
    const isRead = config.quoted || (joins && config.columns?.id !== undefined)
    return fileSource(requirePath(config), endings, (path, from) => readTable(rows, path, config, from), {
      joins,
      plan: isRead ? undefined : (path, names) => tablePieces(path, config, names),
    })
  },
}
