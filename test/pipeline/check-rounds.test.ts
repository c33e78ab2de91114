import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const coco = (name: string, more: object = {}) => ({
  ...{ name, uses: 'ingest' },
  with: { format: 'coco', images: `/${name}/images`, instances: `/${name}/boxes.json`, ...more },
})
const stages = [
  { name: 'web', uses: 'ingest', with: { format: 'tsv', path: '/web.tsv' } },
  ...['gold', 'known', 'novel'].map((name) => coco(name)),
  { name: 'phrases', uses: 'chunk', needs: ['web'] },
  { name: 'teacher', uses: 'train', needs: ['gold', 'web'], with: { vocabulary: ['web'] } },
  { name: 'label', uses: 'teach', needs: ['phrases', 'teacher'] },
  { name: 'filter', uses: 'filter', needs: ['label'] },
]
const rounds = {
  ...{ teacher: 'teacher', phrases: 'phrases', gold: ['gold'], held_out: ['known', 'novel'] },
  promote: { set: 'novel' },
}
const read = (given: object, others: readonly object[] = []) =>
  parsePipeline({ name: 'p', stages: [...stages, ...others], rounds: { ...rounds, ...given } }, 'p.yaml')

async function refusal(given: object, others?: readonly object[]): Promise<string> {
  const error = await read(given, others).then(
    () => new Error('was read'),
    (error: unknown) => error as Error,
  )
  expect(error).toBeInstanceOf(UserError)
  return error.message
}

