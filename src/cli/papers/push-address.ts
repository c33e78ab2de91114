import { UserError } from '../../base/user-error.js'
import { type HubAddress, parseHub } from '../../hub/hub-address.js'

/** Where an export is pushed to. Throws a UserError where it is no dataset's repository. */
export function pushAddress(text: string): HubAddress {
  const address = parseHub(text)
  if (address.type === 'dataset' && address.path === '') return address
  throw new UserError(`--push: ${text} is no repository of a dataset: hf://datasets/ORG/NAME[@BRANCH].`)
}
