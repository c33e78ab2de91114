import { noHome } from '../../base/files/why-unreadable.js'
import { shownName } from '../../base/name-list.js'
import type { RejectRow } from '../../rows/rows.js'

/** What a mend is made of: how the stage was run, and what of it was dropped. */
export interface MendContext {
  /** The stage's `with`. */
  readonly config: Readonly<Record<string, unknown>>
  /** The option that sets a key of the stage, ready for a shell. */
  readonly set: (key: string, value: string) => string
  /** Whether all rows were dropped for this one reason. */
  readonly isOnly: boolean
  /** Some rejected rows of the reason, of one shard. */
  readonly rows: () => Promise<readonly RejectRow[]>
  /** The best score of what a filter was given, where its rules do not change scores before they look at them. */
  readonly bestScore: () => Promise<number | undefined>
}

/** What the user can do about rows that were dropped for a reason. */
interface Mend {
  readonly advice: (context: MendContext) => string | undefined | Promise<string>
  /**
   * Whether it is also said where many rows fail, and not all: something is wrong with the words of the user, and not
   * with one picture or another.
   */
  readonly often: boolean
}

const always = (advice: Mend['advice'] | string): Mend => ({
  advice: typeof advice === 'string' ? () => advice : advice,
  often: true,
})
const whenAll = (advice: Mend['advice'] | string): Mend => ({ ...always(advice), often: false })

/** A name of a file, and no address: `photos/1.jpg`, `/data/1.jpg`, `C:\1.jpg`, `file:///data/1.jpg`. */
const isFileName = (url: string): boolean =>
  /^(file:|[a-z]:[\\/])/i.test(url) || !/^(\/\/|[a-z][a-z\d+.-]*:)/i.test(url)

/** What the first row of a list calls its column of addresses. */
const headers = /^(?:image|img|photo|picture|file)?[\s_-]?(?:urls?|paths?|links?|names?|images?|files?)$/i

const example = ([row]: readonly RejectRow[]): string =>
  row ? `: ${shownName(row.detail.replace(/\.$/, ''), 200)}` : ''
const exampleUrl = ([row]: readonly RejectRow[]): string =>
  row?.url ? `, such as ${shownName(row.url, 120)}` : ''

async function badUrl({ set, rows }: MendContext): Promise<string> {
  const found = await rows()
  const file = found.find(({ url }) => url !== null && isFileName(url))
  if (file?.url && headers.test(file.url))
    return `the first row is a header, with the name ${shownName(file.url, 120)}: ${set('header', 'true')} takes it as that, and \`columns\` by their names`
  if (!file)
    return `only http and https addresses are fetched${exampleUrl(found)}: give those, or a folder with the files`
  return `the list names files${exampleUrl([file])}: ${set('images', 'FOLDER')} reads them from that folder (for a folder of pictures without a list: ${set('format', 'folder')} ${set('path', 'FOLDER')}); where they are on the web, ${set('base_url', 'https://HOST/PATH/')} --retry-failed bad_url`
}

/** Hosts that nobody means: where a cloud keeps its keys. */
const isMetadata = (detail: string) => /linkLocal|metadata|169\.254\.|fd00:ec2/.test(detail)

/** The hosts that the crawl was kept from, with their ports, in an option that allows them besides those that it allows. */
const allowHosts =
  (reason: string) =>
  async ({ config, set, rows }: MendContext): Promise<string> => {
    const found = (await rows()).filter(({ detail }) => !isMetadata(detail))
    const hosts = [...new Set(found.flatMap(({ url, detail }) => hostIn(url, detail)))].slice(0, 4)
    if (hosts.length === 0)
      return 'the list names addresses behind which a cloud keeps its keys: they are never fetched'
    const { allow_hosts = [] } = (config.fetch ?? {}) as { readonly allow_hosts?: readonly string[] }
    const all = JSON.stringify([...new Set([...allow_hosts, ...hosts])])
    return `the pictures are on ${hosts.join(', ')}, which strangers' lists may not lead to: where the server is yours, run again with ${set('fetch.allow_hosts', all)} --retry-failed ${reason}`
  }

