import type { Rule } from './rule.js'

/**
 * Drops boxes that come within `margin` pixels of at least `sides` edges of the picture: with 1 whatever is cut off by an
 * edge, with 4 boxes of the whole picture, which say nothing of where a thing is.
 */
export function border({ margin, sides }: { readonly margin: number; readonly sides: number }): Rule {
  return (candidates, { width, height }) =>
    candidates.filter(({ xyxy: [x1, y1, x2, y2] }) => {
      const gaps = [x1, y1, width - x2, height - y2]
      return gaps.filter((gap) => gap <= margin).length < sides
    })
}
