import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { packaged } from '../../src/base/files/packaged.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { addressOfHost, badHosts, goodHosts, type RowScript, scriptOf } from './bad-web-script.js'
import { startProgram } from './disturbed.js'

export interface Crawl {
  readonly rows: number
  readonly seconds: number
  /** Runs of the command until nothing was left that may pass. */
  readonly runs: number
  readonly kept: number
  readonly rejected: Readonly<Record<string, number>>
  /** Rows that are neither kept nor rejected. */
  readonly lost: number
  /** Rows that are there more than once. */
  readonly doubled: number
  /** Rows whose outcome is not that of the script, by what it is and was to be. */
  readonly wrong: Readonly<Record<string, number>>
  /** Rows that are kept, though no server gave them a whole picture. */
  readonly invented: readonly string[]
  /** Resident memory in MB every second. */
  readonly memory: readonly number[]
  /** Rows of HTTP/2 are among them. */
  readonly hasHttp2: boolean
}

const mb = 2 ** 20
/** A shard of the crawl. */
const shardSize = 2500
const mostRuns = 5

/** A key and a certificate for the hosts of HTTP/2; undefined where there is no openssl. */
function makeCertificate(folder: string): readonly [string, string] | undefined {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const names = (['http2', 'http2ResetOnce', 'http2Reset'] as const)
    .map((host) => `IP:${addressOfHost(host)}`)
    .join(',')
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=bad web']
  try {
    execFileSync(
      'openssl',
      [...args, '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', certificate],
      { stdio: 'ignore' },
    )
    return [key, certificate]
  } catch {
    return undefined
  }
}

async function startWeb(certificate: readonly [string, string] | undefined) {
  const web = fork(packaged('bench/faults/bad-web.ts'), [...(certificate ?? [])], {
    execArgv: ['--import', 'tsx'],
  })
  const [{ ports }] = (await once(web, 'message')) as [{ ports: Record<string, number> }]
  return {
    ports,
    async given(): Promise<ReadonlySet<number>> {
      web.send('given')
      const [answer] = (await once(web, 'message')) as [{ given: number[] }]
      return new Set(answer.given)
    },
    close: () => web.disconnect(),
  }
}

function urlOf({ host, kind }: RowScript, row: number, ports: Readonly<Record<string, number>>): string {
  const isHttp2 = typeof host === 'string' && host.startsWith('http2')
  return `http${isHttp2 ? 's' : ''}://${addressOfHost(host)}:${ports[host]}/${kind}/${row}.jpg`
}

/**
 * Crawls a list whose servers misbehave by a script that is drawn of a seed, again until nothing is left that
 * may pass, and holds every row against the script and against what the servers have given.
 */
export async function crawlBadWeb(folder: string, rows: number, seed: number): Promise<Crawl> {
  const certificate = makeCertificate(folder)
  const web = await startWeb(certificate)
  try {
    const list = join(folder, 'list.tsv')
    const file = createWriteStream(list)
    file.write('url\tcaption\n')
    for (let row = 0; row < rows; row++)
      file.write(`${urlOf(scriptOf(seed, row), row, web.ports)}\tpicture ${row}\n`)
    file.end()
    await finished(file)
    const hosts = [...Array(goodHosts).keys(), ...(Object.keys(badHosts) as (keyof typeof badHosts)[])]
    const allowed = hosts.map((host) => `"${addressOfHost(host)}:${web.ports[host]}"`).join(', ')
    const fetch = `{ concurrency: 64, max_bytes: 2000000, timeout_ms: 5000, allow_hosts: [${allowed}] }`
    const image = '{ image_size: 128 }'
    const pipeline = join(folder, 'bad-web.yaml')
    const given = `format: tsv, path: ${list}, shard_size: ${shardSize}, fetch: ${fetch}, image: ${image}`
    await writeFile(pipeline, `name: bad-web\nstages: [{ name: web, uses: ingest, with: { ${given} } }]\n`)
    const memory: number[] = []
    const run = join(folder, 'run')
    const start = performance.now()
    let firstSeconds = 0
    let outcomes = await outcomesOf(run)
    let runs = 0
    for (; runs < mostRuns; runs++) {
      const args = ['run', pipeline, '--dataset', run, ...(runs > 0 ? ['--retry-failed', 'transient'] : [])]
      await crawlOnce(args, certificate?.[1], runs === 0 ? memory : undefined)
      if (runs === 0) firstSeconds = (performance.now() - start) / 1000
      outcomes = await outcomesOf(run)
      if (!mayPass(outcomes, seed)) break
    }
    return {
      ...(await account(outcomes, rows, seed, await web.given())),
      ...{ rows, seconds: firstSeconds, runs: runs + 1, memory, hasHttp2: certificate !== undefined },
    }
  } finally {
    web.close()
  }
}

