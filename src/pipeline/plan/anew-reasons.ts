import { isDeepStrictEqual } from 'node:util'
import { shownValue } from '../../base/name-list.js'
import type { Storage } from '../../storage/storage.js'
import { kindOf, type Stage } from '../stages/pipeline-config.js'
import { hashOf } from '../tasks/run-stage.js'
import { pipelineFolder, readStoredPipeline } from '../tasks/stored-pipeline.js'

/** What something was made of, as its record says. */
export interface MadeOf {
  readonly configHash: string
  readonly inputs: Readonly<Record<string, string>>
}

/** Configurations of a stage by their hashes, as the pipelines say that were run before. */
export async function earlierConfigs(run: Storage, stage: Stage): Promise<ReadonlyMap<string, unknown>> {
  const configs = new Map<string, unknown>()
  for (const name of await run.list(pipelineFolder)) {
    const hash = /([^/]+)\.json$/.exec(name)?.[1]
    const pipeline = hash && (await readStoredPipeline(run, hash).catch(() => undefined))
    if (!pipeline) continue
    const outputs = new Map(pipeline.stages.map((one) => [one.name, { name: one.name, missing: [] }]))
    const before = pipeline.stages.find((one) => one.name === stage.name && one.uses === stage.uses)
    if (before) configs.set(hashOf(kindOf(before), before, outputs), before.with)
  }
  return configs
}

/**
 * Why what a record tells of would be made anew, in words.
 *
 * @param inputs what it would be made of now; undefined where that is not there yet
 */
export function anewReason(
  before: MadeOf,
  configHash: string,
  inputs: MadeOf['inputs'] | undefined,
  config: unknown,
  earlier: ReadonlyMap<string, unknown>,
): string {
  if (before.configHash !== configHash) {
    const known = earlier.get(before.configHash)
    const keys = known === undefined ? [] : changedKeys(known, config)
    return keys.length > 0 ? `changed: ${keys.join(', ')}` : 'its configuration has changed'
  }
  if (!inputs) return 'what it is made of is made anew'
  const names = new Set([...Object.keys(before.inputs), ...Object.keys(inputs)])
  const changed = [...names].filter((name) => before.inputs[name] !== inputs[name])
  return `what it is made of has changed: ${changed.join(', ')}`
}

/** Keys of two configurations that differ, with both values. */
function changedKeys(before: unknown, now: unknown): string[] {
  const [a, b] = [Object(before), Object(now)] as Readonly<Record<string, unknown>>[]
  const keys = new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])
  return [...keys]
    .filter((key) => !isDeepStrictEqual(a?.[key], b?.[key]))
    .map((key) => `${key} (was ${shown(a?.[key])}, is ${shown(b?.[key])})`)
}

const shown = (value: unknown) => (value === undefined ? 'none' : shownValue(value))
