const collective = `group pair couple trio bunch flock herd row stack pile crowd cluster pack swarm gaggle team batch
  heap line array column handful assortment collection selection bundle mound mass fleet troop family school army
  bouquet clump piece slice bit lump loaf
  dollop smear scoop sprinkle sprinkling drizzle dash pinch squeeze knob wedge chunk helping portion serving dusting drop
  litter chest bale flight shoal colony sprig strand string mix`
const vague =
  'lot number variety amount kind type sort series range plenty ton load dozen hundred thousand couple set'

/** Heads before "of" that only count or measure what comes next: "a group of people" is people. */
export const measures: ReadonlySet<string> = new Set(`${collective} ${vague}`.split(/\s+/))
