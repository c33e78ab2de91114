import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { notAnAddress, requireWritable } from '../../base/files/require-writable.js'
import { isAddress } from '../../base/files/why-unreadable.js'
import { shownName } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'

/** Options of files and folders that are written: on this machine, wherever datasets lie. */
const written = ['--out', '--svg']

/**
 * Looks before the work whether the files and folders that a command is to write can be written. Nothing is made.
 *
 * @throws UserError that names the option, also of an address: it would be made as a folder of that name
 */
export async function requireOutputs(command: Command): Promise<void> {
  for (const given of command.options) {
    const { long = '', flags } = given
    const value: unknown = command.getOptionValue(given.attributeName())
    const isAsked = command.getOptionValueSource(given.attributeName()) === 'cli'
    if (!written.includes(long) || !isAsked || typeof value !== 'string') continue
    const option = `${long} ${shownName(value)}`
    if (isAddress(value)) {
      // A run may lie in a bucket.
      if (flags.includes('<url>')) continue
      throw new UserError(`${option}: ${notAnAddress}`)
    }
    const isFile = flags.includes('<file>')
    const found = await stat(value).catch(() => undefined)
    if (isFile && found?.isDirectory())
      throw new UserError(`${option} is a folder, and a file is written: name the file in it.`)
    await requireWritable(isFile ? dirname(value) : value)
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
