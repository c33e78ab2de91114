import { audit } from './audit.js'
import { average } from './average.js'
import { chunk } from './chunk.js'
import { dedup } from './dedup.js'
import { doubt } from './doubt.js'
import { evaluate } from './evaluate.js'
import { exportKind } from './export.js'
import { filter } from './filter.js'
import { ingest } from './ingest.js'
import { judge } from './judge.js'
import { mine } from './mine.js'
import { promote } from './promote.js'
import { teach } from './teach.js'
import { train } from './train.js'
import { verify } from './verify.js'

/** Every kind of stage: the schema of a pipeline, its hashes and its runner are derived from this list. */
export const kinds = [
  ingest,
  dedup,
  chunk,
  mine,
  teach,
  verify,
  filter,
  doubt,
  train,
  judge,
  average,
  evaluate,
  audit,
  exportKind,
  promote,
] as const
