/**
 * Text as XML; characters that XML cannot hold become the replacement character, so that places stay the
 * same.
 */
export function escapeXml(text: string): string {
  return (
    text
      .replace(/\s/g, ' ')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are just what XML forbids
      .replace(/[\u0000-\u001f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  )
}
