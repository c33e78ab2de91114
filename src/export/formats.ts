import type { ExportFormat } from './config.js'
import type { Format } from './format.js'
import { coco } from './format-coco.js'
import { csv } from './format-csv.js'
import { glipTsv } from './format-glip-tsv.js'
import { hf } from './format-hf.js'
import { odvg } from './format-odvg.js'
import { saco } from './format-saco.js'
import { webdataset } from './format-webdataset.js'
import { yolo } from './format-yolo.js'

export const formats: Readonly<Record<ExportFormat, Format>> = {
  hf,
  webdataset,
  odvg,
  coco,
  saco,
  'glip-tsv': glipTsv,
  yolo,
  csv,
}
