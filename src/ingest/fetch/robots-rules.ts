import { createPattern, type RobotsPattern, robotsPath } from './robots-pattern.js'
import { deniedSignals, disallowedUses } from './usage-preferences.js'

/** What a robots.txt says to one crawler. */
export interface RobotsRules {
  /** @param path of an address, with its query */
  isAllowed(path: string): boolean
  /**
   * The uses that are disallowed of what lies there: by Content-Usage (draft-ietf-aipref-attach-04, 3) or by
   * Content-Signal. Of each the longest path that matches says it, and of several that are as long all.
   *
   * @param path of an address, with its query
   */
  disallowedUses(path: string): ReadonlySet<string>
  /** What the lines `License` name (RSL 1.0): they hold for all crawlers. */
  readonly licenses: readonly string[]
  /** Seconds between two requests; undefined where it does not say. */
  readonly crawlDelay: number | undefined
  /** Characters that the rules take. */
  readonly size: number
}

interface Rule extends RobotsPattern {
  readonly allow: boolean
}

/** What becomes of pictures below a path. */
interface UsageRule extends RobotsPattern {
  readonly disallowed: ReadonlySet<string>
}

/** Directives that say what may be done with what lies at a path, and how their values are read. */
const usageDirectives: ReadonlyMap<string, (value: string) => ReadonlySet<string>> = new Map([
  ['content-usage', disallowedUses],
  ['content-signal', deniedSignals],
])

/** The rules that one group of agents is given. */
interface Group {
  isThere: boolean
  readonly rules: Rule[]
  /** By their directive. */
  readonly usages: Map<string, UsageRule[]>
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
/** Licences that one file names; the first ones are read. */
const maxLicenses = 8
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
  const licenses = new Set<string>()
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
    } else if (usageDirectives.has(name)) {
      isNaming = false
      for (const group of groups) addUsage(group, name, value)
    } else if (name === 'license' && value !== '' && value.length <= maxRuleLength) {
      if (licenses.size < maxLicenses) licenses.add(value)
    } else if (name === 'crawl-delay') {
      isNaming = false
      const seconds = Number(value)
      if (!Number.isNaN(seconds)) for (const group of groups) group.crawlDelay = seconds
    }
  }
  const { rules, usages, crawlDelay } = own.isThere ? own : others
  const usageRules = [...usages.values()].flat()
  // The first that matches decides.
  rules.sort((a, b) => b.length - a.length || Number(b.allow) - Number(a.allow))
  return {
    crawlDelay,
    licenses: [...licenses],
    size:
      [...rules, ...usageRules].reduce((sum, { length }) => sum + length + ruleCharacters, 0) +
      usageRules.reduce((sum, { disallowed }) => sum + ruleCharacters * disallowed.size, 0) +
      [...licenses].reduce((sum, { length }) => sum + length, 0),
    disallowedUses(address) {
      if (usages.size === 0) return new Set()
      const path = robotsPath(address)
      return new Set([...usages.values()].flatMap((said) => [...longestMatches(said, path)]))
    },
    isAllowed(address) {
      if (rules.length === 0) return true
      const path = robotsPath(address)
      return rules.find((rule) => rule.matches(path))?.allow ?? true
    },
  }
}

const newGroup = (): Group => ({
  ...{ isThere: false, rules: [], usages: new Map(), wildcards: 0, crawlDelay: undefined },
})

function addRule(group: Group, value: string, allow: boolean) {
  // An empty rule is none; it says that the group is there.
  if (value === '' || value.length > maxRuleLength || group.rules.length >= maxRules) return
  const pattern = patternFor(group, value)
  if (pattern) group.rules.push({ allow, ...pattern })
}

/** A rule of a path, or of all where none stands before its words. */
function addUsage(group: Group, name: string, value: string) {
  const rules = group.usages.get(name) ?? []
  const read = usageDirectives.get(name)
  // A use may begin with `*` as well as a pattern, but has a value.
  const [, path = '', words = ''] = /^(?:(\/\S*|\*[^\s=]*)(?:\s+|$))?(.*)$/s.exec(value) ?? []
  if (path.length > maxRuleLength || rules.length >= maxRules) return
  const pattern = patternFor(group, path)
  if (!pattern) return
  // However long what follows is: a wish is read to its end.
  rules.push({ ...pattern, disallowed: read?.(words) ?? new Set() })
  group.usages.set(name, rules)
}

/** A pattern of a group; undefined where it has too many `*`, or the group has. */
function patternFor(group: Group, text: string): RobotsPattern | undefined {
  const wildcards = text.split('*').length - 1
  if (wildcards > maxWildcards) return undefined
  if (wildcards > 0 && ++group.wildcards > maxWildcardRules) return undefined
  return createPattern(text)
}

/** What the longest of the rules that match disallow together. */
function longestMatches(rules: readonly UsageRule[], path: string): ReadonlySet<string> {
  const matching = rules.filter((rule) => rule.matches(path))
  const longest = Math.max(...matching.map(({ length }) => length))
  return new Set(matching.filter(({ length }) => length === longest).flatMap((rule) => [...rule.disallowed]))
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
