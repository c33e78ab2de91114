import type { Storage } from './storage.js'

/** A storage that says of all that is written that it was: for who wants to know what would be, and leaves nothing. */
export function readOnly(storage: Storage): Storage {
  const none = async () => {}
  const yes = async () => true
  const drain = async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const _ of chunks);
  }
  return {
    ...storage,
    write: none,
    create: yes,
    swap: yes,
    writeStream: (_, chunks) => drain(chunks),
    async writeAside(name, chunks) {
      await drain(chunks)
      return { path: storage.path(name), place: none, discard: none }
    },
    remove: none,
    sweep: none,
  }
}
