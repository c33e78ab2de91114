import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packaged } from '../../src/base/files/packaged.js'
import { exportFormats } from '../../src/export/config.js'
import { makeWorld } from '../../src/world/make-world.js'
import { readRecipe } from '../../src/world/recipe.js'
import { serveFolder } from '../../src/world/serve-world.js'

/** A command that makes one thing of a run in which all before it is there. */
export interface Step {
  readonly name: string
  readonly args: (run: string) => readonly string[]
  /** It is made for the steps after it, and not disturbed. */
  readonly isPreparation?: boolean
}

const exportStages = exportFormats.map(
  (format) => `  - { name: ${format}, uses: export, needs: [kept], with: { format: ${format} } }`,
)

/** Two or three shards of every kind of stage. */
const pipeline = `name: faults
vars: { world: world, web_url: http://127.0.0.1/ }
stages:
  - name: gold
    uses: ingest
    with: { format: coco, images: "\${world}/gold/images", instances: "\${world}/gold/annotations.json", shard_size: 6 }
  - name: web
    uses: ingest
    with:
      format: tsv
      path: "\${world}/web/pairs.tsv"
      base_url: "\${web_url}"
      fetch: { allow_hosts: ["\${web_url}"] }
      shard_size: 6
  - { name: phrases, uses: chunk, needs: [web] }
  - { name: teacher, uses: train, needs: [gold], with: { steps: 4, batch: 2, checkpoint_every: 2 } }
  - { name: label, uses: teach, needs: [phrases, teacher], with: { floor: 0.001 } }
  - name: kept
    uses: filter
    needs: [label]
    with: { rules: [{ rule: score, min: 0.002 }, { rule: max_boxes, phrase: 2 }] }
  - { name: mined, uses: mine, needs: [gold, teacher], with: { max: 5, min_score: 0 } }
  - { name: named, uses: teach, needs: [gold, teacher], with: { floor: 0.001 } }
  - { name: judge, uses: judge, needs: [gold, named], with: { steps: 4, batch: 12, checkpoint_every: 2, hold_out: 0.4 } }
  - { name: judged, uses: verify, needs: [kept, judge], with: { judge: network } }
  - { name: doubted, uses: doubt, needs: [gold, named] }
  - { name: scores, uses: evaluate, needs: [gold, teacher], with: { floor: 0 } }
${exportStages.join('\n')}
`

/** Of the quickstart's pipeline: so little that a round takes seconds. */
export const shortRounds = [
  ...['gold.shard_size=6', 'web.shard_size=6', 'teacher.steps=1', 'teacher.batch=2'],
  ...['rounds.train.steps=1', 'rounds.train.batch=2', 'rounds.teach.floor=0.001'],
  'rounds.filter.rules=[{rule: score, min: 0.002}, {rule: max_boxes, phrase: 1}]',
]

/**
 * A small toy world below `folder`, its web served on loopback, and the steps that are disturbed, in the order
 * in which they are made. `closed` ends the server.
 */
export async function faultedPipeline(folder: string) {
  const world = join(folder, 'world')
  const recipe = await readRecipe(packaged('datasets/toy.yaml'))
  const splits = { gold: 12, web: 14, known: 6, novel: 6, attributes: 6 }
  await makeWorld({ ...recipe, web: { ...recipe.web, broken_share: 0.1 }, splits }, world)
  const web = await serveFolder(join(world, 'web'))
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'faults.yaml')
  await writeFile(file, pipeline)
  const set = (assigned: readonly string[]) => assigned.flatMap((one) => ['--set', one])
  const where = set([`world=${world}`, `web_url=${web.url}`])
  const only = (name: string, stage: string): Step => ({
    name,
    args: (run) => ['run', file, '--dataset', run, ...where, '--only', stage],
  })
  const rounds = (name: string, ...rest: readonly string[]): Step => ({
    name,
    args: (run) => {
      const quickstart = packaged('pipelines/quickstart.yaml')
      return ['run', quickstart, '--dataset', run, ...where, ...set(shortRounds), ...rest]
    },
  })
  const reviewed = (way: 'export' | 'import', ...rest: readonly string[]): Step => ({
    name: way === 'import' ? "a review's log" : 'export for review',
    args: (run) => {
      const file = join(run, 'review.json')
      const places =
        way === 'import' ? [join(run, 'gold'), file] : [`${join(run, 'gold')}:gold`, '--out', file]
      return ['review', way, ...places, '--format', 'coco', ...rest]
    },
  })
  const stages: readonly Step[] = [
    only('ingest of files', 'gold'),
    { ...reviewed('export'), isPreparation: true },
    reviewed('import', '--name', 'first', '--reviewer', 'Ann'),
    only('crawl', 'web'),
    only('chunk', 'phrases'),
    only('train', 'teacher'),
    only('teach', 'label'),
    only('filter', 'kept'),
    only('mine', 'mined'),
    only('evaluate', 'scores'),
    { ...only('labels of gold', 'named'), isPreparation: true },
    only('judge', 'judge'),
    only('verify', 'judged'),
    only('doubt', 'doubted'),
    ...exportFormats.map((format) => only(`export ${format}`, format)),
  ]
  return {
    /** Each stage by itself. */
    stages,
    /** All of a run that comes before its round, and the round: label, filter, train, evaluate, promote. */
    rounds: [
      { ...rounds('before the rounds', '--only', 'teacher'), isPreparation: true },
      rounds('rounds'),
    ] as readonly Step[],
    close: () => web.close(),
  }
}
