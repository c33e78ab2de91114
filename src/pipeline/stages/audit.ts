import type { AuditSummary } from '../../audit/audit-labels.js'
import { type AuditConfig, auditConfig, auditNotHashed } from '../../audit/config.js'
import type { AuditOptions } from '../../audit/grounded-pictures.js'
import { isAuditSummary } from '../../audit/is-audit-summary.js'
import type { GroundingSource } from '../../audit/known-heads.js'
import { hashFile } from '../../base/files/hash-file.js'
import { unreadable } from '../../base/files/read-file.js'
import { openRegularFile } from '../../base/files/regular-file.js'
import { hashJson } from '../../base/hash.js'
import { mapLimited } from '../../base/map-limited.js'
import { UserError } from '../../base/user-error.js'
import { readCommit } from '../../shards/commit.js'
import { readSynonyms } from '../../words/read-synonyms.js'
import { findRunRecord, runOnce } from '../records/run-record.js'
import { hashSource } from './hash-inputs.js'
import { needed, outputOf, type StageContext, type StageOf, type StageOutput } from './stage-context.js'
import { oneKind } from './stage-kind.js'

/** Tells how right the labels of a grounding are, by kind of phrase. */
export const audit = oneKind({
  name: 'audit',
  schema: auditConfig,
  optional: false,
  makes: 'one',
  record: ({ name }) => auditRecord(name),
  resource: 'cpu',
  notHashed: auditNotHashed,
  looks(stage, context) {
    const { truth, known } = stage.with
    const others = [truth, ...(known === undefined ? [] : [known])]
    needed(stage, context, ['grounding', 'phrases', 'dataset'], 'a grounding', others)
    if (known !== undefined) outputOf(context, known)
    const { synonyms } = stage.with
    return [
      ...(context.outputs.has(truth)
        ? []
        : [{ key: 'truth', atWork: true, look: () => requireJsonFile(truth) }]),
      ...(typeof synonyms === 'string'
        ? [{ key: 'synonyms', atWork: true, look: () => readSynonyms(synonyms) }]
        : []),
    ]
  },
  async find(stage, configHash, context) {
    const { inputs } = await openInputs(stage, context)
    const { run } = context
    const made =
      run &&
      (await findRunRecord<AuditSummary>(
        run,
        auditRecord(stage.name),
        { configHash, inputs },
        { isResult: isAuditSummary },
      ))
    return made && { labels: made.result, missing: [] }
  },
  async run(stage, configHash, context) {
    const { source, audited, gold, knownSource, synonyms, inputs } = await openInputs(stage, context)
    const { truth, by } = stage.with
    const naming = by && { byCategory: { ...(synonyms && { synonyms }) } }
    const task = { stage: stage.name, configHash, inputs }
    const { record, skipped } = await runOnce<AuditSummary>(
      context.run,
      auditRecord(stage.name),
      task,
      async () => {
        const { auditGrounding } = await import('../../audit/audited-pictures.js')
        const { readCategoryTruth, readCocoTruth } = await import('../../audit/coco-truth.js')
        const { knownHeads } = await import('../../audit/known-heads.js')
        const readTruth = by === 'category' ? readCategoryTruth : readCocoTruth
        const heads = knownSource && (await knownHeads(knownSource, context.signal))
        return auditGrounding(
          audited,
          { name: truth, from: gold ?? (await readTruth(truth, context.notice)) },
          { ...optionsOf(source, context, heads, await picturesOf(audited)), ...naming },
        )
      },
      { isResult: isAuditSummary, inputsNow: async () => (await openInputs(stage, context)).inputs },
    )
    return { offers: { labels: record.result, missing: [] }, result: record.result, skipped }
  },
})

/** What is audited, what it is held against, and the hashes of both. */
async function openInputs(stage: StageOf<AuditConfig>, context: StageContext) {
  const { truth, known } = stage.with
  const others = [truth, ...(known === undefined ? [] : [known])]
  const source = needed(stage, context, ['grounding', 'phrases', 'dataset'], 'a grounding', others)
  const audited = groundingOf(source, stage.name)
  const gold = context.outputs.has(truth) ? groundingOf(outputOf(context, truth), stage.name) : undefined
  if (gold && gold.storage.url !== audited.storage.url) {
    throw new UserError(
      `Stage "${stage.name}": truth: "${truth}" is of another dataset: name a grounding of the one that is audited, or a COCO file.`,
    )
  }
  const knownSource = known === undefined ? undefined : groundingOf(outputOf(context, known), stage.name)
  const { synonyms: given } = stage.with
  const synonyms = typeof given === 'string' ? await readSynonyms(given) : given
  const inputs = {
    grounding: await hashSource(audited),
    ...(typeof given === 'string' && { synonyms: hashJson(synonyms) }),
    truth: gold ? await hashSource({ ...gold, shards: audited.shards }) : await hashOf(truth),
    ...(knownSource && { known: await hashSource(knownSource) }),
  }
  return { source, audited, gold, knownSource, synonyms, inputs }
}

/** The record of an audit stage in its run. */
export const auditRecord = (stage: string): string => `audits/${stage}.json`

/** Shards that are not there are left out: nothing is in them to be right or wrong. */
function groundingOf(output: StageOutput, stage: string): GroundingSource {
  const { name, dataset, grounding, phrases, missing } = output
  if (!dataset || grounding === undefined || phrases === undefined)
    throw new UserError(`Stage "${stage}": "${name}" has no grounding: name a filter stage, or one of gold.`)
  const shards = dataset.shards.filter((shard) => !missing.includes(shard))
  return { storage: dataset.storage, shards, grounding, phrases }
}

function optionsOf(
  { selection }: StageOutput,
  { signal, progress }: StageContext,
  known: ReadonlySet<string> | undefined,
  total: number,
): AuditOptions {
  return {
    ...(known && { known }),
    ...(selection !== undefined && { selection }),
    ...(signal && { signal }),
    onProgress: (pictures) => progress(pictures, total),
  }
}

async function picturesOf({ storage, shards, grounding }: GroundingSource): Promise<number> {
  const rows = await mapLimited(
    shards,
    async (shard) => (await readCommit(storage, 'grounding', grounding, shard))?.files.grounding?.rows ?? 0,
  )
  return rows.reduce((sum, count) => sum + count, 0)
}

/** Throws a UserError where a file cannot be read, or does not begin as JSON does. */
async function requireJsonFile(path: string): Promise<void> {
  const file = await openRegularFile(path).catch(unreadable(path))
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0)
    const head = buffer.subarray(0, bytesRead).toString('utf8')
    if (!/^\ufeff?\s*[{[]/.test(head))
      throw new UserError(`${path} is not JSON: a COCO file of annotations was expected.`)
  } finally {
    await file.close()
  }
}

async function hashOf(path: string): Promise<string> {
  const { sha256 } = await hashFile(path).catch(unreadable(path))
  return sha256
}
