const block = 512

/**
 * The parts of a file in a tar (ustar): its header, its content, and zeros up to a whole block. Owners and
 * times are 0, so that the same content gives the same bytes.
 *
 * @param name at most 100 bytes
 */
export function tarMember(name: string, content: Uint8Array): Uint8Array[] {
  const header = Buffer.alloc(block)
  const octal = (value: number, at: number, digits: number) =>
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1')
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long a name for a tar`)
  header.write(name, 0, 'utf8')
  octal(0o644, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(content.length, 124, 11)
  octal(0, 136, 11)
  // The sum is taken with spaces in its own place.
  header.fill(' ', 148, 156)
  header.write('0', 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const rest = (block - (content.length % block)) % block
  return rest === 0 ? [header, content] : [header, content, zeros.subarray(0, rest)]
}

/** Two empty blocks end a tar. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * block)

const zeros = Buffer.alloc(block)
