import { vi } from 'vitest'

/** What is written to both streams while something is done. */
export async function written(work: () => unknown): Promise<string> {
  let text = ''
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((part, ...rest) => {
      text += part
      const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined
      done?.()
      return true
    })
  try {
    await work()
  } finally {
    vi.restoreAllMocks()
  }
  return text
}
