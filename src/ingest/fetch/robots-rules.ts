import { createPattern, type RobotsPattern, robotsPath } from './robots-pattern.js'

/** What a robots.txt says to one crawler. */
export interface RobotsRules {
  /** @param path of an address, with its query */
  isAllowed(path: string): boolean
  /** Seconds between two requests; undefined where it does not say. */
  readonly crawlDelay: number | undefined
  /** Characters that the rules take. */
  readonly size: number
}

interface Rule extends RobotsPattern {
  readonly allow: boolean
}

/** The rules that one group of agents is given. */
interface Group {
  isThere: boolean
  readonly rules: Rule[]
  wildcards: number
  crawlDelay: number | undefined
}

/** Of the rules for one crawler so many are kept, the first ones, and of those with a `*` so many. */
const maxRules = 10_000
const maxWildcardRules = 1000
/** A longer rule is left out: it is of no address that anybody asks for. */
const maxRuleLength = 2048
/** And one with more `*`. */
const maxWildcards = 32
/** What a rule takes besides its text. */
const ruleCharacters = 100

/**
 * Reads the rules of a robots.txt for one crawler (RFC 9309): those of all groups that name it, else those for
 * `*`. The longest pattern that matches decides, and of two that are as long the one that allows. Lines that
 * mean nothing are passed over. Time and memory are bounded whatever the text is.
 *
 * @param token the crawler's name, lower case
 */
export function parseRobots(text: string, token: string): RobotsRules {
  const own: Group = newGroup()
  const others: Group = newGroup()
  /** The groups whose agents stand above the line. */
  let groups: Group[] = []
  let isNaming = false
  for (const [name, value] of directives(text)) {
    if (name === 'user-agent') {
      if (!isNaming) groups = []
      isNaming = true
      const agent = value.replace(/\/.*$/s, '').trim().toLowerCase()
      const group = agent === token ? own : agent === '*' ? others : undefined
      if (!group) continue
      group.isThere = true
      if (!groups.includes(group)) groups.push(group)
    } else if (name === 'allow' || name === 'disallow') {
      isNaming = false
      for (const group of groups) addRule(group, value, name === 'allow')
    } else if (name === 'crawl-delay') {
      isNaming = false
      const seconds = Number(value)
      if (!Number.isNaN(seconds)) for (const group of groups) group.crawlDelay = seconds
    }
  }
  const { rules, crawlDelay } = own.isThere ? own : others
  // The first that matches decides.
  rules.sort((a, b) => b.length - a.length || Number(b.allow) - Number(a.allow))
  return {
    crawlDelay,
    size: rules.reduce((sum, { length }) => sum + length + ruleCharacters, 0),
    isAllowed(address) {
      if (rules.length === 0) return true
      const path = robotsPath(address)
      return rules.find((rule) => rule.matches(path))?.allow ?? true
    },
  }
}

const newGroup = (): Group => ({ isThere: false, rules: [], wildcards: 0, crawlDelay: undefined })

function addRule(group: Group, value: string, allow: boolean) {
  // An empty rule is none; it says that the group is there.
  if (value === '' || value.length > maxRuleLength || group.rules.length >= maxRules) return
  const wildcards = value.split('*').length - 1
  if (wildcards > maxWildcards) return
  if (wildcards > 0 && ++group.wildcards > maxWildcardRules) return
  const { length, matches } = createPattern(value)
  group.rules.push({ allow, length, matches })
}

/** Names, in lower case, and values of the lines that have both, without comments. */
function* directives(text: string): Generator<readonly [string, string]> {
  for (const [line] of text.replace(/^\uFEFF/, '').matchAll(/[^\r\n]+/g)) {
    const colon = line.indexOf(':')
    const comment = line.indexOf('#')
    const end = comment < 0 ? line.length : comment
    if (colon < 0 || colon >= end) continue
    yield [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1, end).trim()]
  }
}
