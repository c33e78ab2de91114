import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

const pages = (await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))
const texts = new Map<string, string>()
for (const path of ['README.md', 'CONTRIBUTING.md', ...pages]) texts.set(path, await readFile(path, 'utf8'))

/** As GitHub makes them of headings. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-')

async function isBroken(from: string, target: string): Promise<boolean> {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? from : normalize(join(dirname(from), path))
  const isThere = await access(file).then(
    () => true,
    () => false,
  )
  if (!isThere || anchor === undefined) return !isThere
  const headings = [...(texts.get(file) ?? '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return !headings.some((heading) => anchorOf(heading) === anchor)
}

describe('the documents', () => {
  it('link to what is there', async () => {
    const broken: string[] = []
    for (const [from, text] of texts)
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g))
        if (!/^https?:/.test(target) && (await isBroken(from, target))) broken.push(`${from}: ${target}`)
    expect(broken).toEqual([])
  })

  it('are all listed on the first page', () => {
    const listed = texts.get('docs/README.md') ?? ''
    expect(pages.filter((path) => !listed.includes(`(${path.slice('docs/'.length)}`))).toEqual([
      'docs/README.md',
    ])
  })
})
