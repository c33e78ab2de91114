/** What statistics measure. Their edges are fixed, so that histograms of all shards and datasets add up. */

/** A number that is measured of every picture, caption, phrase or box. */
export interface Measure {
  /** For people, with the unit. */
  readonly title: string
  readonly type: 'int' | 'float'
  /** Limits between bins, ascending: below the first, between each two, from the last upwards. */
  readonly edges: readonly number[]
  /** The least that there can be, and the most; no `most` where there is no limit. */
  readonly least: number
  readonly most?: number
}

const counts = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50]
const scores = Array.from({ length: 19 }, (_, at) => (at + 1) / 20)
const shapes = [0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10]

/** By their names in commit records. */
export const measures = {
  longer_side: {
    title: 'longer side, pixels',
    type: 'int',
    edges: [64, 128, 256, 384, 512, 640, 768, 1024, 1536, 2048],
    least: 1,
  },
  picture_aspect: { title: 'width over height', type: 'float', edges: shapes, least: 0 },
  image_bytes: {
    title: 'bytes a picture',
    type: 'int',
    edges: [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6],
    least: 0,
  },
  captions_an_image: { title: 'captions a picture', type: 'int', edges: counts, least: 0 },
  words_a_caption: {
    title: 'words a caption',
    type: 'int',
    edges: [2, 4, 6, 8, 10, 13, 16, 20, 30, 50, 100],
    least: 0,
  },
  phrases_a_caption: { title: 'phrases a caption', type: 'int', edges: [1, 2, 3, 4, 5, 7, 10], least: 0 },
  words_a_phrase: { title: 'words a phrase', type: 'int', edges: [2, 3, 4, 5, 7], least: 1 },
  boxes_a_phrase: { title: 'boxes a phrase', type: 'int', edges: counts, least: 0 },
  regions_an_image: { title: 'regions a picture', type: 'int', edges: counts, least: 0 },
  negatives_an_image: { title: 'negatives a picture', type: 'int', edges: counts, least: 0 },
  negative_score: { title: 'score of a negative', type: 'float', edges: scores, least: 0, most: 1 },
  probability: { title: 'probability of a verdict', type: 'float', edges: scores, least: 0, most: 1 },
  disagreement: { title: 'disagreement on a phrase', type: 'float', edges: scores, least: 0, most: 1 },
  score: { title: 'score', type: 'float', edges: scores, least: 0, most: 1 },
  area_share: {
    title: "share of the picture's area",
    type: 'float',
    edges: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.25, 0.5, 0.75],
    least: 0,
    most: 1,
  },
  aspect: { title: 'width over height of a box', type: 'float', edges: shapes, least: 0 },
} as const satisfies Record<string, Measure>

export type MeasureName = keyof typeof measures

/** The bin of a value: the number of edges that it reaches, 0 to `edges.length`. */
export function binOf(edges: readonly number[], value: number): number {
  let bin = 0
  // An iterator would make an object for each edge.
  while (bin < edges.length && value >= (edges[bin] as number)) bin++
  return bin
}

/**
 * The host of a URL, lower case, without its port; undefined where there is none. Exact statistics say the
 * same in SQL.
 */
export function hostOf(url: string): string | undefined {
  return new RegExp(hostPattern, 'i').exec(url)?.[1]?.toLowerCase()
}

/** In the words that JavaScript's and DuckDB's regular expressions share. */
export const hostPattern = '^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(\\[[^\\]/?#]*\\]|[^/?#:]+)'
