/** Trains a network in PyTorch beside this program, on the same batches: bench/parity/train_twin.py. */
import { execFileSync, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Value } from '../../src/graph/session.js'
import type { GlipConfig } from '../../src/model/network/config.js'
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/safetensors.js'

const script = fileURLToPath(new URL('train_twin.py', import.meta.url))

type Batch = Readonly<Record<string, Value>>

/** Losses of a step by name, as a step of `train` gives them. */
export type Losses = Readonly<Record<string, number>> & { readonly loss: number }

export interface TwinStart {
  readonly config: GlipConfig
  /** A configuration of `train`, with its steps. */
  readonly recipe: { readonly steps: number }
  readonly parameters: readonly NamedArray[]
  readonly threads: number
}

export interface TorchTwin {
  /** Trains on batches, one step each, and gives the losses of each. */
  train(batches: readonly Batch[]): Promise<readonly Losses[]>
  /** Ends the training, and gives the moving averages of the parameters. */
  finish(): Promise<readonly NamedArray[]>
  /** Ends it in any case. */
  close(): void
}

export function hasTorch(python: string): boolean {
  try {
    execFileSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** @param folder for the files between the two programs; one of batches lies there at a time */
export async function openTorchTwin(
  python: string,
  folder: string,
  { config, recipe, parameters, threads }: TwinStart,
): Promise<TorchTwin> {
  const [start, batchFile, end] = ['start', 'batches', 'end'].map((name) =>
    join(folder, `${name}.safetensors`),
  ) as [string, string, string]
  await writeSafetensors(
    start,
    parameters.map((parameter) => ({ ...parameter, name: `parameter.${parameter.name}` })),
    { config: JSON.stringify(config), recipe: JSON.stringify(recipe) },
  )
  const child = spawn(python, [script, start, end, String(threads)], { stdio: ['pipe', 'pipe', 'inherit'] })
  // A program that has ended is noticed by the line that does not come.
  child.stdin.on('error', () => {})
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  ended.catch(() => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async train(batches) {
      await writeSafetensors(batchFile, batches.flatMap(asFloats))
      child.stdin.write(`${batchFile}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`${script} ended with ${await ended}`)
      await rm(batchFile)
      return JSON.parse(value)
    },
    async finish() {
      child.stdin.end()
      const code = await ended
      if (code !== 0) throw new Error(`${script} ended with ${code}`)
      return [...(await readSafetensors(end)).tensors.values()]
    },
    close: () => {
      child.kill()
    },
  }
}

/** Whole numbers too, which are small enough to be exact. */
const asFloats = (batch: Batch, index: number): NamedArray[] =>
  Object.entries(batch).map(([name, { data, shape }]) => ({
    name: `${index}.${name}`,
    shape,
    data: Float32Array.from<number | bigint>(data as Float32Array, Number),
  }))
