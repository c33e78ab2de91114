/** What is wrong with entries of a file. */
export interface FileProblem {
  /** File, list and place in it. */
  readonly place: string
  /** As rejects have it. */
  readonly reason: string
  readonly problem: string
  /** Boxes and captions that are lost by it and that no picture counts. */
  readonly lost: number
}

/** Problems of a file, of each kind the first ones and the number of the others: it may have millions. */
export interface ProblemList {
  /**
   * @param list which of the file's lists the entry is in; together with the reason it is the kind
   * @param at the entry's place in its list, where it is one entry
   * @param lost see `FileProblem`
   */
  add(list: string, at: number | undefined, reason: string, problem: string, lost?: number): void
  found(): readonly FileProblem[]
}

/** Enough to see what they have in common. */
const examples = 10

/** @param path of the file, for messages */
export function problemList(path: string): ProblemList {
  interface Kind {
    readonly list: string
    readonly reason: string
    readonly shown: FileProblem[]
    more: number
    lost: number
  }
  const kinds = new Map<string, Kind>()
  return {
    add(list, at, reason, problem, lost = 0) {
      const key = `${list}/${reason}`
      const kind: Kind = kinds.get(key) ?? { list, reason, shown: [], more: 0, lost: 0 }
      kinds.set(key, kind)
      if (kind.shown.length < examples)
        kind.shown.push({
          place: `${path} ${list}${at === undefined ? '' : `[${at}]`}`,
          reason,
          problem,
          lost,
        })
      else {
        kind.more++
        kind.lost += lost
      }
    },
    found: () =>
      [...kinds.values()].flatMap(({ list, reason, shown, more, lost }) =>
        more > 0
          ? [...shown, { place: `${path} ${list}`, reason, problem: `${more} more of this kind`, lost }]
          : shown,
      ),
  }
}
