import { damagedSuffix } from '../shards/salvage-shard.js'

/** What a check may find of an object. */
export type FindingKind =
  /** Its content is not what it should be. */
  | 'wrong'
  /** A record names it, and it is not there. */
  | 'missing'
  /** Nothing names it any more, or nobody finishes it. */
  | 'left over'
  /** It is not of the layout: somebody else's. */
  | 'foreign'
  /** It is right, and as older versions laid it out. */
  | 'older'
  /** A process is writing it. */
  | 'busy'

export interface Finding {
  readonly kind: FindingKind
  /** Of the object, below what was checked. */
  readonly name: string
  /** What it is about, in words. */
  readonly what: string
  /** What was done about it; absent where nothing was. */
  readonly mended?: string
  /** Keys of rows that were lost with it; absent where none was. */
  readonly lost?: readonly string[]
}

/**
 * Whether something is to be done: what is older works, what is being written is in order, and a stranger's file
 * disturbs nobody unless it is taken for a shard.
 */
export const isBad = ({ kind, name, mended }: Finding): boolean =>
  mended === undefined &&
  (kind === 'wrong' ||
    kind === 'missing' ||
    kind === 'left over' ||
    (kind === 'foreign' && name.endsWith('.parquet')))

export const foreign = (name: string): Finding => ({
  kind: 'foreign',
  name,
  what: name.endsWith(damagedSuffix)
    ? 'a damaged file of which --mend has kept what is whole; delete it when you want no more of it'
    : 'nothing of groundmill has such a name here',
})
