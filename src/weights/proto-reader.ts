import type { FileHandle } from 'node:fs/promises'
import { UserError } from '../base/user-error.js'

/** Bytes that are read at a time. */
const pieceBytes = 1 << 16
/** Names of files and the numbers beside them are short: what is longer is skipped. */
const longestName = 4096

/** The fields of protobuf messages, of which those that nobody asks for are passed over unread. */
export class ProtoReader {
  #piece = Buffer.alloc(0)
  #pieceAt = 0
  #at = 0

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    private readonly size: number,
  ) {}

  damaged(): UserError {
    return new UserError(
      `${this.path} is cut short, or is no ONNX model (${this.size} bytes): fetch or export it again. A file of Git LFS that was not fetched has some hundred bytes (git lfs pull).`,
    )
  }

  /**
   * Goes through the fields up to `end`.
   *
   * @param visit is told the number of a field that has a length, and where it ends; it may read up to there
   */
  async each(end: number, visit: (field: number, end: number) => Promise<void>): Promise<void> {
    while (this.#at < end) {
      const tag = await this.#varint()
      const [field, wire] = [Math.floor(tag / 8), tag % 8]
      if (wire === 2) {
        const fieldEnd = (await this.#varint()) + this.#at
        if (field === 0 || fieldEnd > end) throw this.damaged()
        await visit(field, fieldEnd)
        this.#at = fieldEnd
      } else if (wire === 0) await this.#varint()
      else if (wire === 1) this.#at += 8
      else if (wire === 5) this.#at += 4
      else throw this.damaged()
    }
    if (this.#at !== end) throw this.damaged()
  }

  /** The text up to `end`; '' where it has more than `longest` bytes. */
  async text(end: number, longest = longestName): Promise<string> {
    const length = end - this.#at
    if (length > longest) return ''
    const bytes = await this.#bytes(length)
    this.#at = end
    return bytes.toString('utf8')
  }

  async #varint(): Promise<number> {
    let value = 0
    for (let place = 1; ; place *= 128) {
      const byte = (await this.#bytes(1))[0] as number
      this.#at++
      value += (byte & 127) * place
      if (byte < 128) return value
      if (place > 2 ** 62) throw this.damaged()
    }
  }

  /** Bytes from where it is; it stays there. */
  async #bytes(length: number): Promise<Buffer> {
    const start = this.#at - this.#pieceAt
    if (start >= 0 && start + length <= this.#piece.length) return this.#piece.subarray(start, start + length)
    const piece = Buffer.alloc(Math.max(pieceBytes, length))
    const { bytesRead } = await this.file.read(piece, 0, piece.length, this.#at)
    if (bytesRead < length) throw this.damaged()
    this.#piece = piece.subarray(0, bytesRead)
    this.#pieceAt = this.#at
    return this.#piece.subarray(0, length)
  }
}
