/**
 * What a filter's reject row says of a picture's boxes that one rule dropped: how many of how many, and their places among
 * the picture's proposals, from 0 on: "2 of 4 boxes: 0, 3".
 */
export function ledgerLine(count: number, all: number, places: readonly number[]): string {
  return `${count} of ${all} boxes: ${places.join(', ')}`
}

/** The places that a line names; undefined where an older version wrote it, which named none. */
export function ledgerPlaces(line: string): number[] | undefined {
  const list = /^\d+ of \d+ boxes: (\d+(?:, \d+)*)$/.exec(line)?.[1]
  return list?.split(', ').map(Number)
}
