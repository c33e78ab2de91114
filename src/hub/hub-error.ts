import { UserError } from '../base/user-error.js'
import { type HubAddress, hubText } from './hub-address.js'
import type { HubSettings } from './hub-settings.js'

/** A repository or a file of it, for messages. */
export type HubPlace = HubAddress

/** What may pass: the network, a Hub that is down. */
export class HubUnreachable extends Error {
  override readonly name = 'HubUnreachable'
}

/** The answer of a Hub that has refused something, as far as it matters. */
export interface Refusal {
  readonly status: number
  /** `X-Error-Code`: RepoNotFound, GatedRepo, RevisionNotFound or EntryNotFound. */
  readonly code: string | null
  /** `X-Error-Message`. */
  readonly message: string | null
}

/** Why the Hub refused, and what to do. */
export function refusalError(
  { status, code, message }: Refusal,
  place: HubPlace,
  settings: HubSettings,
): Error {
  const { endpoint, token, tokenFrom } = settings
  const at = hubText(place)
  const page = `${endpoint}/${place.type === 'dataset' ? 'datasets/' : ''}${place.id}`
  if (code === 'RevisionNotFound')
    return new UserError(
      `${at}: the repository has no branch, tag or commit "${place.revision ?? 'main'}": see ${page}/commits.`,
    )
  if (code === 'EntryNotFound')
    return new UserError(`${at}: the repository has no such file: see ${page}/tree/main.`)
  if (code === 'GatedRepo' || status === 403) {
    const how =
      token === undefined
        ? `ask for access at ${page}, and give a token of yours in HF_TOKEN`
        : `the token (${tokenFrom}) has none: ask for it at ${page}`
    return new UserError(`${at}: its owner grants access to who asks for it; ${how}.`)
  }
  if (status === 401 && /credentials/i.test(message ?? ''))
    return new UserError(
      `${at}: ${endpoint} does not take the token (${tokenFrom}): it is wrong or has run out. Make another one at ${endpoint}/settings/tokens, or leave it away for what is public.`,
    )
  if (code === 'RepoNotFound' || status === 401 || status === 404) {
    const who =
      token === undefined
        ? 'it is private: give a token of who may see it in HF_TOKEN'
        : `it is private and the token (${tokenFrom}) may not see it`
    return new UserError(
      `${at}: ${endpoint} has no such ${place.type}, or ${who}.${place.type === 'model' ? ' Datasets are hf://datasets/ORG/NAME.' : ''}`,
    )
  }
  const what = status === 429 ? 'it has had too many requests' : `it answers with ${status}`
  const failed = `${at}: ${endpoint} does not give it now: ${what}. Run the same command again later to go on`
  const advice =
    status === 429 && token === undefined ? '; with a token in HF_TOKEN more requests are free' : ''
  return status === 429 || status >= 500
    ? new HubUnreachable(`${failed}${advice}.`)
    : new UserError(`${failed}.`)
}

/** Of where the Hub leads on to: what is refused there says nothing of who may read the repository. */
export const refusedElsewhere = (
  host: string,
  status: number,
  place: HubPlace,
  { endpoint }: HubSettings,
): HubUnreachable =>
  new HubUnreachable(
    `${hubText(place)}: ${endpoint} leads to ${host}, which answers with ${status}. Run the same command again; if it stays so, something on the way forbids it (a proxy, a firewall).`,
  )

/** What answers is no Hub. */
export const notAHub = (
  place: HubPlace,
  { endpoint }: HubSettings,
  why?: string,
  cause?: unknown,
): UserError =>
  new UserError(
    `${hubText(place)}: ${endpoint} does not answer as a Hub does${why === undefined ? '' : ` (${why})`}: check HF_ENDPOINT.`,
    { cause },
  )

/** Why the Hub could not be reached. */
export function unreachable(
  error: unknown,
  place: HubPlace,
  { endpoint, cache }: HubSettings,
): HubUnreachable {
  const why = whyNot(error)
  return new HubUnreachable(
    `${hubText(place)}: ${endpoint} cannot be reached (${why}), and the cache (${cache}) has not all of it. Check the network and HF_ENDPOINT, and run the same command again; or fetch it on a machine that has a network and copy the cache.`,
    { cause: error },
  )
}

/** The innermost code of a failure of the network. */
export function whyNot(error: unknown): string {
  let why = ''
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, message, errors } = cause as NodeJS.ErrnoException & { readonly errors?: readonly Error[] }
    why = code ?? ((errors?.[0] as NodeJS.ErrnoException | undefined)?.code || why || message)
    if (cause.name === 'TimeoutError') why = 'it does not answer'
  }
  return why.startsWith('UND_ERR') && /TIMEOUT/.test(why) ? 'it does not answer' : why || 'no answer'
}

/** What is wanted of the Hub though nothing may be asked of it. */
export const offlineError = (place: HubPlace, { cache }: HubSettings): UserError =>
  new UserError(
    `${hubText(place)}: the cache (${cache}) has not all of it, and HF_HUB_OFFLINE forbids to ask the Hub. Unset it, or fetch this where there is a network: hf download ${place.id}${place.type === 'dataset' ? ' --repo-type dataset' : ''}`,
  )
