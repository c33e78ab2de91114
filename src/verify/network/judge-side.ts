/** Longer side to which pictures are decoded: a crop of a whole one is reduced well enough from there. */
export const judgeSide = 384
