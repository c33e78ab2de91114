/** A cluster of Slurm with one node, of this machine alone: its three daemons listen on loopback. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface SlurmCluster {
  /** With which `sbatch` and the others find the cluster. */
  readonly env: NodeJS.ProcessEnv
  /** Runs a command of Slurm's, and gives what it prints. */
  call(name: string, ...args: readonly string[]): Promise<string>
  close(): Promise<void>
}

/**
 * Starts munged, slurmctld and slurmd with all their files in a folder, and waits until the node is idle.
 *
 * @param folder an empty one whose path is short, since munged's socket lies in it
 * @param cpus as many as jobs are to run at once, whatever the machine has
 * @throws Error where a daemon is not installed, or ends
 */
export async function startSlurm(folder: string, cpus: number): Promise<SlurmCluster> {
  // Daemons of Debian lie where only root has its PATH.
  const env = {
    ...process.env,
    PATH: [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter),
    SLURM_CONF: join(folder, 'slurm.conf'),
  }
  const call = async (name: string, ...args: readonly string[]) =>
    (await execute(name, args, { env, maxBuffer: 1 << 26 })).stdout
  for (const name of ['munged', 'slurmctld', 'slurmd', 'sbatch']) {
    await call('which', name).catch(() => {
      throw new Error(
        `${name} is not installed: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge`,
      )
    })
  }
  const socket = join(folder, 'munge.socket')
  await mkdir(join(folder, 'state'))
  await mkdir(join(folder, 'spool'))
  await writeFile(join(folder, 'munge.key'), randomBytes(128), { mode: 0o400 })
  const [controller, node] = await freePorts()
  await writeFile(env.SLURM_CONF, configuration(folder, { socket, controller, node, cpus }))
  const daemons: Daemon[] = []
  const start = async (name: string, ...args: readonly string[]) => {
    daemons.push(await startDaemon(name, args, env, join(folder, `${name}.log`)))
  }
  const close = async () => {
    for (const daemon of daemons.reverse()) await daemon.end()
  }
  try {
    const mungeFiles = ['key', 'pid', 'seed'].map((kind) => `--${kind}-file=${join(folder, `munge.${kind}`)}`)
    await start('munged', '--foreground', '--force', '--num-threads=2', `--socket=${socket}`, ...mungeFiles)
    await start('slurmctld', '-D')
    await start('slurmd', '-D')
    await until(async () => {
      for (const daemon of daemons) daemon.requireAlive()
      return (await call('sinfo', '--noheader', '--format=%T').catch(() => '')).trim() === 'idle'
    }, 'the node to be idle')
  } catch (error) {
    await close()
    throw error
  }
  return { env, call, close }
}

function configuration(
  folder: string,
  { socket, controller, node, cpus }: { socket: string; controller: number; node: number; cpus: number },
): string {
  const name = hostname().split('.')[0] ?? 'localhost'
  const user = userInfo().username
  return `ClusterName=verify
SlurmctldHost=${name}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
SlurmUser=${user}
SlurmdUser=${user}
AuthType=auth/munge
AuthInfo=socket=${socket}
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=5
ReturnToService=2
JobRequeue=1
MinJobAge=3600
NodeName=${name} NodeAddr=127.0.0.1 CPUs=${cpus} RealMemory=${1024 * cpus} State=UNKNOWN
PartitionName=main Nodes=${name} Default=YES MaxTime=INFINITE State=UP
`
}

interface Daemon {
  requireAlive(): void
  end(): Promise<void>
}

async function startDaemon(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  log: string,
): Promise<Daemon> {
  const file = await open(log, 'a')
  const child: ChildProcess = spawn(name, args, { env, stdio: ['ignore', file.fd, file.fd] })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })
  let isOver = false
  ended.then(() => {
    isOver = true
  })
  await file.close()
  return {
    requireAlive() {
      if (isOver) throw new Error(`${name} has ended; it says why in ${log}`)
    },
    async end() {
      child.kill('SIGTERM')
      const late = delay(10_000, 'late' as const, { ref: false })
      if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL')
      await ended
    },
  }
}

/** Two ports of loopback that nobody listens on now. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address ? address.port : 0)
          })
        }),
    ),
  )
  for (const server of servers) server.close()
  return ports as [number, number]
}

/** Waits until something is so, and says what it waited for when that takes longer than `seconds`. */
export async function until(
  isSo: () => Promise<boolean>,
  what: string,
  seconds = 60,
  everyMs = 250,
): Promise<void> {
  const end = performance.now() + 1000 * seconds
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}`)
    await delay(everyMs)
  }
}
