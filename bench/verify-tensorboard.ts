/**
 * Trains some steps, is killed behind a checkpoint, goes on, and has TensorBoard read its event files: from the
 * beginning, and as one that has followed the folder since before the kill. Every figure of metrics.jsonl must be
 * there, of each step once.
 *
 *     npm run verify:tensorboard -- --dataset FOLDER [--python python3]
 *
 * `--dataset` is a dataset with gold boxes. Python needs `pip install tensorboard`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { packaged } from '../src/base/files/packaged.js'
import { openDataset } from '../src/catalog/open-dataset.js'
import { trainConfig } from '../src/train/config.js'
import { trainModel } from '../src/train/train-model.js'
import { option, refuse } from './report.js'

const given = option('dataset', '')
if (given === '') refuse('verify:tensorboard: give --dataset FOLDER, a dataset with gold boxes.')
const { storage, shards } = await openDataset(given)
const name = basename(given)
const folder = await mkdtemp(join(tmpdir(), 'groundmill-tensorboard-'))

/** Trains six steps with a checkpoint behind the third; is killed at a step where one is given. */
const train = (killedAt?: number) =>
  trainModel({
    name: 'watched',
    folder,
    config: trainConfig.parse({ batch: 2, steps: 6, checkpoint_every: 3, image_size: 64 }),
    sources: [{ name, storage, shards, grounding: name, phrases: name }],
    texts: [],
    onProgress({ step }) {
      if (step === killedAt) throw new Error('killed')
    },
  })

try {
  await train(5).catch((error: Error) => {
    if (error.message !== 'killed') throw error
  })
  const script = packaged('bench/verify-tensorboard.py')
  const reader = spawn(option('python', 'python3'), [script, folder, 'follow'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const said = createInterface(reader.stdout)
  said.on('line', (line) => console.log(line))
  const ended = once(reader, 'exit')
  await Promise.race([once(said, 'line'), ended])
  // A kill may cut the last record short.
  const [file] = (await readdir(folder)).filter((other) => other.includes('tfevents'))
  const path = join(folder, file!)
  await truncate(path, (await readFile(path)).length - 5)
  await train()
  reader.stdin.end('\n')
  const [status] = await ended
  process.exitCode = Number(status ?? 1)
} finally {
  await rm(folder, { recursive: true })
}
