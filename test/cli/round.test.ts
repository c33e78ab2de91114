import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { serveFolder } from '../../src/world/serve-world.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { oneHeldOut, oneStepCycle } from '../helpers/one-step-cycle.js'
import { runCommand } from '../helpers/run-command.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const run = join(folder, 'run')
let web: Awaited<ReturnType<typeof serveFolder>>

beforeAll(async () => {
  await makeSmallWorld(world)
  web = await serveFolder(join(world, 'web'))
  return () => web.close()
})

const args = (count: number) => [
  ...['round', 'pipelines/quickstart.yaml', '--dataset', run, '--count', String(count), '--json'],
  ...[...oneStepCycle(world, web.url), ...oneHeldOut].flatMap((setting) => ['--set', setting]),
]

const roundsOf = (out: string) => JSON.parse(out).rounds.map(({ round }: { round: number }) => round)

describe('groundmill round', () => {
  it('goes on after an interrupt to where it was going, and then further when asked', async () => {
    const running = startGroundmill(args(2))
    const first = join(run, 'rounds/1.json')
    const isDone = () =>
      access(first).then(
        () => true,
        () => false,
      )
    while (running.child.exitCode === null && !(await isDone())) await delay(5)
    running.signal('SIGINT')
    const { code, out } = await running.ended
    expect(code).toBe(130)
    expect(JSON.parse(out)).toMatchObject({ error: { code: 130 } })
    const again = await runCommand(...args(2))
    expect(again.err).toMatch(/✓ round-1-promote +promote +already done/)
    expect(roundsOf(again.out)).toEqual([1, 2])
    expect(roundsOf((await runCommand(...args(1))).out)).toEqual([1, 2, 3])
  }, 600_000)
})
