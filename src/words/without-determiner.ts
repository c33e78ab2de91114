const determiner =
  /^(?:an?|the|this|that|these|those|some|another|each|every|all|both|its|his|her|their|my|our|your)\s+/iu

/** A phrase without the articles and pronouns that it begins with: "red cat" of "the red cat". */
export function withoutDeterminer(phrase: string): string {
  let rest = phrase.trim()
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = rest.replace(determiner, '')
  }
  return rest
}
