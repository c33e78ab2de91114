import { ShardRows } from '../shards/shard-rows.js'
import { Doubts } from './doubt.js'
import { DroppedReader } from './dropped-reader.js'
import { DatasetIndex } from './index/dataset-index.js'
import type { Inspected } from './index/layer.js'
import { PictureKeys } from './picture-keys.js'
import { Pictures } from './pictures.js'
import { RejectReader } from './reject-reader.js'
import { Reviewing, type ReviewOptions } from './reviewing.js'
import { RowGroups } from './row-groups.js'
import { SampleReader } from './sample-reader.js'
import { Selections } from './selections.js'
import { VerdictReader } from './verdict-reader.js'
import { ViewReader } from './view-reader.js'

/** All that reads a dataset for the page. */
export interface Readers {
  readonly index: DatasetIndex
  readonly views: ViewReader
  readonly rejects: RejectReader
  readonly pictures: Pictures
  readonly selections: Selections
  /** Undefined where nothing is reviewed. */
  readonly reviewing?: Reviewing
  close(): Promise<void>
}

/** @param idle as `DatasetIndex` takes it */
export function openReaders(dataset: Inspected, idle: () => Promise<void>, review?: ReviewOptions): Readers {
  const rows = new ShardRows(dataset.storage)
  const index = new DatasetIndex(dataset, idle)
  const groups = new RowGroups(dataset, rows)
  const keys = new PictureKeys(rows)
  const dropped = new DroppedReader(dataset, groups)
  const selections = new Selections(dataset, keys)
  const samples = new SampleReader(dataset, groups)
  const verdicts = new VerdictReader(dataset, rows)
  const sources = { index, rows, samples, groups, dropped, selections, verdicts }
  const views = new ViewReader(dataset, sources, idle)
  const doubts = new Doubts(dataset, { groups, verdicts })
  return {
    index,
    views,
    rejects: new RejectReader(dataset, rows, keys, dropped),
    pictures: new Pictures(rows),
    selections,
    ...(review && {
      reviewing: new Reviewing(dataset, review, { views, samples, groups, keys, doubts, verdicts }),
    }),
    async close() {
      doubts.close()
      await views.close()
      await index.close()
      await rows.close()
    },
  }
}
