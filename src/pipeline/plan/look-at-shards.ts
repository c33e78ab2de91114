import { mapLimited } from '../../base/map-limited.js'
import { type CommitRecord, readCommit } from '../../shards/commit.js'
import type { OpenStage, ShardsKind } from '../stages/stage-kind.js'
import { anewReason, earlierConfigs } from './anew-reasons.js'
import { expectedDisk } from './expected-disk.js'
import { type Looked, type Looking, type Pictures, sum } from './looked.js'

/** Records from which sizes and times are taken. */
const sampled = 16

/** Looks at a stage that makes shards: which of them are there, of what, and what the others would take. */
export async function lookAtShards(kind: ShardsKind, looking: Looking): Promise<Looked> {
  const { stage, context, configHash, behind } = looking
  const given = looking.needs.find(({ pictures }) => pictures)?.pictures
  // What nothing is made of yet cannot be opened.
  const mayOpen = kind.plan !== undefined || looking.needs.some(({ current }) => current.size > 0)
  const opened = mayOpen ? await kind.open(stage, configHash, context).catch(() => undefined) : undefined
  try {
    const isEdge = kind.edge(stage.with) === 'shard'
    const isReady = (shard: string) =>
      isEdge
        ? looking.needs.every(({ current, pictures }) => !pictures || current.has(shard))
        : behind.every(({ isWhole }) => isWhole)
    const shards = opened?.shards ?? given?.shards ?? looking.dataset?.shards ?? []
    const rows = opened?.shards ? await rowsOf(opened, shards) : (given?.rows ?? new Map<string, number>())
    const { current, records, reasons } = await compareShards(kind, looking, opened, shards, isReady)
    const all = sum(rows.values())
    const toDo = sum([...rows].map(([shard, count]) => (current.has(shard) ? 0 : count)))
    const isKnown = rows.size > 0
    const bytes = given?.bytes ?? (isKnown ? await bytesOfPicture(kind, looking, records, all) : 0)
    const work = { pictures: toDo, pictureBytes: bytes }
    const left = shards.length - current.size
    const mean = sum(records.map(({ seconds }) => seconds)) / Math.max(1, records.length)
    const pictures: Pictures | undefined = isKnown ? { shards, rows, bytes } : undefined
    return {
      plan: {
        ...{ name: stage.name, uses: stage.uses, needs: stage.needs, resource: kind.resource },
        ...(isKnown && { total: shards.length, pictures: all, toDo }),
        done: current.size,
        anew: reasons,
        disk: await expectedDisk(kind, stage, context, records, work),
        ...(isKnown && records.length > 0 && { seconds: left * mean }),
      },
      current,
      isWhole: isKnown && left === 0,
      ...(pictures && { pictures }),
    }
  } finally {
    await opened?.close()
  }
}

async function rowsOf(opened: OpenStage, shards: readonly string[]): Promise<Map<string, number>> {
  const counts = await mapLimited(shards, async (shard) => (await opened.rows(shard)) ?? 0)
  return new Map(shards.map((shard, at) => [shard, counts[at] ?? 0]))
}

/** Bytes of a stored picture of a source. */
async function bytesOfPicture(
  kind: ShardsKind,
  { stage, context }: Looking,
  records: readonly CommitRecord[],
  pictures: number,
): Promise<number> {
  const disk = await expectedDisk(kind, stage, context, records, { pictures, pictureBytes: 0 })
  return pictures > 0 ? disk.bytes / pictures : 0
}

interface Compared {
  readonly current: ReadonlySet<string>
  /** Some of those that are there, of whatever they were made. */
  readonly records: readonly CommitRecord[]
  readonly reasons: readonly string[]
}

/** Holds the records of a stage's shards against what they would be made of now. */
async function compareShards(
  kind: ShardsKind,
  { stage, context, configHash, dataset }: Looking,
  opened: OpenStage | undefined,
  shards: readonly string[],
  isReady: (shard: string) => boolean,
): Promise<Compared> {
  if (!dataset) return { current: new Set(), records: [], reasons: [] }
  const current = new Set<string>()
  const records: CommitRecord[] = []
  const earlier = context.run ? await earlierConfigs(context.run, stage) : new Map<string, unknown>()
  const counts = new Map<string, number>()
  const compare = async (shard: string) => {
    const record = await readCommit(dataset.storage, kind.family, stage.name, shard).catch(() => undefined)
    if (!record) return
    if (records.length < sampled) records.push(record)
    const inputs = isReady(shard) ? await opened?.inputs(shard).catch(() => undefined) : undefined
    const isConfig = record.configHash === configHash || record.config?.kept_for === configHash
    if (isConfig && inputs && isSameInputs(record.inputs, inputs)) current.add(shard)
    else {
      const reason = anewReason(record, configHash, inputs, stage.with, earlier)
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
    }
  }
  await mapLimited(shards, compare)
  const reasons = [...counts].map(([reason, count]) => `${count} of ${shards.length} shards: ${reason}`)
  return { current, records, reasons }
}

const isSameInputs = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.keys(b).every((name) => a[name] === b[name])
