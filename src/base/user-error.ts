/**
 * What the person at the keyboard can mend: the message says what, where and what to do. The command line
 * prints the message alone and exits with 2. Anything else that is thrown is a failed work (1).
 */
export class UserError extends Error {
  override readonly name = 'UserError'
}
