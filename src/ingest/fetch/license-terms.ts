import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { createPattern, robotsPath } from './robots-pattern.js'

/** What a licence of RSL says of addresses. */
export interface LicenseTerms {
  /**
   * Why a picture may not be taken for training as things are; undefined where it may, or where the licence says
   * nothing of its address.
   */
  refusal(url: URL): string | undefined
  /** Characters that they take. */
  readonly size: number
}

type Element = Readonly<Record<string, unknown>>

/** One `<content>`: what it is of, and its licences, one of which is to be taken. */
interface Content {
  readonly isOf: (url: URL) => boolean
  /** Of its pattern, in characters: the longest counts. */
  readonly length: number
  readonly refusal: string | undefined
}

/** What permits training, by RSL 1.0 (3.4.1.1) and its drafts. */
const training = new Set(['all', 'ai-all', 'ai-train', 'train-ai', 'ai', 'tdm'])
/** And what, where it is prohibited, prohibits it too. */
const kindsOfTraining = new Set([...training, 'train-genai', 'genai'])
/** Contents that one file is read for. */
const maxContents = 10_000

const parser = new XMLParser({
  attributeNamePrefix: '@',
  ignoreAttributes: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  parseAttributeValue: false,
  removeNSPrefix: true,
  // Whoever writes them in capitals means the same.
  transformTagName: (name) => name.toLowerCase(),
  transformAttributeName: (name) => name.toLowerCase(),
  maxNestedTags: 32,
  isArray: (name) => ['content', 'license', 'permits', 'prohibits', 'payment'].includes(name),
})

/**
 * Reads a document of Really Simple Licensing (RSL 1.0, rslstandard.org/rsl), as far as it decides whether a picture
 * may be taken for training without asking: a licence must permit it (`permits`, or none of that type), not prohibit it,
 * be free, and be for anybody anywhere; and the content must not name a server whose licence token is wanted. Of several
 * licences one will do; of several contents that an address belongs to, the one with the longest pattern counts, and of
 * several that are as long all. A content that does not say what it is of is of all that its server has.
 *
 * @param base where the document lies: its patterns may be paths
 * @returns undefined where it is no such document
 */
export function parseLicense(text: string, base: URL): LicenseTerms | undefined {
  // Entities of a file's own are not expanded.
  if (/<!ENTITY/i.test(text) || XMLValidator.validate(text) !== true) return undefined
  const { rsl, rss } = parser.parse(text) as Element
  const root = rsl ?? rss
  if (root === undefined) return undefined
  const found = contentsIn(root)
  // What stands behind the last one that is read may be the one that prohibits.
  if (found.length > maxContents || (found.length === 0 && rsl === undefined)) return undefined
  const contents = found.map((element) => contentOf(element, base))
  contents.sort((a, b) => b.length - a.length)
  return {
    size: text.length,
    refusal(url) {
      const longest = contents.find(({ isOf }) => isOf(url))?.length
      return contents.find(
        ({ length, refusal, isOf }) => length === longest && refusal !== undefined && isOf(url),
      )?.refusal
    },
  }
}

/** The contents of a document, those within the items of a feed too. */
function contentsIn(value: unknown): Element[] {
  if (Array.isArray(value)) return value.flatMap(contentsIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, child]) =>
    name === 'content' && Array.isArray(child)
      ? child.filter((one): one is Element => typeof one === 'object' && one !== null)
      : contentsIn(child),
  )
}

/** The server and the path of a content's address, either of which may have `*`. */
function contentOf(element: Element, base: URL): Content {
  const address = String(element['@url'] ?? '').trim()
  const [, scheme = '', named = '', path = ''] = /^(https?:)?\/\/([^/]*)(.*)$/is.exec(address) ?? [
    ...['', '', base.host, address],
  ]
  const origin = `${scheme || base.protocol}//${named}`
  // A name with `*` is an address to `URL` as well, and one that is none is the name of no server.
  const host = createPattern(`${URL.canParse(origin) ? new URL(origin).host : named}$`)
  // A path that begins with neither `/` nor `*` is one from the folder that the document lies in.
  const folder = base.pathname.replace(/[^/]*$/, '')
  const { length, matches } = createPattern(/^[/*]|^$/.test(path) ? path : `${folder}${path}`)
  return {
    length,
    isOf: (url) => host.matches(url.host) && matches(robotsPath(url.pathname + url.search)),
    refusal: refusalOf(element),
  }
}

function refusalOf(content: Element): string | undefined {
  const licenses = elements(content.license)
  if (licenses.length === 0) return undefined
  const reasons = licenses.map(whyNot)
  if (reasons.some((reason) => reason === undefined))
    return content['@server'] === undefined ? undefined : 'a licence must be had from its server'
  return reasons[0]
}

/** Why a licence cannot be taken; undefined where it can. */
function whyNot(license: Element): string | undefined {
  const permits = elements(license.permits)
  const prohibits = elements(license.prohibits)
  const isUsage = (element: Element) => typeOf(element) === 'usage'
  const ofUsage = permits.filter(isUsage)
  const isPermitted = ofUsage.length === 0 || ofUsage.some((element) => names(element, training))
  const isProhibited = prohibits.some((element) => isUsage(element) && names(element, kindsOfTraining))
  if (isProhibited || !isPermitted) return 'it does not permit training'
  if (![...permits, ...prohibits].every(isUsage)) return 'it is for certain users or places'
  const unmet = elements(license.payment).find((element) => String(element['@type']).toLowerCase() !== 'free')
  return unmet && `it asks for a payment of the kind "${String(unmet['@type'] ?? 'custom').slice(0, 40)}"`
}

const typeOf = (element: Element) =>
  String(element['@type'] ?? 'usage')
    .trim()
    .toLowerCase()

/** Whether the words of an element have one of a set among them. */
const names = (element: Element, uses: ReadonlySet<string>) =>
  String(element['#text'] ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .some((word) => uses.has(word))

/** Elements of one name; one that has neither children nor attributes is its text. */
const elements = (value: unknown): Element[] =>
  (Array.isArray(value) ? value : []).map((one) =>
    typeof one === 'object' && one !== null ? (one as Element) : { '#text': String(one) },
  )
