import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The rooms of the table in docs/architecture.md, each with those that it may import. */
function allowedArrows(page: string): Map<string, readonly string[]> {
  const rows = page.split('\n').filter((line) => /^\| `[^|]+` +\|/.test(line))
  return new Map(
    rows.map((row) => {
      const [, room = '', , allowed = ''] = row.split('|')
      return [namesIn(room)[0] ?? '', namesIn(allowed)]
    }),
  )
}

const namesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')

interface Import {
  readonly from: string
  readonly to: string
}

/** Every import by a relative path of the code below some folders, types too, as paths from the project's folder. */
async function importsOf(folders: readonly string[]): Promise<{ files: string[]; imports: Import[] }> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile() && /\.(ts|tsx|js)$/.test(entry.name))
        .map((entry) => join(relative('.', entry.parentPath), entry.name))
    }),
  )
  const files = found.flat()
  const existing = new Set(files)
  const imports: Import[] = []
  for (const from of files) {
    const code = await readFile(from, 'utf8')
    for (const [, specifier = ''] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)) {
      const path = join(dirname(from), specifier)
      const stem = path.replace(/\.js$/, '')
      const to = [`${stem}.ts`, `${stem}.tsx`, path].find((name) => existing.has(name))
      // Pictures and styles of the page are no code.
      if (to) imports.push({ from, to })
    }
  }
  return { files, imports }
}

/** The room of a file: its folder below `src`, or `bench` as a whole. */
const roomOf = (file: string): string =>
  file.startsWith('bench/') ? 'bench' : relative('src', dirname(file)).replaceAll('\\', '/')

/** Circles in a graph: each a list of nodes that reach each other. */
function circlesOf(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const reachable = (start: string): Set<string> => {
    const seen = new Set<string>()
    const queue = [...(arrows.get(start) ?? [])]
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      queue.push(...(arrows.get(next) ?? []))
    }
    return seen
  }
  const reach = new Map([...arrows.keys()].map((node) => [node, reachable(node)]))
  const circles = new Map<string, string[]>()
  for (const [node, others] of reach) {
    if (!others.has(node)) continue
    const circle = [...others].filter((other) => reach.get(other)?.has(node)).sort()
    circles.set(circle.join(), circle)
  }
  return [...circles.values()]
}

function graphOf(imports: readonly Import[], nodeOf: (file: string) => string): Map<string, Set<string>> {
  const arrows = new Map<string, Set<string>>()
  for (const { from, to } of imports) {
    const [a, b] = [nodeOf(from), nodeOf(to)]
    if (a === b) continue
    arrows.set(a, (arrows.get(a) ?? new Set()).add(b))
  }
  return arrows
}

const page = await readFile('docs/architecture.md', 'utf8')
const allowed = allowedArrows(page)
const { files, imports } = await importsOf(['src', 'bench'])
const rooms = graphOf(imports, roomOf)

describe('the rooms of docs/architecture.md', () => {
  it('are those of src, and no file stands outside of them', () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual([...allowed.keys()].sort())
    expect(files.filter((file) => dirname(file) === 'src')).toEqual([])
  })

  it('import only what the table allows, and the table allows only what is used', () => {
    const shown = (arrows: ReadonlyMap<string, Iterable<string>>) =>
      [...arrows]
        .filter(([, to]) => [...to].length > 0)
        .map(([from, to]) => `${from} -> ${[...to].sort().join(', ')}`)
        .sort()
    expect(shown(rooms)).toEqual(shown(allowed))
  })

  it('stand on floors: a room imports nothing that stands after it in the table', () => {
    const order = [...allowed.keys()]
    const upward = [...rooms].flatMap(([from, to]) =>
      [...to].filter((room) => order.indexOf(room) > order.indexOf(from)).map((room) => `${from} -> ${room}`),
    )
    expect(upward).toEqual([])
  })

  it('have no circles, between rooms or between files', () => {
    expect(circlesOf(rooms)).toEqual([])
    expect(circlesOf(graphOf(imports, (file) => file))).toEqual([])
  })

  it('hold some twenty-five files at most', () => {
    const counts = new Map<string, number>()
    for (const room of files.map(roomOf)) counts.set(room, (counts.get(room) ?? 0) + 1)
    const large = [...counts].filter(([room, count]) => room !== 'bench' && count > 28)
    expect(large).toEqual([])
  })

  it('know no stage from another stage', () => {
    const stages = ['ingest', 'nlp', 'teacher', 'filter', 'dedup', 'train', 'export']
    const stageOf = (room: string) => stages.find((stage) => room === stage || room.startsWith(`${stage}/`))
    const between = [...rooms].flatMap(([from, to]) =>
      [...to]
        .filter((room) => stageOf(from) && stageOf(room) && stageOf(from) !== stageOf(room))
        .map((room) => `${from} -> ${room}`),
    )
    expect(between).toEqual([])
  })
})

/** What is loaded with a file: its imports, and theirs, but for what it imports while it works. */
async function loadedWith(start: string) {
  const packages = new Set<string>()
  const seen = new Set<string>()
  const queue = [start]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    const code = await readFile(file, 'utf8')
    for (const [, specifier = ''] of code.matchAll(/^(?:import|export) (?!type )[^']*? from '([^']+)'/gm)) {
      const path = join(dirname(file), specifier).replace(/\.js$/, '.ts')
      if (!specifier.startsWith('.')) packages.add(specifier)
      else if (files.includes(path)) queue.push(path)
    }
  }
  return { packages, files: seen }
}

describe('a command', () => {
  it.each([
    'src/cli/run.ts',
    'src/cli/check.ts',
    'src/cli/filter.ts',
    'src/cli/review/verify.ts',
    'src/cli/machines/watch.ts',
    'src/cli/machines/worker.ts',
    'src/pipeline/engines/task-child.ts',
  ])('%s loads what a stage works with when that works', async (file) => {
    const { packages } = await loadedWith(file)
    expect(packages).toContain('zod')
    const heavy =
      /^(apache-arrow|parquet-wasm|sharp|undici|natural|onnxruntime-node|@bufbuild|@huggingface|@duckdb)/
    expect([...packages].filter((name) => heavy.test(name))).toEqual([])
  })

  it('answers at once where it needs no pipeline, or nothing but its own help', async () => {
    const { packages, files } = await loadedWith('src/cli/stats.ts')
    expect(files).toContain('src/shards/commit.ts')
    expect([...files].filter((file) => file.startsWith('src/pipeline/stages/'))).toEqual([])
    // A schema's library takes longer to load than all the rest of the command.
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual(['p-limit'])
    const start = await loadedWith('src/cli/main.ts')
    expect([...start.packages].filter((name) => !name.startsWith('node:'))).toEqual(['commander'])
    expect(start.files.size).toBeLessThan(12)
  })
})

describe('the walks of docs/architecture.md', () => {
  it('name functions that there are', async () => {
    const walks = page.slice(page.indexOf('## The way'))
    const named = new Set(
      [...walks.matchAll(/`([A-Za-z]+[A-Z][A-Za-z]+|chunk|tokenize|tag|quantity|attributes|api)`/g)].map(
        ([, name = '']) => name,
      ),
    )
    expect(named.size).toBeGreaterThan(20)
    const code = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
    const missing = [...named].filter(
      (name) => !new RegExp(`(?:function\\*? |const |class )${name}\\b`).test(code),
    )
    expect(missing).toEqual([])
  })
})
