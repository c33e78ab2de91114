import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { packaged } from '../../src/base/files/packaged.js'
import { option } from '../report.js'

/** What happens to a program while it works: `change-faults.mjs` says how. Changes are counted from 1. */
export type Fault =
  | { readonly log: string }
  | { readonly killAt: number }
  | { readonly fullFrom: number; readonly code: 'ENOSPC' | 'EDQUOT' }

export interface Ended {
  /** null where it was killed. */
  readonly code: number | null
  readonly out: string
  readonly err: string
  readonly seconds: number
  /** It did not end by itself within its time. */
  readonly isStuck: boolean
}

const main = option('main', packaged('dist/cli/main.js'))
const preload = packaged('bench/faults/change-faults.mjs')

/** Runs the compiled program to its end, with a fault if one is given; after `limit` seconds it is killed. */
export function disturbed(args: readonly string[], fault?: Fault, limit = 600): Promise<Ended> {
  const given = fault && { GROUNDMILL_FAULT: JSON.stringify(fault) }
  return startProgram(args, given, limit, fault ? ['--import', preload] : []).ended
}

/** Starts the compiled program. */
export function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  limit = 600,
  loaded: readonly string[] = [],
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [...loaded, main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let [out, err, isStuck] = ['', '', false]
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  const start = performance.now()
  const timer = setTimeout(() => {
    isStuck = true
    child.kill('SIGKILL')
  }, limit * 1000)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, out, err, seconds: (performance.now() - start) / 1000, isStuck })
    })
  })
  return { child, ended }
}

/** The changes of the file system that a command makes where nothing disturbs it, in their order. */
export async function changesOf(args: readonly string[], log: string): Promise<readonly string[]> {
  const { code, err } = await disturbed(args, { log })
  if (code !== 0) throw new Error(`groundmill ${args.join(' ')} ended with ${code}:\n${err}`)
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n')
  await rm(log)
  return lines
}
