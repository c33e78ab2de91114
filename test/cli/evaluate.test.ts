import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { reportTable } from '../../src/cli/terminal/print-report.js'
import { type AttributeContrast, attributeTable } from '../../src/evaluate/attribute-contrast.js'
import { evaluateConfig } from '../../src/evaluate/config.js'
import type { Evaluation } from '../../src/evaluate/evaluate-model.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { runCommand } from '../helpers/run-command.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const run = join(folder, 'run')
const known = join(run, 'known')
const model = join(run, 'models/teacher')

/** A model of one step, and what it scores on six pictures. */
beforeAll(async () => {
  const world = join(folder, 'world')
  await makeSmallWorld(world)
  const of = (split: string) =>
    `format: coco, images: ${world}/${split}/images, instances: ${world}/${split}/annotations.json`
  await writeFile(
    join(folder, 'p.yaml'),
    `name: p
stages:
  - { name: gold, uses: ingest, with: { ${of('gold')}, limit: 4 } }
  - { name: known, uses: ingest, with: { ${of('known')} } }
  - { name: teacher, uses: train, needs: [gold], with: { steps: 1, batch: 2, threads: 1 } }
  - { name: plain, uses: evaluate, needs: [known, teacher], with: { names_a_prompt: 20 } }
  - { name: scores, uses: evaluate, needs: [known, teacher], with: { attributes: true, names_a_prompt: 20 } }
`,
  )
  await runPipeline(await readPipeline(join(folder, 'p.yaml')), run)
}, 480_000)

describe('groundmill evaluate --attributes', () => {
  it('is the key of the stage, and prints a row a kind', async () => {
    const args = ['evaluate', known, '--model', model, '--attributes', '--set', 'names_a_prompt=20']
    const { code, out, err } = await runCommand(...args, '--as', 'scores')
    expect(err).toMatch(/already done\n$/)
    expect(code).toBe(0)
    expect(out).toMatch(
      /^score +percent +of what\n[\s\S]*\nrecall@1 +[\d.]+ {2}phrases whose best box is right/,
    )
    const header = 'attribute +phrases +AUC +share +absent +AUC presence +share presence +found +chance'
    expect(out).toMatch(new RegExp(`\\n\\n${header}\\n[─ ]+\\ncolour +\\d+ +[\\d.]+ [^\\n]*\\nsize +`))
    expect(out).not.toContain('object')
  }, 400_000)

  it('gives all numbers as JSON; the other scores are what they are without', async () => {
    const args = ['evaluate', known, '--model', model, '--set', 'names_a_prompt=20', '--json']
    const { out } = await runCommand(...args, '--attributes', '--as', 'scores')
    const { attributes, ...scores } = JSON.parse(out)
    const plain = await runCommand(...args, '--as', 'plain')
    expect(plain.err).toMatch(/already done\n$/)
    expect(JSON.parse(plain.out)).toEqual(scores)
    expect(Object.keys(attributes)).toEqual(['colour', 'size', 'number', 'place'])
    expect(attributes.colour.phrases).toBeGreaterThan(0)
    expect(attributes.colour.auc).toBeGreaterThanOrEqual(0)
    expect(attributes.colour.auc).toBeLessThanOrEqual(1)
  }, 400_000)

  it('is no key of a benchmark, and of no configuration that does not name it', async () => {
    expect(evaluateConfig.parse({})).not.toHaveProperty('attributes')
    const args = ['benchmark', 'coco', '--truth', 't.json', '--predictions', 'p.json']
    const { code, err } = await runCommand(...args, '--set', 'attributes=true')
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no such key: "attributes"/),
    })
  }, 400_000)
})

describe('groundmill stats of a run', () => {
  it('has what its models scored, a row an evaluation', async () => {
    const { code, out } = await runCommand('stats', run)
    expect(code).toBe(0)
    expect(out).toMatch(/\n\nevaluation +AP +AP50 +recall@1 +recall@5 +recall@10 [^\n]*AUC colour/)
    expect(out).toMatch(/\nplain +[^\n]* -\nscores +[\d.]+ [^\n]*[\d.]+\n/)
    const { evaluations } = JSON.parse((await runCommand('stats', run, '--json')).out)
    expect(evaluations.map(({ stage }: { stage: string }) => stage)).toEqual(['plain', 'scores'])
    expect(evaluations[1].attributes.colour.phrases).toBeGreaterThan(0)
    expect(JSON.parse((await runCommand('stats', known, '--json')).out).evaluations).toEqual([])
  }, 400_000)
})

describe('the table of a report', () => {
  const contrast: AttributeContrast = {
    ...{ kind: 'size', absent: true, found: true, chance: 0.5 },
    ...{ stated: { place: 1, presence: 1 }, swapped: { place: 0, presence: 0 } },
  }
  const scored = { ap: 0.5, ap50: 0.6, recall1: 0.7, recall5: 0.8 } as Evaluation
  const report = (teacher: Evaluation, student: Evaluation) =>
    reportTable({ round: 1, teacher: 't', student: 's', promoted: true, known: { teacher, student } })

  it('has a column for each kind of attribute that was asked, and none where nobody asked', () => {
    const lines = report(scored, { ...scored, attributes: attributeTable([contrast]) }).split('\n')
    expect(lines[0]).toMatch(/recall@10 .*AUC size$/)
    // The older record has no recall@10.
    expect(lines[2]).toMatch(/^known +teacher \(t\) +50\.0 +60\.0 +70\.0 +80\.0(?: +-)+$/)
    expect(lines[3]).toMatch(/100\.0$/)
    expect(report(scored, scored)).not.toContain('AUC')
  })
})
