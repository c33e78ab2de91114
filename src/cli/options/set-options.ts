import { readSetOption, setNested } from '../../base/set-option.js'

/** `--set key=value` options as an object; values are YAML, keys with points are nested. */
export function setOptions(options: readonly string[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const option of options.map(readSetOption)) setNested(object, option)
  return object
}
