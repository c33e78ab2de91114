import { coco } from './sources/coco.js'
import { csv } from './sources/csv.js'
import { csvRegions } from './sources/csv-regions.js'
import { flickr30kEntities } from './sources/flickr30k-entities.js'
import { folder } from './sources/folder.js'
import { glipTsv } from './sources/glip-tsv.js'
import { json } from './sources/json.js'
import { jsonl } from './sources/jsonl.js'
import { odvg } from './sources/odvg.js'
import { openImages } from './sources/openimages.js'
import { parquet } from './sources/parquet.js'
import { refcoco } from './sources/refcoco.js'
import { saco } from './sources/saco.js'
import { tsv } from './sources/tsv.js'
import { visualGenome } from './sources/visual-genome.js'
import { voc } from './sources/voc.js'
import { webdataset } from './sources/webdataset.js'
import { yolo } from './sources/yolo.js'

/** The formats that sources come in: lists first, then those that have boxes. */
export const sources = [
  tsv,
  csv,
  jsonl,
  json,
  parquet,
  webdataset,
  folder,
  coco,
  openImages,
  visualGenome,
  flickr30kEntities,
  refcoco,
  odvg,
  saco,
  glipTsv,
  yolo,
  voc,
  csvRegions,
] as const