/** HOST:PORT that was refused: the row's own, or where a redirect led. */
function hostIn(url: string | null, detail: string): string[] {
  const [named = ''] = /^\S+/.exec(detail) ?? []
  const place = /^https?:/.test(named) ? named.replace(/:$/, '') : url
  if (place === null || !URL.canParse(place)) return []
  const { hostname, port, protocol } = new URL(place)
  if (place === url && !/^https?:/.test(named) && named !== hostname) return [named]
  return [`${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`]
}

const again = 'run the same command again: it tries these rows again'
const unanswered: Mend = always(
  async ({ rows }) =>
    `the servers do not answer${example(await rows())}; start them or see to the network, then ${again}`,
)
const damaged = whenAll(
  async ({ rows }) => `the files are cut off or damaged${example(await rows())}; get them anew`,
)

/** A limit of the stage `image`. */
const pictureLimit = (key: string, value: string): Mend =>
  always(
    async ({ set, rows }) =>
      `the pictures are beyond a limit${example(await rows())}; where they are wanted: ${set(`image.${key}`, value)}`,
  )

/** Ids of a file that none of its lists has. */
const unlisted = (what: string): Mend =>
  always(
    async ({ rows }) =>
      `the file speaks of ${what} that it does not list${example(await rows())}; are its files of one set?`,
  )

async function scores({ config, set, bestScore }: MendContext): Promise<string> {
  const min = ruleOf(config, 'score')?.min
  const best = await bestScore()
  if (best === undefined || best >= Number(min))
    return `the scores are under ${min}: ${set('score.min', 'VALUE')} takes lower ones`
  return `the best score is ${shownScore(best)}, under ${min}: ${set('score.min', String(floorScore(best)))}`
}

const shownScore = (score: number) => String(Number(score.toPrecision(2)))
/** Down to one digit: 0.21 gives 0.2, 0.0043 gives 0.004. */
function floorScore(score: number): number {
  const digit = 10 ** Math.floor(Math.log10(score))
  return score > 0 ? Number((Math.floor(score / digit + 1e-9) * digit).toPrecision(1)) : 0
}

type Rule = Readonly<Record<string, unknown>> & { readonly rule: string }
const rulesOf = ({ rules }: MendContext['config']): readonly Rule[] =>
  Array.isArray(rules) ? (rules as Rule[]) : []
const ruleOf = (config: MendContext['config'], name: string) =>
  rulesOf(config).find(({ rule }) => rule === name)

/** Any other rule: its parameters as they are. */
const rule =
  (name: string): Mend['advice'] =>
  ({ config, set }) => {
    const { rule: _, ...parameters } = ruleOf(config, name) ?? { rule: name }
    const values = Object.entries(parameters).filter(([, value]) => typeof value !== 'object')
    const keys = values.map(([key]) => set(`${name}.${key}`, 'VALUE'))
    if (keys.length === 0) return `the rule drops them all: leave it out of the stage's rules`
    const shown = values.map(([key, value]) => `${key}: ${value}`).join(', ')
    return `the rule (${shown}) drops them all: ${keys.join(' or ')}, or leave it out of the stage's rules`
  }

