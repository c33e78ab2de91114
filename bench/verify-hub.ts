/**
 * Pushes exports to a Hub on this machine, and has them read back by Hugging Face's own tools as from the real one:
 * `datasets.load_dataset("ORG/NAME")`, and mlcroissant by the croissant.json that came with the data. A push is killed on
 * its way, and begun again.
 *
 *     npm run verify:hub -- --python python3 --dataset runs/detector/photos --as filter
 *
 * That Python needs datasets, huggingface_hub and mlcroissant.
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packaged } from '../src/base/files/packaged.js'
import { filesOf, hubCommits } from '../test/helpers/hub-commits.js'
import { sha256, startHubServer } from '../test/helpers/hub-server.js'
import { gatherFigures, option, printReport } from './report.js'

const dataset = option('dataset', 'runs/quickstart/web')
const grounding = option('as', '')
const python = option('python', 'python3')
const folder = await mkdtemp(join(tmpdir(), 'groundmill-hub-'))
const main = packaged('src/cli/main.ts')
const { route, store } = hubCommits({ partBytes: 1 << 18 })
const hub = await startHubServer({ more: route })
const home = join(folder, 'home')
const env = { ...process.env, HF_ENDPOINT: hub.url, HF_TOKEN: hub.token, HF_HOME: home, TMPDIR: folder }
/** Large files behind which a push is killed. */
const killedBehind = 3
const { figures, report } = gatherFigures()

/** A push by the command, in a process of its own. */
function push(out: string, to: string, split: string) {
  const given = [
    'export',
    dataset,
    '--format',
    'hf',
    '-o',
    out,
    '--split',
    split,
    '--push',
    `hf://datasets/${to}`,
  ]
  const args = ['--import', 'tsx', main, ...given, ...(grounding ? ['--as', grounding] : []), '--json']
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise<string>((resolve) =>
    child.on('exit', (code, signal) => resolve(signal ?? String(code))),
  )
  return { child, ended }
}

const treeOf = (id: string) =>
  JSON.stringify([...filesOf(hub, id)].map(([name, bytes]) => [name, sha256(bytes)]).sort())

try {
  const out = join(folder, 'train')
  if ((await push(out, 'org/photos', 'train').ended) !== '0') throw new Error('the push failed')
  const whole = store.sent
  report('bytes of large files sent by a push', whole, 'bytes')
  if ((await push(join(folder, 'val'), 'org/photos', 'val').ended) !== '0')
    throw new Error('the push of a second split failed')

  hub.blobs.clear()
  const killed = push(out, 'org/killed', 'train')
  // Of a dataset of several shards some have come whole by then.
  store.onStored = () => {
    if (hub.blobs.size >= killedBehind) killed.child.kill('SIGKILL')
  }
  const before = store.sent
  store.onBytes = (sent) => {
    if (sent - before > 0.9 * whole) killed.child.kill('SIGKILL')
  }
  const end = await killed.ended
  store.onBytes = undefined
  store.onStored = undefined
  const left = [...filesOf(hub, 'org/killed').keys()].filter((name) => name !== '.gitattributes')
  report(
    'files in the branch after SIGKILL amid the push',
    left.length,
    `files (${end})`,
    '0',
    left.length === 0,
  )
  report('large files that had come whole by then', hub.blobs.size, 'files')
  const again = store.sent
  if ((await push(out, 'org/killed', 'train').ended) !== '0') throw new Error('the second push failed')
  report('bytes sent again', store.sent - again, 'bytes', `<= ${whole}`, store.sent - again <= whole)
  const alone = push(out, 'org/alone', 'train')
  if ((await alone.ended) !== '0') throw new Error('the push to hold it against failed')
  const isSame = treeOf('org/killed') === treeOf('org/alone')
  report('trees that differ from that of a push that was not killed', isSame ? 0 : 1, 'trees', '0', isSame)

  const script = packaged('bench/verify-hub.py')
  const read = await promisify(execFile)(python, [script, out, 'org/photos', join(folder, 'val')], { env })
  const told = JSON.parse(read.stdout) as Record<string, number>
  report('rows read by load_dataset', told.rows ?? null, 'rows')
  report('rows of the second split', told.val ?? null, 'rows')
  report('regions of these', told.regions ?? null, 'regions')
  report(
    'values that differ from the export',
    told.differences ?? null,
    'values',
    '0',
    told.differences === 0,
  )
  report(
    'records read by mlcroissant from a snapshot',
    told.croissant ?? null,
    'records',
    '',
    told.croissant === told.rows,
  )
  const { size } = await stat(join(out, 'croissant.json'))
  report('croissant.json', size, 'bytes')
  printReport(`${dataset} pushed to a Hub on this machine and read back`, 1, figures)
} finally {
  hub.close()
  await rm(folder, { recursive: true, force: true })
}
