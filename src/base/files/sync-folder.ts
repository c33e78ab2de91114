import { open } from 'node:fs/promises'

/** A rename outlives a power cut only once its folder is on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and needs none of this.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** For `catch`: undefined where the file or folder is not there. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
