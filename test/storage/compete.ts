/**
 * Run as a program of its own by lock.test.ts: `compete.ts URL swap N` counts to N in `count.json`, a swap each;
 * `compete.ts URL lock N` does the same under a lock, with a read and a write; `compete.ts URL hold` takes the
 * lock, says so and keeps it until it is killed; `compete.ts URL half` is stopped in the middle of a swap.
 */

import { acquireLock, withLock } from '../../src/storage/lock.js'
import { openStorage } from '../../src/storage/open-storage.js'

const [url = '', how, times] = process.argv.slice(2)
const storage = openStorage(url)
const name = 'a/count.json'
const next = (bytes: Uint8Array | undefined) => `${Number(Buffer.from(bytes ?? []).toString()) + 1}`

if (how === 'swap') {
  for (let done = 0; done < Number(times); ) {
    const before = await storage.readVersioned(name)
    if (await storage.swap(name, next(before?.bytes), before?.version)) done++
  }
} else if (how === 'lock') {
  for (let done = 0; done < Number(times); done++)
    await withLock(storage, 'a/count.lock', 'counting', async () => {
      await storage.write(name, next(await storage.read(name)))
    })
} else {
  await acquireLock(storage, 'a/count.lock', { what: 'holding on', wait: false })
  process.stdout.write('held\n')
  setInterval(() => {}, 1000)
}
