import { UserError } from '../../base/user-error.js'
import { checkExport } from '../../export/check-export.js'
import { exportStageConfig } from '../../export/config.js'
import { exportDataset } from '../../export/export-dataset.js'
import { reportName } from '../../export/export-folder.js'
import { readDataset } from '../../shards/dataset.js'
import { needed, outputOf, type StageContext, type StageOf } from './stage-context.js'
import { oneKind } from './stage-kind.js'

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
    return [{ key: 'out', atWork: true, look: () => checkExport(config, out) }]
  },
  // The folder may lie on one machine alone, and nothing is made of it: who must know asks it to be made.
  find: async () => undefined,
  async run(stage, _configHash, context) {
    const source = needed(stage, context, ['grounding', 'phrases', 'dataset'], 'grounding')
    const { grounding, phrases, selection, missing } = source
    if (missing.length > 0) {
      throw new Error(
        `Stage "${stage.name}" would export without ${missing.length} shard(s) of "${source.name}" that failed: ${missing.join(', ')}. Run again to retry them.`,
      )
    }
    const negatives = stage.needs.flatMap((name) => {
      const output = outputOf(context, name)
      return output.negatives !== undefined && output.dataset?.storage.url === source.dataset.storage.url
        ? [output]
        : []
    })
    if (negatives.length > 1)
      throw new UserError(
        `Stage "${stage.name}" takes negatives from one stage, and needs several that give them: ${negatives.map(({ name }) => name).join(', ')}.`,
      )
    const [mined] = negatives
    const { out: _, ...config } = stage.with
    const { replace } = context
    const out = outOf(stage, context)
    const { card } = await readDataset(source.dataset.storage)
    const made = await exportDataset(
      {
        ...source.dataset,
        grounding,
        phrases,
        ...(selection && { selection }),
        ...(mined?.negatives !== undefined && { negatives: mined.negatives }),
      },
      {
        config,
        out,
        replace: replace !== 'none',
        force: replace === 'any',
        signal: context.signal,
        onProgress: context.progress,
        onResume: (rows) => context.notice(`${rows} pictures were done before`),
        license: typeof card?.license === 'string' ? card.license : undefined,
      },
    )
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
