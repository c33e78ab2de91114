import { UserError } from '../../base/user-error.js'
import { readUtf8 } from '../../formats/read-utf8.js'

/** An element below the root of an XML file. */
export interface XmlElement {
  readonly name: string
  /** All of it, from its first `<` to its last `>`. */
  readonly text: string
}

/** A picture with thousands of boxes has a few MiB. */
const longest = 16 << 20
const deepest = 64

/**
 * The elements right below the root of an XML file, one in memory at a time. What lies in them is not looked at but for
 * where they end.
 *
 * @throws UserError where it is not XML or not UTF-8, defines entities or a type of its own, has another root, or an
 *   element of over 16 MiB
 */
export async function* xmlElements(path: string, root: string): AsyncGenerator<XmlElement> {
  const bad = (what: string) => new UserError(`${path} is not XML as CVAT writes it: ${what}.`)
  const decoder = new TextDecoder('utf-8')
  let text = ''
  let depth = 0
  /** Where the element begins that is being read; -1 between elements. */
  let start = -1
  let at = 0
  let name = ''
  let isDone = false
  const found: XmlElement[] = []
  /** Reads on as far as the text goes; what is not whole waits for more. */
  const readOn = () => {
    for (;;) {
      const open = text.indexOf('<', at)
      if (depth === 0 || isDone) {
        const between = text.slice(at, open < 0 ? undefined : open)
        if (between.replace(/^\ufeff/, '').trim() !== '')
          throw bad(isDone ? 'there is more behind its end' : 'it begins with something else than <')
      }
      if (open < 0) {
        at = text.length
        return
      }
      const skip = skipped.find(([begin]) => text.startsWith(begin, open))
      if (skip) {
        const end = text.indexOf(skip[1], open + skip[0].length)
        if (end < 0) {
          at = open
          return
        }
        at = end + skip[1].length
        continue
      }
      // What begins like one of them may go on as one of them.
      const rest = text.slice(open, open + 9)
      if (rest.length < 9 && '<![CDATA['.startsWith(rest)) {
        at = open
        return
      }
      if (text[open + 1] === '!') throw bad('it has a <!DOCTYPE or an <!ENTITY, which is not read')
      const end = tagEnd(text, open)
      if (end < 0) {
        at = open
        return
      }
      const tag = text.slice(open, end)
      at = end
      const [, closing, tagName = ''] = /^<(\/?)([^\s<>/]+)/.exec(tag) ?? []
      if (tagName === '') throw bad(`it has a tag without a name`)
      if (closing) {
        depth--
        if (depth === 1) take(end)
        if (depth === 0) isDone = true
        if (depth < 0) throw bad('it closes more elements than it opens')
        continue
      }
      if (isDone) throw bad('there is more behind its end')
      if (depth === 0 && tagName !== root) throw bad(`its root is <${tagName.slice(0, 40)}>, not <${root}>`)
      if (depth === 1) {
        start = open
        name = tagName
      }
      if (!tag.endsWith('/>')) {
        if (++depth > deepest) throw bad(`its elements are nested deeper than ${deepest}`)
      } else if (depth === 1) take(end)
      else if (depth === 0) isDone = true
    }
  }
  const take = (end: number) => {
    found.push({ name, text: text.slice(start, end) })
    start = -1
  }
  for await (const chunk of readUtf8(path)) {
    text += decoder.decode(chunk, { stream: true })
    readOn()
    yield* found.splice(0)
    const from = start >= 0 ? start : at
    text = text.slice(from)
    at -= from
    start = start >= 0 ? 0 : -1
    if (text.length > longest) throw bad(`an element of it, or a mark, has over ${longest >> 20} MiB`)
  }
  if (!isDone) throw bad(depth === 0 ? 'it is empty' : 'it is cut short')
}

/** What is passed over, by how it begins and ends. */
const skipped = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const

/** The place behind the end of a tag; -1 where it is not there yet. Values may hold a `>`. */
function tagEnd(text: string, open: number): number {
  let quote = ''
  for (let at = open + 1; at < text.length; at++) {
    const sign = text[at] as string
    if (quote !== '') {
      if (sign === quote) quote = ''
    } else if (sign === '"' || sign === "'") quote = sign
    else if (sign === '>') return at + 1
  }
  return -1
}
