/** The key of a picture by the name of its file, KEY.jpg, in whatever folder; undefined where there is none such. */
export function keyOfFile(name: string, known: ReadonlyMap<string, unknown>): string | undefined {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  return [last, last.replace(/\.[A-Za-z0-9]{1,5}$/, '')].find((key) => known.has(key))
}
