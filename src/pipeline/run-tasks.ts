import { randomUUID } from 'node:crypto'
import { explainError } from '../base/explain-error.js'
import { sweepShards } from '../shards/sweep-shards.js'
import { openStorage } from '../storage/open-storage.js'
import type { Engine } from './engines/engine.js'
import type { RunOptions, RunResult } from './run-options.js'
import { openStage, type StageNode, stageNodes } from './stage-node.js'
import type { Stage } from './stages/pipeline-config.js'
import type { StageOutput } from './stages/stage-context.js'
import { countFailed } from './tasks/count-failed.js'
import { remarksOn } from './tasks/nothing-came.js'
import { proposalsFor } from './tasks/run-stage.js'
import { type Task, type TaskResult, taskProtocol } from './tasks/task.js'

/**
 * Runs the stages of a pipeline through an engine. A shard goes on as soon as what it needs is there: the same
 * shard of the stage before, or all of them. Of the tasks that can be done, those of later stages come first,
 * so that what was begun is ended, and no more than the engine's window are released at once.
 *
 * @param pipeline its hash in the run's storage
 * @param stages in the order of the pipeline, with all that they need
 */
export async function runTasks(
  pipeline: string,
  stages: readonly Stage[],
  url: string,
  engine: Engine,
  options: RunOptions,
): Promise<RunResult> {
  const run = openStorage(url)
  const shared = {
    v: taskProtocol as typeof taskProtocol,
    // What a worker of another folder of this machine would not find.
    run: run.isLocal ? run.path('') : run.url,
    pipeline,
    session: randomUUID(),
    ...(options.retryFailed !== undefined && { retry: options.retryFailed }),
    ...(options.drop && { drop: true }),
  }
  const nodes = stageNodes(stages)
  const outputs = new Map<string, StageOutput>()
  const failing = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, failing.signal]) : failing.signal
  let underWay = 0
  let wake = () => {}
  const fail = (error: unknown) => failing.abort(error)
  /** The end of the next task. */
  const nextEnd = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })

  const open = async (node: StageNode) => {
    options.onStageStart?.(node.stage)
    await openStage(node, { run, outputs }, { ...options, signal })
  }
  const end = async (node: StageNode) => {
    const { kind, stage } = node
    const output = node.output()
    outputs.set(stage.name, output)
    const { dataset } = output
    if (kind.makes === 'shards' && dataset) {
      if (!node.isOne) await sweepShards(dataset.storage, kind.family, stage.name)
      const { sums } = node
      const proposals = proposalsFor(stage, outputs)
      node.remark(await remarksOn({ stage, kind, dataset, sums, proposals }, node.outcome()))
    }
    options.onStageEnd?.(node.stage, node.outcome())
  }
  const carry = ({ kind, stage }: StageNode, task: Task): Promise<TaskResult | Error> =>
    engine
      .submit(task, kind.resource, {
        signal,
        priority: stages.indexOf(stage),
        onProgress: (made, total, note) => {
          options.onTaskProgress?.(stage, task.shard, made, total)
          if (task.shard === undefined) options.onProgress?.(stage, made, total, note)
        },
        onNotice: (text) => options.onNotice?.(stage, text),
      })
      .catch(explainError)
  const perform = async (node: StageNode, shard: number | undefined) => {
    const { stage } = node
    const name = shard === undefined ? undefined : node.shards[shard]
    const missing = shard === undefined || node.isWhole ? missingOf(outputs) : undefined
    const task: Task = {
      ...shared,
      stage: stage.name,
      ...(name !== undefined && { shard: name }),
      ...(missing && { missing }),
    }
    underWay++
    options.onTaskStart?.(stage, name)
    try {
      const result = await carry(node, task)
      if (result instanceof Error) {
        // One thing that cannot be made leaves nothing for those that need it.
        if (signal.aborted || !node.setAside(shard, result)) throw result
      } else node.made(shard, result)
      options.onTaskEnd?.(stage, name, result)
    } catch (error) {
      fail(error)
    } finally {
      underWay--
      wake()
    }
  }

  try {
    for (;;) {
      signal.throwIfAborted()
      for (const node of nodes) if (node.canOpen()) await open(node)
      for (const node of nodes) if (node.canEnd()) await end(node)
      for (const node of nodes) {
        const at = node.state === 'ended' ? undefined : node.emptyBehind
        if (at !== undefined) node.stop(at)
      }
      if (nodes.every(({ state }) => state === 'ended')) break
      const woken = nextEnd()
      let released = 0
      for (const node of nodes.toReversed()) {
        while (underWay < engine.window) {
          const shard = node.take()
          if (shard === 'none') break
          void perform(node, shard === 'whole' ? undefined : shard)
          released++
        }
      }
      const sum = (count: (node: StageNode) => number) => nodes.reduce((all, node) => all + count(node), 0)
      options.onTasks?.(
        sum(({ settled }) => settled),
        sum(({ tasks }) => tasks),
      )
      // What has just ended may let others begin.
      if (nodes.some((node) => node.canOpen() || node.canEnd())) continue
      if (underWay > 0) await woken
      else if (released === 0) throw new Error('no task can be done, and some stages have not ended')
    }
  } catch (error) {
    fail(error)
    throw error
  } finally {
    while (underWay > 0) await nextEnd()
  }
  const outcomes = new Map(
    nodes.flatMap((node) =>
      node.stoppedAt === undefined ? [[node.stage.name, node.outcome()] as const] : [],
    ),
  )
  const stopped = nodes.flatMap(({ stage, stoppedAt }) =>
    stoppedAt === undefined ? [] : [{ stage: stage.name, at: stoppedAt, why: 'nothing came of it' as const }],
  )
  return { outcomes, failed: countFailed(outcomes), stopped }
}

/** Shards that stages are without, by their stage. */
function missingOf(outputs: ReadonlyMap<string, StageOutput>): Task['missing'] {
  const missing = [...outputs.values()].filter((output) => output.missing.length > 0)
  return Object.fromEntries(missing.map((output) => [output.name, output.missing]))
}
