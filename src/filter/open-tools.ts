import { hashJson } from '../base/hash.js'
import type { Storage } from '../storage/storage.js'
import { readSynonyms } from '../words/read-synonyms.js'
import { readCalibration } from './calibration-file.js'
import { namedTools } from './create-rule.js'
import { headFrequency } from './head-frequency.js'
import type { NamedTools, RuleTools } from './rule/rule-tools.js'
import { type RuleConfig, ruleOf } from './rules.js'

/** Hashes and opens tools of a kind by the file or folder that a rule names. */
export interface ToolSource<Tool> {
  /** Reads what can be read at once; throws as `open` does. By default it is opened. */
  check?(path: string): Promise<unknown>
  /** Hash of all that its answers depend on. */
  hash(path: string): Promise<string>
  open(path: string): Promise<Tool & { close?(): Promise<void> }>
}

export type ToolSources = { readonly [Kind in keyof NamedTools]: ToolSource<NamedTools[Kind]> }

/**
 * Tools that are files of data: calibrations and synonyms. Models belong to the teacher room: the pipeline opens
 * those.
 */
export const fileSources: Pick<ToolSources, 'calibrations' | 'synonyms'> = {
  calibrations: {
    hash: async (path) => hashJson(await readCalibration(path)),
    open: readCalibration,
  },
  synonyms: {
    check: readSynonyms,
    hash: async (path) => hashJson(await readSynonyms(path)),
    open: async (path) => ({ ...(await readSynonyms(path)) }),
  },
}

/** Hashes of what rules read besides their parameters, by rule and path. */
export async function hashTools(
  rules: readonly RuleConfig[],
  sources: Partial<ToolSources>,
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {}
  for (const { rule, tools, path } of namedTools(rules)) {
    const source = sources[tools]
    if (!source) throw new Error(`nothing here opens ${tools}`)
    hashes[`${rule} ${path}`] = await source.hash(path)
  }
  return hashes
}

/**
 * Looks at what rules name: each throws as opening the tool would, and takes no time.
 */
export function looksAtTools(
  rules: readonly RuleConfig[],
  sources: ToolSources,
): readonly { readonly rule: string; look(): Promise<unknown> }[] {
  return namedTools(rules).map(({ rule, tools, path }) => ({
    rule,
    async look() {
      const { check, open } = sources[tools]
      if (check) await check(path)
      else await (await open(path)).close?.()
    },
  }))
}

/** Tools that were opened, and are held until they are closed. */
export interface OpenTools {
  readonly tools: RuleTools
  close(): Promise<void>
}

/**
 * Opens what rules name, each file or folder once.
 *
 * @throws UserError where one is missing or is something else; none is left open then
 */
export async function openTools(
  rules: readonly RuleConfig[],
  sources: Partial<ToolSources>,
): Promise<OpenTools> {
  const tools: { readonly [Kind in keyof NamedTools]: Map<string, NamedTools[Kind]> } = {
    calibrations: new Map(),
    synonyms: new Map(),
    embedders: new Map(),
    scorers: new Map(),
  }
  const opened: { close?(): Promise<void> }[] = []
  const close = async () => {
    for (const tool of opened) await tool.close?.()
  }
  const add = async <Kind extends keyof NamedTools>(kind: Kind, path: string) => {
    if (tools[kind].has(path)) return
    const source = sources[kind]
    if (!source) throw new Error(`nothing here opens ${kind}`)
    const tool = await source.open(path)
    opened.push(tool)
    tools[kind].set(path, tool)
  }
  try {
    for (const { tools: kind, path } of namedTools(rules)) await add(kind, path)
  } catch (error) {
    await close()
    throw error
  }
  return { tools, close }
}

/** Shards of a dataset whose phrases may be counted. */
export interface CountedShards {
  readonly storage: Storage
  readonly shards: readonly string[]
}

/** Whether a rule asks how often a head noun is named in the whole dataset. */
export const asksFrequency = (rules: readonly RuleConfig[]): boolean =>
  rules.some((rule) => ruleOf(rule).asks?.tools === 'frequency')

/** How many phrases of a dataset have each head noun; undefined where no rule asks for it. */
export async function requestedFrequency(
  { storage, shards }: CountedShards,
  rules: readonly RuleConfig[],
  phrases: string,
): Promise<ReadonlyMap<string, number> | undefined> {
  if (!asksFrequency(rules)) return undefined
  return headFrequency(storage, phrases, shards)
}

/**
 * The tools of rules that ask no model. None of them has to be closed.
 *
 * @throws UserError where a file that a rule names is missing or is something else
 */
export async function openPlainTools(
  dataset: CountedShards,
  rules: readonly RuleConfig[],
  phrases: string,
): Promise<RuleTools> {
  const { tools } = await openTools(rules, fileSources)
  return { ...tools, frequency: await requestedFrequency(dataset, rules, phrases) }
}
