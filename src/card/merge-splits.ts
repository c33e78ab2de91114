import { stringify } from 'yaml'
import { parseYaml } from '../base/files/parse-yaml.js'

/** The papers of an export of form `hf`: its README and its croissant.json. */
export interface SplitPapers {
  readonly readme: string
  readonly croissant: string
}

/** The split that a file of data is of, by its name; undefined where it is none. */
export const splitOf = (path: string): string | undefined =>
  /^data\/([a-z][a-z0-9_]*)-\d{5}-of-\d{5}\.parquet$/.exec(path)?.[1]

interface Front {
  configs?: { config_name?: string; data_files?: { split: string; path: string }[] }[]
  dataset_info?: {
    splits?: { name: string; num_bytes?: number }[]
    download_size?: number
    dataset_size?: number
  }
}

/**
 * The papers of a split that is pushed beside others, as `push_to_hub` of Hugging Face datasets does it: the README names
 * all splits, and croissant.json all of their files.
 *
 * @param others the splits that stay, and what is said of them where they are; nothing where that is no export's
 */
export function mergeSplits(
  own: SplitPapers,
  others: readonly string[],
  theirs: Partial<SplitPapers>,
): SplitPapers {
  if (others.length === 0) return own
  return {
    readme: mergeReadme(own.readme, others, theirs.readme),
    croissant: mergeCroissant(own.croissant, others, theirs.croissant),
  }
}

function mergeReadme(readme: string, others: readonly string[], theirs: string | undefined): string {
  const [front, body] = cut(readme)
  const [known] = theirs === undefined ? [{} as Front] : cut(theirs)
  const [config] = front.configs ?? []
  const files = others.map((split) => ({ split, path: `data/${split}-*` }))
  const splits = others.map((name) => known.dataset_info?.splits?.find((split) => split.name === name))
  const areKnown = splits.every((split) => split !== undefined)
  const { splits: ownSplits = [], ...info } = front.dataset_info ?? {}
  const all = [...ownSplits, ...(areKnown ? splits : [])]
  const bytes = all.reduce((sum, { num_bytes: size = 0 }) => sum + size, 0)
  const merged = {
    ...front,
    configs: [{ ...config, data_files: [...(config?.data_files ?? []), ...files] }],
    // Readers hold what they find against what is said: of a split of which nothing is known nothing is said of any.
    dataset_info: areKnown
      ? { ...info, splits: all, download_size: bytes, dataset_size: bytes }
      : withoutSizes(info),
  }
  return `---\n${stringify(merged, { lineWidth: 0 })}---\n${body}`
}

function withoutSizes({ download_size: _, dataset_size: __, ...info }: NonNullable<Front['dataset_info']>) {
  return info
}

/** What stands between the lines `---` of a README, and the rest. A README of somebody else's may have none. */
function cut(readme: string): [front: Front, body: string] {
  const [, yaml, body = ''] = /^---\n([\s\S]*?\n)---\n([\s\S]*)$/.exec(readme) ?? []
  if (yaml === undefined) return [{}, readme]
  try {
    const front = parseYaml(yaml, 'README.md')
    return [typeof front === 'object' && front !== null ? (front as Front) : {}, body]
  } catch {
    return [{}, body]
  }
}

interface Described {
  readonly distribution?: readonly { readonly '@id'?: string; readonly includes?: readonly string[] }[]
}

function mergeCroissant(croissant: string, others: readonly string[], theirs: string | undefined): string {
  const own = JSON.parse(croissant) as Described
  const isOther = (id: string | undefined) => others.includes(splitOf(id ?? '') ?? '')
  const files = distributionOf(theirs).filter((entry) => isOther(entry['@id']))
  const distribution = (own.distribution ?? []).map((entry) =>
    entry['@id'] === 'parquet'
      ? {
          ...entry,
          includes: [...(entry.includes ?? []), ...others.map((split) => `data/${split}-*.parquet`)],
        }
      : entry,
  )
  return `${JSON.stringify({ ...own, distribution: [...files, ...distribution] }, null, 1)}\n`
}

function distributionOf(text: string | undefined): NonNullable<Described['distribution']> {
  try {
    const { distribution } = (text === undefined ? {} : JSON.parse(text)) as Described
    return Array.isArray(distribution) ? distribution : []
  } catch {
    return []
  }
}
