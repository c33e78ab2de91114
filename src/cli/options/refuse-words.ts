import type { Command } from 'commander'
import { isAddress, notAnAddress } from '../../base/files/require-writable.js'
import { shownName } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'

/** Options of files and folders that are written: on this machine, wherever datasets lie. */
const written = ['--out', '--svg']

/**
 * Refuses an address where a file or folder of this machine is to be written: it would be made as a folder of that
 * name.
 *
 * @throws UserError that names the option
 */
export function refuseAddresses(command: Command): void {
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName())
    if (written.includes(option.long ?? '') && typeof value === 'string' && isAddress(value))
      throw new UserError(`${option.long} ${shownName(value)}: ${notAnAddress}`)
  }
}

/**
 * Refuses a word of a command that is empty, as a variable of the shell is that was never set: an empty path would be
 * the folder that one is in.
 *
 * @throws UserError that names the argument or option
 */
export function refuseEmptyWords(command: Command): void {
  const empty = (value: unknown) =>
    [value].flat().some((word) => typeof word === 'string' && word.trim() === '')
  command.processedArgs.forEach((value, at) => {
    if (empty(value)) throw emptyWord(`<${command.registeredArguments[at]?.name()}>`)
  })
  for (const option of command.options)
    if (empty(command.getOptionValue(option.attributeName()))) throw emptyWord(option.long ?? option.flags)
}

const emptyWord = (name: string) =>
  new UserError(`${name} is given and empty: say what it is to be (is a variable of the shell not set?).`)
