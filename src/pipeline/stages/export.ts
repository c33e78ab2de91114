import type { z } from 'zod'
import { counted } from '../../base/counted.js'
import { UserError } from '../../base/user-error.js'
import type { NamedAudit } from '../../card/ledger.js'
import { type ExportConfig, exportStageConfig } from '../../export/config.js'
import { reportName } from '../../export/export-folder.js'
import type { ExportSource } from '../../export/export-rows.js'
import { readDataset } from '../../shards/dataset.js'
import { needed, outputOf, type StageContext, type StageOf } from './stage-context.js'
import { oneKind } from './stage-kind.js'

const exporting = () => import('../../export/export-dataset.js')

/** Exports the grounding of the stage that it needs. The folder itself knows what it was made of. */
export const exportKind = oneKind({
  name: 'export',
  schema: exportStageConfig,
  optional: false,
  makes: 'one',
  record: ({ name, with: { out } }) => (out === undefined ? `exports/${name}/${reportName}` : undefined),
  resource: 'cpu',
  notHashed: [],
  looks(stage, context) {
    needed(stage, context, ['grounding', 'phrases', 'dataset'], 'grounding')
    const { out: _, ...config } = stage.with
    const out = outOf(stage, context)
    return [{ key: 'out', atWork: true, look: async () => (await exporting()).checkExport(config, out) }]
  },
  // Pictures are copied, and their captions and boxes written beside them.
  estimate: async ({ with: { images } }, _context, { pictures, pictureBytes }) => ({
    bytes: pictures * (1000 + (images === 'copy' ? pictureBytes : 0)),
    from: 'typical',
  }),
  // The folder may lie on one machine alone, and nothing is made of it: who must know asks it to be made.
  find: async () => undefined,
  async isThere(stage, context) {
    const { source, config, license, audits } = await openInputs(stage, context)
    const { isExported } = await exporting()
    return isExported(source, { config, license, audits, out: outOf(stage, context) })
  },
  async run(stage, _configHash, context) {
    const { name, missing } = needed(stage, context, ['grounding', 'phrases', 'dataset'], 'grounding')
    if (missing.length > 0) {
      throw new Error(
        `Stage "${stage.name}" would export without ${counted(missing.length, 'shard')} of "${name}" that failed: ${missing.join(', ')}. Run again to retry them.`,
      )
    }
    const { source, config, license, audits } = await openInputs(stage, context)
    const { replace } = context
    const { exportDataset } = await exporting()
    const made = await exportDataset(source, {
      config,
      license,
      audits,
      out: outOf(stage, context),
      replace: replace !== 'none',
      force: replace === 'any',
      signal: context.signal,
      onProgress: context.progress,
      onResume: (rows) => context.notice(`done before: ${counted(rows, 'picture')}`),
    })
    return { offers: { missing: [] }, result: made, skipped: made.skipped }
  },
})

/** The folder that a stage exports into. Throws a UserError where it must be said. */
export function outOf(
  { name, with: { out } }: StageOf<{ readonly out?: string }>,
  { run }: Pick<StageContext, 'run'>,
): string {
  if (out !== undefined) return out
  if (run?.isLocal) return run.path(`exports/${name}`)
  throw new UserError(
    `Stage "${name}": the run lies in a bucket, and exports are made on this machine: set \`out\`.`,
  )
}

/** What is exported, and how. */
async function openInputs(
  stage: StageOf<z.infer<typeof exportStageConfig>>,
  context: StageContext,
): Promise<{
  readonly source: ExportSource
  readonly config: ExportConfig
  readonly license?: string
  readonly audits: readonly NamedAudit[]
}> {
  const source = needed(stage, context, ['grounding', 'phrases', 'dataset'], 'grounding')
  const { grounding, phrases, selection, dataset } = source
  const negatives = stage.needs.flatMap((name) => {
    const output = outputOf(context, name)
    return output.negatives !== undefined && output.dataset?.storage.url === dataset.storage.url
      ? [output]
      : []
  })
  if (negatives.length > 1)
    throw new UserError(
      `Stage "${stage.name}" takes negatives from one stage, and needs several that give them: ${negatives.map(({ name }) => name).join(', ')}.`,
    )
  const mined = negatives[0]?.negatives
  const { out: _, ...config } = stage.with
  const { card } = await readDataset(dataset.storage)
  return {
    source: {
      ...dataset,
      ...{ grounding, phrases },
      ...(selection && { selection }),
      ...(mined !== undefined && { negatives: mined }),
    },
    config,
    audits: stage.needs.flatMap((name) => {
      const { labels: summary } = outputOf(context, name)
      return summary ? [{ name: name.replace(/^audit /, ''), summary }] : []
    }),
    ...(typeof card?.license === 'string' && { license: card.license }),
  }
}
