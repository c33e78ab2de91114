import type { Rule } from './rule.js'

/** Keeps boxes whose longer side is at most `max` times the shorter: longer ones are edges of pictures and lines of text. */
export function aspect({ max }: { readonly max: number }): Rule {
  return (candidates) =>
    candidates.filter(({ xyxy: [x1, y1, x2, y2] }) => {
      const [width, height] = [x2 - x1, y2 - y1]
      return Math.max(width, height) <= max * Math.min(width, height)
    })
}
