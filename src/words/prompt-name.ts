/**
 * A category's name as GLIP writes it in a prompt: without what is in brackets, with spaces for underscores. Full stops
 * followed by a space would end the name, and lose the space. A name that is all in brackets keeps them.
 */
export function promptName(name: string): string {
  const clean = (text: string) =>
    text.replaceAll('_', ' ').replaceAll(/\.\s+/g, '.').replaceAll(/\s+/g, ' ').trim()
  return clean(name.replaceAll(/\([^()]*\)/g, '')) || clean(name)
}
