import type { Command } from 'commander'
import { didYouMean } from '../../base/nearest-name.js'
import { UserError } from '../../base/user-error.js'

/**
 * Refuses a word that is no command, or no sub-command, before its options are looked at: where it stands before
 * `--help`, the help of something else would be shown as if it were its own.
 *
 * @param words of the command line, behind the name of the program
 * @param own the words that a command takes beside its sub-commands, by its name; a path will do as well
 * @throws UserError with the nearest command, and with those that there are
 */
export function refuseUnknownCommands(
  program: Command,
  words: readonly string[],
  own: Readonly<Record<string, () => readonly string[]>> = {},
): void {
  let command = program
  for (const [at, word] of words.entries()) {
    if (word === '--') return
    if (word.startsWith('-') || (command.commands.length > 0 && word === 'help')) continue
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (next) command = next
    else if (command.commands.length === 0) return
    else {
      // What takes a word of its own may be given one, and where there is a list of them, one of the list.
      const given = words.slice(at).filter((one) => !one.startsWith('-'))
      const names = own[command.name()]?.()
      const isOwn = !names || names.includes(word) || /[/\\.]/.test(word)
      if (isOwn && given.length <= command.registeredArguments.length) return
      throw unknown(command, word, command.registeredArguments.length > 0 ? names : undefined)
    }
  }
}

function unknown(command: Command, word: string, own: readonly string[] = []): UserError {
  const names = [...command.commands.map((one) => one.name()), ...own]
  const path = command.parent ? `${command.name()} ${word}` : word
  return new UserError(
    `there is no ${own.length > 0 ? 'card and no ' : ''}command "${path}".${didYouMean(word, names)} There are: ${names.join(', ')}.`,
  )
}
