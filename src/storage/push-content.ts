import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What is there before a push. */
export interface PushSide {
  readonly paths: readonly string[]
  /** The text of a small file; undefined where there is none. */
  read(path: string): Promise<string | undefined>
}

/** What is pushed of a folder, wherever it goes. */
export interface PushParts {
  /** Files of the folder, from it on, with forward slashes. */
  readonly files: readonly string[]
  /** Texts that go in the place of files of these names, once it is known what is there. */
  readonly texts?: (there: PushSide) => Promise<Readonly<Record<string, string>>>
  readonly signal: AbortSignal
  /** Told of the bytes that are behind. */
  readonly onProgress?: (done: number, total: number) => void
}

/** What shall be there under a path. */
export interface PushContent {
  readonly path: string
  /** Of the file of this machine. */
  readonly file: string
  /** In the place of the file's. */
  readonly text?: string
  /** In bytes. */
  readonly size: number
}

/** The contents of a push, one after another. */
export async function* contentsOf(
  folder: string,
  { files, texts, signal }: PushParts,
  there: PushSide,
): AsyncGenerator<PushContent> {
  const own = new Map(Object.entries((await texts?.(there)) ?? {}))
  for (const path of files) {
    signal.throwIfAborted()
    const file = join(folder, path)
    const text = own.get(path)
    yield text === undefined
      ? { path, file, size: (await stat(file)).size }
      : { path, file, text, size: Buffer.byteLength(text) }
  }
}

/** The bytes of a content, in parts. */
export const partsOf = (
  { file, text }: PushContent,
  signal: AbortSignal,
): AsyncIterable<Buffer> | Buffer[] =>
  text === undefined ? createReadStream(file, { highWaterMark: 1 << 20, signal }) : [Buffer.from(text)]
