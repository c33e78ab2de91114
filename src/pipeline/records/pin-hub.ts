import { z } from 'zod'
import { hashJson } from '../../base/hash.js'
import { hubText, isCommit, isHub, parseHub } from '../../hub/hub-address.js'
import type { Storage } from '../../storage/storage.js'
import { runFolder } from './run-folder.js'

const pinSchema = z.object({ address: z.string(), commit: z.string().regex(/^[\da-f]{40}$/) })

/**
 * A value, such as a stage's configuration, in which every address of the Hub names the commit that it is of: what is
 * made of it is then of one state of the repository, on whatever machine, and records name it. A run keeps the commits:
 * it goes on with those that it was begun with, whatever became of the branch since.
 *
 * @param run where commits are kept; undefined where nothing is
 * @throws UserError where there is no such repository or revision, HubUnreachable where the Hub does not answer
 */
export async function pinHub<T>(value: T, run: Storage | undefined, signal?: AbortSignal): Promise<T> {
  // Most name nothing of the Hub, and stay what they are.
  return /hf:\/\//i.test(JSON.stringify(value) ?? '') ? pinInner(value, run, signal) : value
}

async function pinInner<T>(value: T, run: Storage | undefined, signal: AbortSignal | undefined): Promise<T> {
  if (typeof value === 'string') return (isHub(value) ? await pinned(value, run, signal) : value) as T
  if (Array.isArray(value)) return (await Promise.all(value.map((one) => pinInner(one, run, signal)))) as T
  if (!value || typeof value !== 'object') return value
  const entries: [string, unknown][] = []
  for (const [key, inner] of Object.entries(value)) entries.push([key, await pinInner(inner, run, signal)])
  return Object.fromEntries(entries) as T
}

async function pinned(address: string, run: Storage | undefined, signal: AbortSignal | undefined) {
  const at = parseHub(address)
  if (isCommit(at.revision)) return address
  const { type, id, revision = 'main' } = at
  const key = hubText({ type, id, revision, path: '' })
  const name = `${runFolder}/hub/${hashJson(key)}.json`
  const kept = run && parsePin(await run.read(name))
  if (kept !== undefined) return hubText({ ...at, revision: kept })
  const { resolveCommit } = await import('../../hub/hub-repository.js')
  const commit = await resolveCommit(at, signal)
  const isFirst = !run || (await run.create(name, `${JSON.stringify({ address: key, commit }, null, 1)}\n`))
  // Of two processes that begin at once, the first says which commit it is.
  const first = isFirst ? undefined : parsePin(await run.read(name))
  return hubText({ ...at, revision: first ?? commit })
}

function parsePin(bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes && pinSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).commit
  } catch {
    return undefined
  }
}

/** A pipeline's stages with their addresses of the Hub pinned; what is exported may go to repositories that are not there. */
export async function pinStages<Stage extends { readonly uses: string }>(
  stages: readonly Stage[],
  run: Storage,
  signal?: AbortSignal,
): Promise<Stage[]> {
  const pinnedStages: Stage[] = []
  for (const stage of stages)
    pinnedStages.push(stage.uses === 'export' ? stage : await pinHub(stage, run, signal))
  return pinnedStages
}
