import { explainError } from '../../src/base/explain-error.js'
import { UserError } from '../../src/base/user-error.js'
import { unclear } from '../fuzz/outcome.js'

/** How a command of the program ended that was run within this process. */
export interface CommandOutcome {
  /** As the program would have ended. */
  readonly code: number
  /** What it said on standard error, with the message of its error. */
  readonly said: string
  readonly seconds: number
  /** Why this is no end that a user can do something with; undefined where it is. */
  readonly wrong?: string | undefined
}

/** What only a program's own errors and those of its libraries say. */
const raw =
  /^\s+at .+:\d+:\d+\)?$|\b(?:TypeError|RangeError|SyntaxError|ReferenceError|ZodError)\b|\b(?:ENOENT|EISDIR|ENOTDIR|EACCES|EINVAL|ELOOP|EEXIST|ENOTEMPTY): |\b(?:Invalid Input|Binder|Conversion|Catalog|IO|Internal|INTERNAL|Out of Range) Error\b|undefined is not|Cannot read prop|is not a function|is not iterable|\[object |\[ONNXRuntimeError\]/m

/**
 * Runs a command as the program does, with what it prints taken down: it is to end in its time with 0, 1 or 2, and
 * where it fails with one clear message that is no library's.
 */
export async function commandOutcome(
  work: (signal: AbortSignal) => Promise<unknown>,
  mostSeconds: number,
): Promise<CommandOutcome> {
  const abort = new AbortController()
  const { stdout, stderr } = process
  const [writeOut, writeErr] = [stdout.write, stderr.write]
  let [out, said, stray]: [string, string, string | undefined] = ['', '', undefined]
  stdout.write = ((text: unknown) => {
    out += String(text)
    return true
  }) as typeof stdout.write
  stderr.write = ((text: unknown) => {
    said += String(text)
    return true
  }) as typeof stderr.write
  const onStray = (error: unknown) => {
    stray = `nobody waited for: ${String(error)}`
  }
  process.on('unhandledRejection', onStray)
  process.exitCode = 0
  const start = performance.now()
  let thrown: { readonly error: unknown } | undefined
  try {
    const timer = setTimeout(() => abort.abort(), 1000 * mostSeconds)
    await work(abort.signal).finally(() => clearTimeout(timer))
  } catch (error) {
    thrown = { error }
  } finally {
    Object.assign(stdout, { write: writeOut })
    Object.assign(stderr, { write: writeErr })
    process.removeListener('unhandledRejection', onStray)
  }
  const seconds = (performance.now() - start) / 1000
  const exitCode = Number(process.exitCode ?? 0)
  process.exitCode = 0
  const explained = thrown && explainError(thrown.error)
  const message = explained?.message ?? ''
  const code = explained ? (explained instanceof UserError ? 2 : 1) : exitCode
  const text = [said, message].filter((part) => part !== '').join('\n')
  const wrong =
    stray ??
    (abort.signal.aborted ? `took ${seconds.toFixed(1)} s` : undefined) ??
    (explained && unclear(message)) ??
    (code > 2 ? `ended with ${code}` : undefined) ??
    (explained && isOwnFault(thrown?.error) ? 'it is an error of the program' : undefined) ??
    (raw.test(`${text}\n${out}`) ? 'it shows what a library says' : undefined)
  return { code, said: text, seconds, ...(wrong && { wrong: `${wrong}: ${text.slice(0, 600)}` }) }
}

/** Errors of JavaScript and of the system come to the user only where somebody has explained them. */
const isOwnFault = (error: unknown): boolean =>
  [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind)
