import { withNeeds } from '../run-pipeline.js'
import { kindOf, type Pipeline, type Stage } from '../stages/pipeline-config.js'
import { wantsGpu } from './wants-gpu.js'

/** Stages that one job of a cluster runs. */
export interface Segment {
  /** Of the last stage. */
  readonly name: string
  /** Cut into slices of shards; else one job does all of them. */
  readonly sliced: boolean
  readonly gpu: boolean
  readonly stages: readonly Stage[]
  /** The stages to ask for: those that no other of the segment needs. */
  readonly last: readonly string[]
  /** Names of the segments that come before it. */
  readonly needs: readonly string[]
}

interface Placed {
  readonly stage: Stage
  readonly sliced: boolean
  readonly gpu: boolean
  /** How many jobs come before, one after another. */
  readonly level: number
  /** A stage that stands for the segment; the segments of two that are joined get one. */
  joined: Placed
}

/**
 * The jobs of a pipeline, each after those that it needs. Stages that go from shard to the same shard are one
 * job, cut into slices, as long as they want the same machines. What looks at all shards before it begins
 * another job, which is sliced too unless its shards are made in order or it makes one thing.
 *
 * @param only stages to run, and what they need; all by default
 */
export function segmentsOf(pipeline: Pipeline, only?: readonly string[]): Segment[] {
  const wanted = only && withNeeds(pipeline, only)
  const placed = new Map<string, Placed>()
  for (const stage of pipeline.stages) {
    if (!wanted || wanted.has(stage.name)) placed.set(stage.name, place(stage, placed))
  }
  const groups = new Map<Placed, Placed[]>()
  for (const one of placed.values()) {
    const root = rootOf(one)
    groups.set(root, [...(groups.get(root) ?? []), one])
  }
  const names = new Map([...groups].map(([root, group]) => [root, group.at(-1)?.stage.name ?? '']))
  return [...groups]
    .sort(([a], [b]) => a.level - b.level)
    .map(([root, group]) => {
      const stages = group.map(({ stage }) => stage)
      const own = new Set(stages.map(({ name }) => name))
      const needs = stages.flatMap((stage) => stage.needs).filter((need) => !own.has(need))
      return {
        name: names.get(root) ?? '',
        sliced: root.sliced,
        gpu: root.gpu,
        stages,
        last: [...own].filter((name) => !stages.some((stage) => stage.needs.includes(name))),
        needs: [...new Set(needs.map((need) => names.get(rootOf(find(placed, need))) ?? ''))],
      }
    })
}

function place(stage: Stage, placed: ReadonlyMap<string, Placed>): Placed {
  const kind = kindOf(stage)
  const edge = kind.makes === 'shards' ? kind.edge(stage.with) : 'in order'
  const sliced = edge !== 'in order'
  const gpu = wantsGpu(stage)
  const needs = stage.needs.map((need) => find(placed, need))
  const canJoin = (need: Placed) => edge === 'shard' && need.sliced && need.gpu === gpu
  const level = Math.max(0, ...needs.map((need) => need.level + (canJoin(need) ? 0 : 1)))
  const one = { stage, sliced, gpu, level } as Placed
  one.joined = one
  for (const need of needs) {
    // What another job must come before is no part of this one, though the edge alone would allow it.
    if (canJoin(need) && need.level === level) rootOf(one).joined = rootOf(need)
  }
  return one
}

function find(placed: ReadonlyMap<string, Placed>, name: string): Placed {
  const one = placed.get(name)
  if (!one) throw new Error(`the stages of a pipeline were not in order: "${name}" comes too late`)
  return one
}

function rootOf(one: Placed): Placed {
  return one.joined === one ? one : rootOf(one.joined)
}
