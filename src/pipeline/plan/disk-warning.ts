import { bytesText } from '../../base/bytes-text.js'
import { openStorage } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'
import { kindOf, type Stage } from '../stages/pipeline-config.js'
import type { StageOutput } from '../stages/stage-context.js'
import { type StageEvents, stageContext } from '../tasks/run-stage.js'
import { ingestOf, stageReader } from '../tasks/stage-tasks.js'
import { expectedDisk, freeBytes } from './expected-disk.js'

/**
 * Warns once where a run is likely to need more of the disk than is free: as soon as it is known how many pictures
 * there are, and again as more sources are read. It is no refusal: much of it is an estimate.
 *
 * @param freeIn bytes that are free where a folder is
 */
export function diskWarning(
  stages: readonly Stage[],
  run: Storage,
  { onNotice }: Pick<StageEvents, 'onNotice'>,
  freeIn: (folder: string) => Promise<number | null> = freeBytes,
): StageEvents {
  const rows = new Map<string, number>()
  let isTold = false
  const look = async (stage: Stage) => {
    const needed = await expectedBytes(stages, run, rows)
    const free = await freeIn(run.path(''))
    if (isTold || free === null || needed <= free) return
    isTold = true
    onNotice?.(
      stage,
      `warning: what is still to be made takes about ${bytesText(needed)}, and ${bytesText(free)} are free in ${run.url}; --plan says for what`,
    )
  }
  return {
    onPlanned({ name }, count) {
      const stage = stages.find((one) => one.name === name)
      rows.set(name, count)
      // A warning that cannot be made is none.
      if (stage) look(stage).catch(() => {})
    },
  }
}

/** Bytes that stages will take whose pictures are counted, by what is there and what is usual. */
async function expectedBytes(
  stages: readonly Stage[],
  run: Storage,
  rows: ReadonlyMap<string, number>,
): Promise<number> {
  const tasks = await stageReader(openStorage(run.url)).read({ name: '', stages })
  const pictureBytes = new Map<string, number>()
  let all = 0
  for (const stage of stages) {
    const ingest = ingestOf({ stages }, stage)
    const count = ingest === undefined ? undefined : rows.get(ingest)
    const { shards, done, isDone } = tasks.get(stage.name) ?? {}
    if (ingest === undefined || count === undefined || isDone) continue
    const left = shards && shards.size > 0 ? 1 - (done?.size ?? 0) / shards.size : 1
    const context = stageContext(stage, { run, outputs: new Map<string, StageOutput>() }, {}, () => {})
    const work = { pictures: Math.round(count * left), pictureBytes: pictureBytes.get(ingest) ?? 0 }
    const { bytes } = await expectedDisk(kindOf(stage), stage, context, [], work)
    if (stage.name === ingest && work.pictures > 0) pictureBytes.set(ingest, bytes / work.pictures)
    all += bytes
  }
  return all
}
