import type { Caption } from '../rows/rows.js'
import type { ExportRegion, ExportRow } from './export-rows.js'
import { count, type ExportSums } from './export-sums.js'

/** A caption of a picture with its regions, which is what formats of one caption a sample hold. */
export interface CaptionSample {
  readonly caption: Caption
  /** Its place among the picture's captions. */
  readonly index: number
  readonly regions: readonly ExportRegion[]
}

/**
 * The captions of a picture that become samples: those with a region, or all. What is written and left out is
 * counted.
 *
 * @param wanted captions that this file holds; others are another file's
 */
export function captionSamples(
  { captions, regions }: ExportRow,
  keepEmpty: boolean,
  { written, leftOut }: ExportSums,
  wanted: (caption: Caption) => boolean = () => true,
): CaptionSample[] {
  return captions.flatMap((caption, index): CaptionSample[] => {
    if (!wanted(caption)) return []
    const captionRegions = regions.filter((region) => region.caption === index)
    if (captionRegions.length === 0 && !keepEmpty) {
      count(leftOut.captions, 'no_region')
      return []
    }
    written.captions++
    written.regions += captionRegions.length
    return [{ caption, index, regions: captionRegions }]
  })
}
