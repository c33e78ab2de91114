import { UserError } from '../../base/user-error.js'
import { exportStageConfig } from '../../export/config.js'
import { exportDataset } from '../../export/export-dataset.js'
import { reportName } from '../../export/export-folder.js'
import { readDataset } from '../../shards/dataset.js'
import { needed, outputOf } from './stage-context.js'
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
    const { out: named, ...config } = stage.with
    const { run, replace } = context
    const out = named ?? (run?.isLocal ? run.path(`exports/${stage.name}`) : undefined)
    if (out === undefined)
      throw new UserError(
        `Stage "${stage.name}": the run lies in a bucket, and exports are made on this machine: set \`out\`.`,
      )
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
