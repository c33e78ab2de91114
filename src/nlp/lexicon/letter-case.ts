// Of most captions the letters are ASCII: patterns of Unicode are asked for the others alone.

/** Whether a text begins with a capital. */
export function startsCapital(text: string): boolean {
  const code = text.charCodeAt(0)
  return code < 128 ? code >= 65 && code <= 90 : /^\p{Lu}/u.test(text)
}

/** Whether a text begins with a small letter. */
export function startsSmall(text: string): boolean {
  const code = text.charCodeAt(0)
  return code < 128 ? code >= 97 && code <= 122 : /^\p{Ll}/u.test(text)
}
