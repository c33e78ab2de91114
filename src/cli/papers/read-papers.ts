import { isAuditSummary } from '../../audit/is-audit-summary.js'
import { parseConfig } from '../../base/files/parse-config.js'
import { readYaml } from '../../base/files/parse-yaml.js'
import { UserError } from '../../base/user-error.js'
import { type About, aboutConfig } from '../../card/about.js'
import type { NamedAudit } from '../../card/ledger.js'
import type { OpenDataset } from '../../catalog/open-dataset.js'
import { runOfDataset } from '../../pipeline/dataset-output.js'
import { readRunRecord } from '../../pipeline/records/run-record.js'
import { hashSource } from '../../pipeline/stages/hash-inputs.js'
import type { StageOutput } from '../../pipeline/stages/stage-context.js'
import { byOrder } from '../../shards/stage-order.js'

/** What people say of a dataset in a YAML file; nothing where none is named. Throws a UserError that names the key. */
export async function readAbout(path: string | undefined): Promise<About> {
  return path === undefined ? {} : parseConfig(aboutConfig, (await readYaml(path)) ?? {}, path)
}

/**
 * The audits of a run that were made of a grounding as it is now, the oldest first; none where the dataset lies in no
 * run. Audits of other groundings, and of this one as it was before, are left out.
 */
export async function auditsOf(
  dataset: Pick<OpenDataset, 'url' | 'storage'>,
  output: StageOutput,
): Promise<NamedAudit[]> {
  const { dataset: own, grounding, phrases, missing } = output
  if (!own || grounding === undefined || phrases === undefined) return []
  const run = runOrNone(dataset)
  const names = (await run?.list('audits'))?.filter((name) => name.endsWith('.json')) ?? []
  if (!run || names.length === 0) return []
  const shards = own.shards.filter((shard) => !missing.includes(shard))
  const hash = await hashSource({ storage: own.storage, shards, grounding, phrases })
  const records = await Promise.all(names.map((name) => readRunRecord(run, name)))
  return records
    .filter((record) => record !== undefined)
    .filter(({ inputs }) => inputs.grounding === hash)
    .sort(byOrder)
    .flatMap(({ stage, result }) => (isAuditSummary(result) ? [{ name: stage, summary: result }] : []))
}

function runOrNone(dataset: Pick<OpenDataset, 'url' | 'storage'>) {
  try {
    return runOfDataset(dataset)
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}
