import type { z } from 'zod'

/** The first thing that is wrong with a value by its schema: the key, where it is one's, and what was expected. */
export function firstIssue({ issues: [issue] }: z.ZodError): string {
  const key = issue?.path.join('.')
  return `${key ? `${key}: ` : ''}${issue?.message}`
}
