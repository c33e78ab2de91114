import type { Command } from 'commander'
import { didYouMean } from '../../base/nearest-name.js'
import { UserError } from '../../base/user-error.js'

/**
 * Refuses a word that is no command, or no sub-command, before its options are looked at: where it stands before
 * `--help`, the help of something else would be shown as if it were its own.
 *
 * @param words of the command line, behind the name of the program
 * @throws UserError with the nearest command, and with those that there are
 */
export function refuseUnknownCommands(program: Command, words: readonly string[]): void {
  let command = program
  for (const word of words) {
    if (word === '--') return
    if (word.startsWith('-') || (command.commands.length > 0 && word === 'help')) continue
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    // What takes a word of its own may be given any.
    if (!next && (command.commands.length === 0 || command.registeredArguments.length > 0)) return
    if (!next) throw unknown(command, word)
    command = next
  }
}

function unknown(command: Command, word: string): UserError {
  const names = command.commands.map((one) => one.name())
  const path = command.parent ? `${command.name()} ${word}` : word
  return new UserError(
    `there is no command "${path}".${didYouMean(word, names)} There are: ${names.join(', ')}.`,
  )
}