describe('rounds', () => {
  it('are read where all that they name is of the kind that is wanted', async () => {
    await read({})
    await read({
      gold: ['gold', 'filter'],
      train: { vocabulary: ['web'] },
      audit: { truth: '/t.json', known: 'gold' },
    })
    await read({ evaluate: { novel: { unseen_in: 'gold' } }, start: 'scratch', teacher: './elsewhere/model' })
  })

  const boxes = 'expected an ingest stage with boxes; such stages are: gold, known, novel'
  it.each([
    [
      { teacher: 'techer' },
      'teacher: "techer" is neither a stage nor a folder (did you mean teacher?); expected a stage that makes a model, or the folder of a model; such stages are: teacher',
    ],
    [{ teacher: 'filter' }, 'teacher: "filter" uses filter; expected a stage that makes a model'],
    [
      { phrases: 'phrase' },
      'phrases: "phrase" is not a stage (did you mean phrases?); expected a chunk stage; such stages are: phrases',
    ],
    [
      { phrases: 'web' },
      'phrases: "web" uses ingest, and has no boxes; expected a chunk stage; such stages are: phrases',
    ],
    [{ gold: ['gold', 'none'] }, 'gold[1]: "none" is not a stage; expected an ingest stage with boxes'],
    [{ gold: ['web'] }, 'gold[0]: "web" uses ingest, and has no boxes; expected'],
    [{ held_out: ['known', 'novel', 'web'] }, `held_out[2]: "web" uses ingest, and has no boxes; ${boxes}`],
    [{ held_out: ['filter', 'novel'] }, `held_out[0]: "filter" uses filter; ${boxes}`],
    [
      { audit: { truth: '/t.json', known: 'golden' } },
      'audit.known: "golden" is not a stage (did you mean gold?)',
    ],
    [{ audit: { truth: 'phrases' } }, 'audit.truth: "phrases" uses chunk; expected'],
    [
      { train: { vocabulary: ['phrases'] } },
      'train.vocabulary[0]: "phrases" uses chunk; expected an ingest stage',
    ],
    [
      { train: { validate: { set: 'web' } } },
      `train.validate.set: "web" uses ingest, and has no boxes; ${boxes}`,
    ],
    [
      { train: { validate: { set: 'novel' } } },
      'held_out[1]: "novel" is learned from as well (rounds.train.validate.set)',
    ],
    [
      { evaluate: { novl: {} } },
      'evaluate.novl: "novl" is not among rounds.held_out (did you mean novel?): known, novel',
    ],
    [{ evaluate: { novel: { unseen_in: 'web' } } }, 'evaluate.novel.unseen_in: "web" uses ingest'],
    [{ evaluate: { novel: { model: 'm' } } }, 'evaluate.novel.model: teacher and students are evaluated'],
    [{ teach: { model: 'm' } }, 'teach.model: who labels is rounds.teacher'],
    [{ promote: { set: 'gold' } }, 'promote.set: "gold" is not among rounds.held_out: known, novel'],
    [
      { promote: { set: 'novel', guards: [{ set: 'known' }, { set: 'knwn' }] } },
      'promote.guards[1].set: "knwn" is not among rounds.held_out (did you mean known?)',
    ],
    [
      { verify: { filter: { judge: 'people', review: 'r' } } },
      'verify.filter: another stage of a round is called "filter"',
    ],
    [{ verify: { checked: { judge: 'network' } } }, 'verify.checked: the judge `network` needs `model`'],
    [
      { verify: { checked: { judge: 'network', model: 'gold' } } },
      'verify.checked.model: "gold" uses ingest; expected a judge stage, or the folder of a judge; the pipeline has no',
    ],
    [
      { verify: { checked: { judge: 'views' } } },
      'verify: nothing reads what is said: put { rule: verdict }',
    ],
    [{ judge: {} }, 'judge: nobody asks it: name it in rounds.verify'],
    [
      { judge: {}, gold: [], verify: { checked: { judge: 'network' } } },
      'judge: a judge is trained on gold: name some in rounds.gold',
    ],
    [
      {
        verify: { checked: { judge: 'views' } },
        filter: { rules: [{ rule: 'verdict', by: 'cheked' }] },
      },
      'filter.rules: "cheked" is not a stage; expected `label`, one of rounds.verify, or a teach,',
    ],
    [
      { train: { weigh_by: 'filter' } },
      'train.weigh_by: "filter" uses filter; expected one of rounds.verify, or a verify or doubt stage',
    ],
    [{ promote: {} }, 'promote: it needs `set`'],
    [{ promote: { always: true, set: 'novel' } }, 'promote: `always` compares nothing'],
    [{ held_out: [] }, 'promote.set: "novel" is not among rounds.held_out: nothing is held out'],
    [
      { start: 'scratch', promote: { set: 'novel', average: true } },
      'promote.average: it takes students that start from their teacher',
    ],
  ])('%j are refused with the key, and with what was expected there', async (given, message) => {
    expect(await refusal(given)).toContain(`p.yaml: rounds.${message}`)
  })

  it('are refused where a student would be measured by what it learned from', async () => {
    expect(await refusal({ gold: ['gold', 'known'] })).toMatch(
      /rounds\.held_out\[0\]: "known" is learned from as well \(rounds\.gold\[1\]\).*part/,
    )
    const all = coco('all', { images: '/gold/../gold/images', instances: '/gold/boxes.json' })
    const held = { held_out: ['all'], promote: { set: 'all' } }
    expect(await refusal(held, [all])).toMatch(
      /held_out\[0\]: "all" and "gold", which is learned from \(rounds\.gold\[0\]\), read the same pictures.*part/,
    )
    const photos = (name: string, part?: object) =>
      coco(name, {
        images: '/p/images',
        instances: '/p/i.json',
        captions: '/p/c.json',
        ...(part && { part }),
      })
    const split = (to: number) => [
      photos('learned', { to }),
      photos('held', { from: 0.8 }),
      { name: 'said', uses: 'chunk', needs: ['learned'] },
    ]
    const given = { phrases: 'said', held_out: ['held'], promote: { set: 'held' } }
    await read(given, split(0.8))
    expect(await refusal(given, split(0.9))).toContain('"learned", which is learned from (rounds.phrases)')
    // What the teacher was trained on, but not what its vocabulary is of.
    const shown = { name: 'shown', uses: 'train', needs: ['known', 'novel'], with: { vocabulary: ['known'] } }
    expect(await refusal({ teacher: 'shown' }, [shown])).toContain(
      'held_out[1]: "novel" is learned from as well (rounds.teacher)',
    )
    const judged = {
      verify: { checked: { judge: 'network', model: 'judge' } },
      filter: { rules: [{ rule: 'verdict' }] },
    }
    const judge = (gold: string) => ({ name: 'judge', uses: 'judge', needs: [gold] })
    await read(judged, [judge('gold')])
    expect(await refusal(judged, [judge('known')])).toContain(
      'held_out[0]: "known" is learned from as well (rounds.verify.checked.model)',
    )
  })

  it('start no student from a model that training cannot go on from', async () => {
    const teacher = 'test/teacher/fixtures/torchvision'
    expect(await refusal({ teacher })).toMatch(
      /rounds\.start: a student cannot start from its teacher: .*torchvision is a model of another family \(model_type "torchvision-detector"\): it can label .*Say `start: scratch`/,
    )
    await read({ teacher, start: 'scratch' })
    const own = join(folder, 'own')
    await mkdir(own)
    await writeFile(join(own, 'config.json'), '{"model_type": "groundmill-glip"}')
    await read({ teacher: own })
    await writeFile(join(own, 'teacher.mjs'), '')
    expect(await refusal({ teacher: join(own, 'teacher.mjs') })).toContain(
      'teacher.mjs is a file: it can label',
    )
  })
})
