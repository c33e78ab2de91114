import { assign, readAssignment } from '../base/assignment.js'

/** `--set key=value` options as an object; values are YAML, keys with points are nested. */
export function setOptions(assignments: readonly string[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const { keys, value } of assignments.map(readAssignment)) assign(object, keys, value)
  return object
}
