import { openObject } from '../storage/open-storage.js'
import type { OpenObject } from '../storage/storage.js'
import { resolveUrl } from './fetch-blob.js'
import { parseHub } from './hub-address.js'
import { cachedFile } from './hub-cache.js'
import { offlineError } from './hub-error.js'
import { fileAt, openSnapshot } from './hub-repository.js'
import { askHub } from './hub-request.js'
import { fetchWatch } from './watch-fetches.js'

/**
 * Opens a file of the Hub whose parts are asked for one by one, where a few of them say enough: a Parquet file's footer.
 * One that the cache has is read there. Parts are not held against a hash; who works with the file fetches it whole.
 *
 * @param address of a file, as `hubFiles` gives it
 */
export async function openHubObject(address: string): Promise<OpenObject> {
  const at = parseHub(address)
  const snapshot = await openSnapshot(at)
  const { settings } = snapshot
  const file = fileAt(snapshot, at.path)
  if (!file) throw new Error(`${address} is not in the list of its repository`)
  const there = await cachedFile(settings, snapshot, file)
  if (there) return openObject(there)
  if (settings.isOffline) throw offlineError(at, settings)
  const url = resolveUrl(settings, snapshot, file)
  const { signal } = fetchWatch()
  return {
    size: file.size,
    async read(start, end) {
      if (start === end) return new ArrayBuffer(0)
      const headers = { range: `bytes=${start}-${end - 1}` }
      const response = await askHub(url, {}, { place: at, settings, signal, headers })
      const bytes = response.status === 206 ? await response.arrayBuffer() : undefined
      if (!bytes) await response.body?.cancel()
      if (bytes?.byteLength === end - start) return bytes
      throw new Error(`${settings.endpoint} does not give the part of it that was asked for`)
    },
    close: async () => {},
  }
}
