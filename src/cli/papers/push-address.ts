import { UserError } from '../../base/user-error.js'
import { type HubAddress, isCommit, isHub, parseHub } from '../../hub/hub-address.js'
import { parseS3, s3Url } from '../../storage/s3-client.js'
import { isS3 } from '../../storage/s3-storage.js'

/** Where an export is pushed to: a repository of the Hub, or below a prefix of a bucket. */
export type PushAddress = { readonly hub: HubAddress } | { readonly bucket: string }

/** Reads where an export is pushed to. Throws a UserError where it is neither a dataset's repository nor a bucket. */
export function pushAddress(text: string): PushAddress {
  if (isS3(text)) return { bucket: s3Url(parseS3(text)) }
  const hub = isHub(text) ? parseHub(text) : undefined
  if (isCommit(hub?.revision))
    throw new UserError(`--push: ${text} names a commit, which stays what it is: name a branch, or none.`)
  if (hub?.type === 'dataset' && hub.path === '') return { hub }
  throw new UserError(
    `--push: ${text} is no place for an export: hf://datasets/ORG/NAME[@BRANCH] is a repository of a dataset, s3://BUCKET/PREFIX[?endpoint=…] a place in a bucket.`,
  )
}