async function crawlOnce(args: readonly string[], ca: string | undefined, memory: number[] | undefined) {
  const { child, ended } = startProgram(args, ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }, 7200)
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    const kib = /^VmRSS:\s+(\d+)/m.exec(status)?.[1]
    if (kib) memory?.push((Number(kib) * 1024) / mb)
  }, 1000)
  try {
    const { code, err } = await ended
    if (code !== 0 && code !== 1) throw new Error(`the crawl ended with ${code}: ${err.slice(-2000)}`)
  } finally {
    clearInterval(timer)
  }
}

/** What became of a row: `kept`, or the reason of its reject. */
type Outcomes = ReadonlyMap<number, readonly string[]>

async function outcomesOf(run: string): Promise<Outcomes> {
  const outcomes = new Map<number, string[]>()
  const storage = openStorage(join(run, 'web'))
  const note = (url: string | null, outcome: string) => {
    const row = Number(/(\d+)\.jpg$/.exec(url ?? '')?.[1] ?? Number.NaN)
    outcomes.set(row, [...(outcomes.get(row) ?? []), outcome])
  }
  const records = (await storage.list('images')).filter((name) => name.endsWith('.json'))
  for (const record of records) {
    const shard = record.slice('images/'.length, -'.json'.length)
    for await (const { images } of joinRows(storage, shard, { images: { columns: ['url'] } }))
      note(images.url, 'kept')
    for await (const { url, reason } of readShard(storage, 'rejects', 'web', shard)) note(url, reason)
  }
  return outcomes
}

/** Whether a row is rejected that the script gives a picture to. */
const mayPass = (outcomes: Outcomes, seed: number) =>
  [...outcomes].some(([row, [outcome]]) => scriptOf(seed, row).reasons.length === 0 && outcome !== 'kept')

function account(outcomes: Outcomes, rows: number, seed: number, given: ReadonlySet<number>) {
  const rejected: Record<string, number> = {}
  const wrong: Record<string, number> = {}
  let [kept, lost, doubled] = [0, 0, 0]
  const invented: string[] = []
  for (let row = 0; row < rows; row++) {
    const all = outcomes.get(row) ?? []
    if (all.length === 0) lost++
    if (all.length > 1) doubled++
    const { host, kind, reasons } = scriptOf(seed, row)
    for (const outcome of all) {
      if (outcome === 'kept') kept++
      else rejected[outcome] = (rejected[outcome] ?? 0) + 1
      if (outcome === 'kept' && !given.has(row)) invented.push(`${row} of ${host}, ${kind}`)
      if (reasons.length === 0 ? outcome === 'kept' : reasons.includes(outcome)) continue
      const what = `${typeof host === 'string' ? host : kind}: ${outcome}`
      wrong[what] = (wrong[what] ?? 0) + 1
    }
  }
  return { kept, rejected, lost, doubled, wrong, invented }
}

/** MB a second by which memory grows after the first third: the slope of the line of least squares. */
export function slopeOf(memory: readonly number[]): number {
  const after = memory.slice(Math.floor(memory.length / 3))
  if (after.length < 3) return 0
  const middle = (after.length - 1) / 2
  const level = after.reduce((sum, value) => sum + value, 0) / after.length
  let [above, below] = [0, 0]
  for (const [second, value] of after.entries()) {
    above += (second - middle) * (value - level)
    below += (second - middle) ** 2
  }
  return above / below
}
