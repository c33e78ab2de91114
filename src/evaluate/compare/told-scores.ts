/** Scores as people and files are told them: null for what has no value, where COCO's evaluators say -1. */
export type Told<Value> = Value extends number
  ? number | null
  : Value extends object
    ? { readonly [Key in keyof Value]: Told<Value[Key]> }
    : Value

/**
 * Scores with null in the place of -1, also within others. No score is -1 otherwise: those of presence, which may lie
 * below 0, do not reach it.
 */
export function toldScores<Scores>(scores: Scores): Told<Scores> {
  if (typeof scores === 'number') return (scores === -1 ? null : scores) as Told<Scores>
  if (typeof scores !== 'object' || scores === null) return scores as Told<Scores>
  return Object.fromEntries(
    Object.entries(scores).map(([name, value]) => [name, toldScores(value)]),
  ) as Told<Scores>
}
