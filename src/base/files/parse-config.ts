import type { z } from 'zod'
import { shortLine } from '../name-list.js'
import { inWords } from '../schema-words.js'
import { UserError } from '../user-error.js'

/** Checks a value by a schema. Throws a UserError that names the place, the key and what was expected. */
export function parseConfig<T extends z.ZodType>(schema: T, value: unknown, where: string): z.infer<T> {
  const parsed = schema.safeParse(value, inWords)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((issue) => {
    const key = keyOf(issue.path, value)
    return `${where}${key ? `: ${key}` : ''}: ${issue.message}`
  })
  const more = lines.length - mostProblems
  const rest = more > 0 ? [`${where}: and ${more} more`] : []
  throw new UserError([...lines.slice(0, mostProblems), ...rest].map(shortLine).join('\n'))
}

/** Problems of a file that are told of one by one. */
const mostProblems = 10

/**
 * A path in a value, with the name of a thing in the place of its number where it has one: "stages.web.with".
 */
function keyOf(path: readonly PropertyKey[], value: unknown): string {
  let at = value
  const keys = path.map((key) => {
    const inner = (at as Record<PropertyKey, unknown> | undefined)?.[key]
    const name = Array.isArray(at) ? (inner as { readonly name?: unknown } | null)?.name : undefined
    at = inner
    return typeof name === 'string' ? name : String(key)
  })
  return keys.join('.')
}
