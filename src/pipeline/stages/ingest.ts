import { ingestConfig, ingestNotHashed } from '../../ingest/config.js'
import { runIngest } from './run-ingest.js'
import { stageKind } from './stage-kind.js'

/** Makes a source's pictures, captions and boxes a dataset. */
export const ingest = stageKind({
  name: 'ingest',
  schema: ingestConfig,
  optional: false,
  makes: 'shards',
  notHashed: ingestNotHashed,
  run: runIngest,
})
