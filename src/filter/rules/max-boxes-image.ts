import type { Rule } from './rule.js'

/** Keeps at most `image` boxes of a picture, the best ones. */
export function maxBoxesImage({ image: most }: { readonly image: number }): Rule {
  return (candidates) => (candidates.length <= most ? candidates : candidates.slice(0, most))
}
