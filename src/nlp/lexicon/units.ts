import { wordSet } from './word-set.js'

/** What stands behind a number in the titles of goods. */
const units = wordSet(
  `gb tb mb oz lb lbs kg g mg l ml cl qt gal cm mm m ft inch inches in yd w kw v volt volts watt watts mah hz mhz ghz
  lumen lumens lm psi rpm btu cfm denier spf iu mcg sqft sqm acre acres fl floz kwh bhp nm mpg mph km miles litre liter litres liters pcs pc pk ct count pack packs piece pieces panels tier tiers seater carat ct karat x sq cc hp tdi mp fps dpi thread
  ply gsm inch`,
)

/** Whether a word, lower case, is a unit of goods. Some are so only behind a number. */
export const isUnit = (word: string): boolean => units.has(word)

export const hasDigit = (word: string): boolean => /\p{Nd}/u.test(word)

/** "256gb", "44mm", "24x36", "18v", "10ft": a measure in one word. */
export const isMeasure = (word: string): boolean => {
  const [, unit = ''] = /^\d+(?:[.,]\d+)*-?([a-z]+)\d*$/.exec(word) ?? []
  return units.has(unit) || /^\d+(?:x\d+)+$/.test(word)
}

/** "512gb", "24x36": a size in one word that no thing has in its name. */
export const isSize = (word: string): boolean => /^\d+(?:gb|tb|mb|mah|mp|hz)$|^\d+(?:x\d+)+$/.test(word)