/** What to do by the reason under which rows are counted: those of an ingest stage first, then in the order of the stages. */
const mends: Readonly<Record<string, Mend>> = {
  bad_url: always(badUrl),
  url_credentials: always(
    'addresses with a user name or password are not fetched: take these out of the list',
  ),
  forbidden_address: always(allowHosts('forbidden_address')),
  forbidden_port: always(allowHosts('forbidden_port')),
  no_such_host: whenAll(
    async ({ rows }) =>
      `there are no such hosts${exampleUrl(await rows())}: is the list right, and does this machine reach the internet? Then run again with --retry-failed no_such_host`,
  ),
  dns: always(
    ({ set }) =>
      `the name servers fail: ${set('fetch.dns.servers', '["ADDRESS"]')} names another one; ${again}`,
  ),
  connection: unanswered,
  timeout: unanswered,
  host_down: unanswered,
  not_tried: unanswered,
  robots_unreachable: unanswered,
  license_unreachable: unanswered,
  tls: always(
    async ({ rows }) =>
      `the certificates are not trusted${example(await rows())}; those of an authority of your own are named in NODE_EXTRA_CA_CERTS; run again with --retry-failed tls`,
  ),
  robots: always(
    async ({ set, rows }) =>
      `robots.txt forbids it${exampleUrl(await rows())}: ask whoever runs the server; where it is yours, run again with ${set('fetch.robots', 'false')} --retry-failed robots`,
  ),
  tdm_reserved: always('the servers reserve text and data mining, and the stage says `tdm: refuse`'),
  opt_out: always(
    'the servers ask that their pictures be left out (X-Robots-Tag, Content-Usage, Content-Signal): take them out of the list, or ask whoever runs the servers',
  ),
  license_required: always(
    async ({ set, rows }) =>
      `the servers name a licence that does not let anybody train on their pictures${example(await rows())}: take them out of the list, or get the licence, and run again with ${set('fetch.license', 'ignore')} --retry-failed license_required`,
  ),
  payment_required: always(
    async ({ rows }) =>
      `the servers want to be paid${exampleUrl(await rows())}: take the pictures out of the list, or ask whoever runs the servers`,
  ),
  http_401: always(refused),
  http_403: always(refused),
  http_404: whenAll(gone),
  http_410: whenAll(gone),
  http_429: always(
    ({ set }) => `the servers ask for fewer requests: ${set('fetch.per_host', '1')}; ${again}`,
  ),
  http_transient: always(async ({ rows }) => `the servers fail${example(await rows())}; later, ${again}`),
  http: whenAll(async ({ rows }) => `the servers give no pictures${example(await rows())}`),
  too_many_redirects: whenAll(noPicture),
  bad_response: whenAll(noPicture),
  bad_encoding: whenAll(noPicture),
  empty_body: whenAll(noPicture),
  not_image: always(noPicture),
  unsupported_format: always(
    async ({ rows }) =>
      `the format is not read${example(await rows())}; make JPEG, PNG or WebP of the pictures`,
  ),
  truncated: damaged,
  decode_error: damaged,
  damaged: always(`pictures were lost with a damaged file: ${again}`),
  too_many_scans: whenAll('the JPEGs have so many scans that they stop a reader: encode them anew'),
  too_large: always(
    async ({ set, rows }) =>
      `the files are large${example(await rows())}; where they are wanted: ${set('fetch.max_bytes', '100000000')} --retry-failed too_large`,
  ),
  too_small: pictureLimit('min_image_size', '1'),
  too_large_area: pictureLimit('max_image_area', 'PIXELS'),
  extreme_aspect: pictureLimit('max_aspect_ratio', 'RATIO'),
  too_many_pixels: pictureLimit('max_pixels', 'PIXELS'),
  too_many_pages: pictureLimit('max_pages', 'PAGES'),
  too_much_memory: pictureLimit('max_decoded_bytes', 'BYTES'),
  missing_file: always(async ({ config, set, rows }) => {
    const where = hasImages(config)
      ? `; ${set('images', 'FOLDER')} is the folder that their names begin in`
      : ''
    const found = await rows()
    const home = found.some(({ detail }) => /(?:^|[\s/])~\//.test(detail)) ? `; ${noHome.slice(0, -1)}` : ''
    return `the files are not there${example(found)}${home}${where}`
  }),
  outside_folder: always(async ({ config, set, rows }) => {
    const key = hasImages(config) ? 'images' : 'path'
    return `the files lie elsewhere${example(await rows())}; ${set(key, 'FOLDER')} names a folder that holds them all`
  }),
  not_a_file: whenAll(async ({ rows }) => `the names are not of files${example(await rows())}`),
  malformed_row: always(
    async ({ rows }) =>
      `the rows cannot be read${example(await rows())}; are \`format\`, \`header\` and \`columns\` those of the file?`,
  ),
  empty_caption: always(async ({ config, set, rows }) =>
    config.format === 'folder'
      ? `the pictures have no captions${example(await rows())}; give each a text file of its name, or the folder a metadata.jsonl; where there are none to be had, ${set('names', '[dog, bicycle]')} asks each picture for those`
      : `there are no captions${example(await rows())}; does \`columns.caption\` name the right column?`,
  ),
  size_mismatch: always(
    async ({ rows }) =>
      `the boxes are of pictures of another size${example(await rows())}; \`images\` must be the folder that was annotated`,
  ),
  shared_id: always(
    async ({ rows }) =>
      `ids of the file are those of several things${example(await rows())}; give each its own`,
  ),
  unknown_picture: unlisted('pictures'),
  unknown_category: unlisted('categories'),
  unknown_annotation: unlisted('annotations'),
  duplicate_member: always(
    'the samples have two members of one field: `columns.image` names the one to take',
  ),
  contaminated: whenAll('all pictures are in the sets of `against`: is the dataset one of them?'),
  duplicate_url: whenAll('the addresses are of pictures that came before'),
  duplicate_bytes: whenAll('the pictures are copies of others that came before'),
  near_duplicate: whenAll(
    ({ config, set }) =>
      `the pictures are nearly others that came before: ${set('distance', 'BITS')}, less than ${config.distance}`,
  ),
  not_english: always(
    async ({ rows }) =>
      `the captions are not in English, the one language that is read${example(await rows())}; translate them, or give English ones`,
  ),
  no_phrase: whenAll(noPhrase),
  no_proposal: whenAll(({ config, set }) => {
    const floor = Number(config.floor)
    const weaker =
      floor > 0
        ? ` of at least ${floor}: ${set('floor', String(floorScore(floor / 5)))} keeps weaker proposals`
        : ''
    return `the model finds nothing${weaker}; is it a model for such pictures?`
  }),
  score: whenAll(scores),
  // A detector proposes each box for every phrase: that most go here is as it should be.
  label: whenAll(({ set, isOnly }) =>
    isOnly
      ? `no phrase names a label of the detector: ${set('label.synonyms', '{LABEL: [WORD]}')} gives further names, or take a model that is asked in words`
      : undefined,
  ),
}

/** Whether the format of a source has a folder of pictures apart from its path. */
const hasImages = ({ format }: MendContext['config']): boolean =>
  !['folder', 'yolo', 'webdataset'].includes(String(format))

async function refused({ set, rows }: MendContext): Promise<string> {
  return `the servers refuse the pictures${example(await rows())}; some want to know who asks: ${set('fetch.contact', 'you@example.org')} --retry-failed http_401,http_403`
}

async function gone({ config, rows }: MendContext): Promise<string> {
  const where = config.base_url
    ? `; is base_url ${shownName(String(config.base_url), 120)} right?`
    : ', or its list is old'
  return `the pictures are not there${exampleUrl(await rows())}${where}`
}

async function noPicture({ config, rows }: MendContext): Promise<string> {
  const found = await rows()
  if (found.some(({ url }) => url !== null && /^https?:/.test(url)))
    return `what the addresses give is no picture${example(found)}; does \`columns.url\` name the pictures, and not the pages that show them?`
  return `the files are no pictures that can be read${example(found)}; ${config.format === 'folder' ? 'give others in their place' : 'does `columns.url` name the pictures?'}`
}

function noPhrase({ config, set }: MendContext): string {
  const most = Number(config.max_words)
  const hint =
    most < 10
      ? `phrases of more than ${most} words are left out: ${set('max_words', '10')}`
      : 'do the captions name things that can be seen?'
  return `no phrase was found in the captions: ${hint}`
}

/**
 * What to do about rows that were dropped for a reason.
 *
 * @param often undefined is given where it is only worth saying of all rows
 */
export async function mendOf(
  reason: string,
  context: MendContext,
  often = false,
): Promise<string | undefined> {
  const mend = Object.hasOwn(mends, reason) ? mends[reason] : mends[familyOf(reason)]
  if (mend) return often && !mend.often ? undefined : mend.advice(context)
  if (often) return undefined
  return ruleOf(context.config, reason) ? rule(reason)(context) : undefined
}

/** Whether rows can be rejected for a reason. */
export const isReason = (reason: string): boolean =>
  Object.hasOwn(mends, reason) || Object.hasOwn(mends, familyOf(reason))

/** The reasons that are no kinds of reasons, such as `http`. */
export const reasonNames: readonly string[] = Object.keys(mends).filter((name) => familyOf(name) !== name)

/** Reasons of a kind, which have no entry of their own. */
function familyOf(reason: string): string {
  if (/^opt_out_/.test(reason)) return 'opt_out'
  if (/^http_(408|425|5\d\d)$/.test(reason)) return 'http_transient'
  return /^http_\d/.test(reason) ? 'http' : ''
}
