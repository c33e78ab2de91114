/** The folder of a dataset that holds what was exported to be reviewed elsewhere. */
export const exchangesFolder = 'exchanges'

/** The file of an export: `exchanges/3fa9c2d1.jsonl`. */
export const exchangePath = (id: string): string => `${exchangesFolder}/${id}.jsonl`

/** The export that an object of the dataset is of; undefined where it is of none. */
export function exchangeOfPath(path: string): string | undefined {
  return /^exchanges\/([0-9a-f]{8})\.jsonl$/.exec(path)?.[1]
}
