/**
 * JSON in ASCII alone, as Python's `json.dumps` writes it: the readers of these formats open files in
 * whatever encoding the machine has.
 */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
