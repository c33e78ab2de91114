import { CommanderError } from 'commander'
import { explainError } from '../../base/explain-error.js'
import { UserError } from '../../base/user-error.js'
import { isJsonAsked } from './json-asked.js'
import { clearLine, printError, say } from './print.js'

/** How the program was going when the error came. */
export interface ErrorCircumstances {
  /** Aborted by Ctrl-C: whatever was thrown then, it is no failure. */
  readonly interrupted: AbortSignal
  /** Whether the stack of an error is printed too. */
  readonly verbose?: boolean
}

/** Prints what the user needs of an error and gives the exit code: 2 to mend, 130 interrupted, 1 failed work. */
export function reportError(thrown: unknown, { interrupted, verbose }: ErrorCircumstances): number {
  if (thrown instanceof CommanderError) return failed(2, wordsOf(thrown))
  // The line of progress that stands there is over.
  clearLine()
  if (interrupted.aborted) {
    const message = 'interrupted; run the same command again to go on'
    say(message)
    return failed(130, message)
  }
  const error = explainError(thrown)
  const { cause = error } = error
  say(`groundmill: ${verbose ? (cause as Error).stack : error.message}`)
  return failed(error instanceof UserError ? 2 : 1, error.message)
}

/** A program that reads JSON is told of the error in it. */
function failed(code: number, message: string): number {
  if (isJsonAsked()) printError({ message, code })
  return code
}

/** What commander has printed already, without the word before it. */
function wordsOf({ code, message }: CommanderError): string {
  return code === 'commander.help'
    ? 'a command is missing: --help lists them'
    : message.replace(/^error: /, '')
}
