import { coco } from './coco.js'
import { cvat } from './cvat.js'
import type { ExchangeFormat } from './exchange-format.js'
import { labelStudio } from './label-studio.js'

export const exchangeFormatNames = ['label-studio', 'cvat', 'coco'] as const
export type ExchangeFormatName = (typeof exchangeFormatNames)[number]

/** The tools to which boxes go to be reviewed. */
export const exchangeFormats: Readonly<Record<ExchangeFormatName, ExchangeFormat>> = {
  'label-studio': labelStudio,
  cvat,
  coco,
}
