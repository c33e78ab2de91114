import { hideCredentials } from '../base/credentials.js'
import { isHome, noHome } from '../base/files/why-unreadable.js'
import { UserError } from '../base/user-error.js'
import { openLocalObject, openLocalStorage } from './local-storage.js'
import { isS3, openS3Object, openS3Storage } from './s3-storage.js'
import type { OpenObject, Storage } from './storage.js'

/**
 * Opens the storage behind a URL: a plain path is a folder of this machine, `s3://bucket/prefix` a part of a
 * bucket. Throws a UserError for a scheme that it does not know.
 */
export function openStorage(url: string): Storage {
  if (isS3(url)) return openS3Storage(url)
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]
  if (scheme)
    throw new UserError(
      `Cannot open ${hideCredentials(url)}: datasets lie in local paths or in s3:// (also MinIO, R2 and GCS, by their endpoints), not in ${scheme}://.`,
    )
  if (isHome(url)) throw new UserError(`${url}: ${noHome}`)
  return openLocalStorage(url)
}

/**
 * Opens what `Storage.path` names: a file of this machine, or an object of a store.
 *
 * @throws UserError where there is none
 */
export async function openObject(location: string): Promise<OpenObject> {
  return isS3(location) ? openS3Object(location) : openLocalObject(location)
}
