/** The words of a text that lists them, between white space. */
export const wordSet = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))
