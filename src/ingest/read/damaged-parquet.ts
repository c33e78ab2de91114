import { UserError } from '../../base/user-error.js'
import { causeOf } from '../../parquet/open-parquet.js'

/** Rows, with what is wrong with their file said as `damagedParquet` does. */
export async function* soundRows<Row>(path: string, rows: AsyncGenerator<Row>): AsyncGenerator<Row> {
  try {
    yield* rows
  } catch (error) {
    damagedParquet(path)(error)
  }
}

/** Rethrows what is wrong with the file, as a UserError. */
export const damagedParquet =
  (path: string) =>
  (error: unknown): never => {
    if (error instanceof UserError) throw error
    const message = causeOf(error)
    if (message.endsWith('not supported')) throw new UserError(`${path}: ${message}: leave that column out.`)
    throw new UserError(`${path} is damaged: ${message}`)
  }
