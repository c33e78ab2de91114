import type { ExportRow } from './export-rows.js'

type Counts = Record<string, number>

/** What an export has written, what it has left out, and what its format cannot hold. */
export interface ExportSums {
  readonly written: {
    /** Different pictures. */
    images: number
    /** Captions, each as often as it stands in the files. */
    captions: number
    /** Regions of captions; boxes of classes where the format has no captions. */
    regions: number
    /** Boxes with a class, in the files of detection that stand beside others. */
    detections: number
  }
  /** By reason. */
  readonly leftOut: { readonly images: Counts; readonly captions: Counts; readonly regions: Counts }
  /** Values of what was written that the format has no place for, by name. */
  readonly lost: Counts
  /** How pictures came into the folder. */
  readonly pictures: Counts
}

export const emptySums = (): ExportSums => ({
  written: { images: 0, captions: 0, regions: 0, detections: 0 },
  leftOut: { images: {}, captions: {}, regions: {} },
  lost: {},
  pictures: {},
})

export function count(counts: Counts, name: string, by = 1): void {
  if (by > 0) counts[name] = (counts[name] ?? 0) + by
}

/** What a format may lack. */
export type Facet =
  | 'captions'
  | 'caption kinds'
  | 'spans'
  | 'scores'
  | 'origins'
  | 'heads'
  | 'phrases without a box'
  | 'urls'
  | 'hashes'
  | 'licenses'
  | 'meta'
  | 'negatives'
  | 'areas'
  | 'crowds'

const present = (value: unknown) => (value === null || value === '' ? 0 : 1)

/** How many values of a row belong to a facet; of scores and origins those that gold has not are counted. */
const valuesOf: Readonly<Record<Facet, (row: ExportRow) => number>> = {
  captions: ({ captions }) => captions.length,
  'caption kinds': ({ captions }) => captions.length,
  spans: ({ regions }) => regions.length,
  scores: ({ regions }) => regions.filter(({ score }) => score !== 1).length,
  origins: ({ regions }) => regions.filter(({ origin }) => origin !== 'gold').length,
  heads: ({ regions }) => regions.length,
  'phrases without a box': ({ ungrounded }) => ungrounded,
  urls: ({ url }) => present(url),
  hashes: () => 1,
  licenses: ({ license }) => present(license),
  meta: ({ meta }) => present(meta),
  negatives: ({ absence }) => absence?.negatives.length ?? 0,
  areas: ({ regions }) => regions.filter(({ area }) => area !== null && area !== undefined).length,
  crowds: ({ ignored }) => ignored.length,
}

/** Counts what of a written row is lost. */
export function countLost(sums: ExportSums, row: ExportRow, facets: readonly Facet[]): void {
  for (const facet of facets) count(sums.lost, facet, valuesOf[facet](row))
}
