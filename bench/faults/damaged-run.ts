import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { packaged } from '../../src/base/files/packaged.js'
import { UserError } from '../../src/base/user-error.js'
import { check } from '../../src/cli/check.js'
import { evaluate } from '../../src/cli/evaluate.js'
import { exportCommand } from '../../src/cli/export.js'
import { openInspected } from '../../src/cli/inspect.js'
import { watch } from '../../src/cli/machines/watch.js'
import { query } from '../../src/cli/query.js'
import { render } from '../../src/cli/render.js'
import { round } from '../../src/cli/round.js'
import { run } from '../../src/cli/run.js'
import { stats } from '../../src/cli/stats.js'
import { serveInspect } from '../../src/inspect/serve-inspect.js'
import { makeWorld } from '../../src/world/make-world.js'
import { readRecipe } from '../../src/world/recipe.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { commandOutcome } from './command-outcome.js'
import { shortRounds } from './faulted-pipeline.js'

/** What a command is given: the run, a dataset of it, and an empty folder of its own. */
export interface CommandPlace {
  readonly run: string
  readonly dataset: string
  readonly out: string
}

const mostSecondsToMake = 1200

type Command = (place: CommandPlace, signal: AbortSignal) => Promise<unknown>

export interface DamagedRun {
  /** The folder of the undamaged run. */
  readonly whole: string
  /** Commands that change nothing of the run. */
  readonly reading: Readonly<Record<string, Command>>
  /** Commands that make anew and mend, while the web of the crawl is gone. */
  readonly changing: Readonly<Record<string, Command>>
}

/**
 * A small run with every kind of file that a dataset and a run keep: of two crawls of files and of the web, a selection,
 * a round of self-training, its models, scores and audits, an export; and the commands that are tried with it.
 */
export async function makeDamagedRun(folder: string): Promise<DamagedRun> {
  const [world, whole] = [join(folder, 'world'), join(folder, 'whole')]
  const recipe = await readRecipe(packaged('datasets/toy.yaml'))
  const splits = { gold: 8, web: 10, known: 4, novel: 4, attributes: 4 }
  await makeWorld({ ...recipe, splits }, world)
  const web = await serveFolder(join(world, 'web'))
  const pipeline = join(folder, 'pipeline.yaml')
  const given = parse(await readFile(packaged('pipelines/quickstart.yaml'), 'utf8')) as { stages: object[] }
  given.stages.push(
    { name: 'selected', uses: 'dedup', needs: ['web'] },
    { name: 'gold-hf', uses: 'export', needs: ['gold'], with: { format: 'hf' } },
  )
  await writeFile(pipeline, stringify(given))
  const set = [`world=${world}`, `web_url=${web.url}`, ...shortRounds]
  const running = (at: string, signal: AbortSignal) => run(pipeline, { dataset: at, set, only: [] }, signal)
  try {
    for (const make of [
      (signal: AbortSignal) => round(pipeline, { dataset: whole, set, count: 1 }, signal),
      (signal: AbortSignal) => running(whole, signal),
    ]) {
      const { code, said } = await commandOutcome(make, mostSecondsToMake)
      if (code !== 0) throw new Error(`the undamaged run ended with ${code}: ${said}`)
    }
  } finally {
    await web.close()
  }
  const page = join(folder, 'page')
  await mkdir(page)
  await writeFile(join(page, 'index.html'), '<!doctype html>')
  const exporting =
    (format: string): Command =>
    ({ dataset, out }, signal) =>
      exportCommand(dataset, { format, out }, signal)
  const asking =
    (sql?: string): Command =>
    ({ dataset }, signal) =>
      query(dataset, sql, { format: 'csv', rows: 5 }, signal)
  const checking =
    (options: { readonly deep?: boolean; readonly mend?: boolean }): Command =>
    ({ run: at }, signal) =>
      check(at, options, signal)
  return {
    whole,
    reading: {
      stats: ({ run: at }, signal) => stats(at, { top: 3 }, signal),
      'stats --exact': ({ dataset }, signal) => stats(dataset, { top: 3, exact: true }, signal),
      'query, the views': asking(),
      'query of pictures': asking('select count(*), max(width), max(url) from images'),
      'query of phrases': asking('select * from phrases limit 3'),
      check: checking({}),
      'check --deep': checking({ deep: true }),
      'watch --once': ({ run: at }, signal) => watch(at, { once: true }, signal),
      'export hf': exporting('hf'),
      'export coco': exporting('coco'),
      render: ({ dataset, out }) => render(dataset, { sample: 2, seed: 1, out }),
      inspect: ({ dataset }) => inspecting(dataset, page),
      evaluate: ({ run: at }, signal) =>
        evaluate(join(at, 'known'), { model: join(at, 'models/teacher'), set: [] }, signal),
    },
    changing: {
      run: ({ run: at }, signal) => running(at, signal),
      'check --deep --mend': checking({ deep: true, mend: true }),
      round: ({ run: at }, signal) => round(pipeline, { dataset: at, set, count: 1 }, signal),
    },
  }
}

/** Opens the page over a dataset, asks for what it shows first, and closes it. */
async function inspecting(url: string, page: string): Promise<void> {
  const { dataset } = await openInspected(url)
  const server = await serveInspect(dataset, { page })
  try {
    const headers = { authorization: `Bearer ${server.token}` }
    const base = `http://127.0.0.1:${server.port}`
    for (const path of ['/api/dataset', '/api/counts', '/api/samples', '/api/rejects']) {
      const { status, text } = await fetch(base + path, { headers }).then(async (answer) => ({
        status: answer.status,
        text: await answer.text(),
      }))
      const { error } = status === 200 ? {} : (JSON.parse(text) as { readonly error?: string })
      // What the page shows in the place of an answer: 422 is for the user to mend, all else a fault of the server.
      if (status === 422) throw new UserError(error ?? text)
      // There may be no rejects of the stage that is asked for.
      if (status !== 200 && status !== 404) throw new TypeError(`${path}: ${status} ${text}`)
    }
  } finally {
    await server.close()
  }
}

/** Names of the files of a run that are its own, one of each kind: what differs in numbers and hashes is one kind. */
export async function kindsOfFiles(whole: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const kinds = new Map<string, string[]>()
  const entries = await readdir(whole, { recursive: true, withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(whole.length + 1))
  for (const name of names.sort()) {
    const kind = name
      .replace(/^(gold|web|known|novel|attributes)\//, 'DATASET/')
      .replace(/\b(gold|known|novel|attributes)\b/g, 'GOLD')
      .replace(/\b(teacher|round-\d+-student)\b/g, 'MODEL')
      .replace(/[0-9a-f]{12,}/g, '#')
      .replace(/\d+/g, '#')
    kinds.set(kind, [...(kinds.get(kind) ?? []), name])
  }
  return kinds
}
