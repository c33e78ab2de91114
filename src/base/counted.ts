/**
 * A number with what it counts, in the singular where it is one: `1 picture`, `3 pictures`, `2 boxes`.
 *
 * @param noun in the singular, with other words before it: `first row`
 */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`
  const plural = /(?:s|x|ch|sh)$/.test(noun)
    ? `${noun}es`
    : /[^aeiou]y$/.test(noun)
      ? `${noun.slice(0, -1)}ies`
      : `${noun}s`
  return `${count} ${plural}`
}
