import { wordSet } from './word-set.js'
/** What things are made of, as nouns and adjectives. */
export const materials = wordSet(
  `wooden wood metal metallic steel iron brass bronze copper aluminum aluminium tin chrome glass plastic rubber leather
  cloth fabric wool woolen woollen cotton denim silk satin velvet lace linen fur paper cardboard styrofoam brick stone
  rock concrete cement marble granite tile tiled ceramic porcelain clay straw bamboo wicker gold stainless wire`,
)
/** What else goods are said to be made of; in captions mostly the plant or the thing itself. */
export const tradeMaterials = wordSet(
  'suede oak pine walnut birch teak mahogany polyester nylon canvas fleece spandex silicone resin',
)

/** Colours by nouns and adjectives, and what titles write for them. */
export const tradeColours = wordSet(
  `black white red green blue brown yellow orange pink purple gray grey silver gold beige tan teal turquoise maroon
  burgundy navy cream ivory khaki olive multicolor colorblock charcoal clear`,
)
