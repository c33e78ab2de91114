import { once } from 'node:events'
import { plainJson, plainLines } from '../../base/plain-text.js'
import { textWithoutCredentials } from '../../base/without-credentials.js'

/** Prints lines for people; whatever of a stranger's is in them, a terminal obeys nothing of it. */
export function print(text: string): void {
  process.stdout.write(`${plainLines(text)}\n`)
}

/** Prints a value for programs: one line of JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${plainJson(value)}\n`)
}

/** What a program is told of a failure: the message for people, and the exit code. */
export interface PrintedError {
  readonly message: string
  readonly code: number
}

/** Prints why a command has failed, for programs: one line of JSON, which stands in the place of its output. */
export function printError({ message, code }: PrintedError): void {
  printJson({ error: { message: textWithoutCredentials(message), code } })
}

/** Says lines beside the output, on standard error, which is a log: passwords in addresses are no part of it. */
export function say(text: string): void {
  process.stderr.write(`${plainLines(textWithoutCredentials(text))}\n`)
}

/** Says what a command works on, or what it has added: a line that belongs to the one above or below it. */
export const note = (text: string): void => say(`  ${text}`)

/**
 * Prints a text as it is into a file or a pipe, and without what a terminal would obey on one. Waits for a
 * reader that is slower.
 */
export async function printExact(text: string): Promise<void> {
  if (!process.stdout.write(process.stdout.isTTY ? plainLines(text) : text))
    await once(process.stdout, 'drain')
}

/** Clears the line of progress that a terminal may show. */
export function clearLine(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K')
}
