import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const names = (await readdir('datasets'))
  .filter((name) => name !== 'toy.yaml')
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace('.yaml', ''))
  .sort()

describe('groundmill datasets', () => {
  it('lists the cards, and shows one', async () => {
    const { out, code } = await runCommand('datasets', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out).map(({ name }: { name: string }) => name)).toEqual(names)
    const table = await runCommand('datasets')
    expect(table.out).toMatch(/^cc3m +tsv +3318333 {2}Conceptual Captions/m)
    const one = await runCommand('datasets', 'lvis', '--json')
    expect(JSON.parse(one.out)).toMatchObject({ name: 'lvis', format: 'coco' })
    const none = await runCommand('datasets', 'lvi')
    expect(none.code).toBe(2)
    expect(none.err).toContain(
      'no card and no command "datasets lvi". Did you mean "lvis"? There are: check, cc12m',
    )
  })

  it('checks a file against its card', async () => {
    const path = join(folder, 'list.tsv')
    await writeFile(
      path,
      'a red dog\thttp://host/1.jpg\nno address\n\thttp://host/2.jpg\na cat\thttp://host/3.jpg\n',
    )
    const part = await runCommand('datasets', 'check', 'cc3m', path, '--rows', '1')
    expect(part.out).toBe(
      [
        `${path} as cc3m (tsv, url in column 1, caption in column 0)`,
        '  1 row read, there are more, 1 caption',
        '  http://host/1.jpg: "a red dog"',
        'It fits the card.',
        '',
      ].join('\n'),
    )
    expect(part.code).toBe(0)
    const whole = await runCommand('datasets', 'check', 'cc3m', path, '--json')
    expect(whole.code).toBe(1)
    expect(JSON.parse(whole.out)).toMatchObject({
      rows: 4,
      problems: { malformed_row: 1, empty_caption: 1 },
      faults: ['there are 4 rows, 3318333 were published'],
    })
    const other = await runCommand('datasets', 'check', 'coyo-700m', path)
    expect(other.code).toBe(2)
    expect(other.err).toMatch(/list\.tsv is damaged or cut short/)
  })

  it('takes what else a source needs with --set', async () => {
    const instances = join(folder, 'lvis.json')
    const image = {
      id: 1,
      coco_url: 'http://host/train2017/1.jpg',
      neg_category_ids: [2],
      width: 9,
      height: 9,
    }
    const annotations = [{ image_id: 1, category_id: 1, bbox: [0, 0, 5, 5] }]
    const categories = [
      { id: 1, name: 'dog' },
      { id: 2, name: 'cat' },
    ]
    await writeFile(instances, JSON.stringify({ images: [image], annotations, categories }))
    const { out, code } = await runCommand(
      'datasets',
      'check',
      'lvis',
      instances,
      '--set',
      'images=somewhere',
    )
    expect(out).toContain('1 row, 0 captions, 1 region')
    expect(code).toBe(0)
  })
})
