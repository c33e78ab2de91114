import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { builtinModules, createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { readPipeline } from '../src/pipeline/read-pipeline.js'
import { runPipeline } from '../src/pipeline/run-pipeline.js'
import { serveFolder } from '../src/world/serve-world.js'
import { nodeFlags } from './helpers/node-flags.js'
import { oneHeldOut } from './helpers/one-step-cycle.js'
import { installPacked, readManifest } from './helpers/packed-package.js'
import { makeSmallWorld } from './helpers/small-world.js'
import { temporaryFolder } from './helpers/temporary-folder.js'

const run = promisify(execFile)
const manifest = await readManifest()
const folder = await temporaryFolder()
const entries = ['pipeline', 'dataset', 'phrases', 'teach', 'filter', 'verify', 'train', 'evaluate', 'graph']
const nameOf = (entry: string) => (entry === 'pipeline' ? 'groundmill' : `groundmill/${entry}`)
let [root, app] = ['', '']

beforeAll(async () => {
  ;({ root, app } = await installPacked(folder))
})

/** Paths of the package's files, sorted. */
async function packedFiles(): Promise<string[]> {
  const found = await readdir(root, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

/** Packages that the files name in imports: bare specifiers, without what Node itself brings. */
async function importedBy(files: readonly string[]): Promise<string[]> {
  const packages = new Set<string>()
  for (const file of files) {
    const text = await readFile(join(root, file), 'utf8')
    const specifiers = [
      ...text.matchAll(/^(?:import|export)(?:[^'"=();]*?\bfrom)?\s*['"]([^'"]+)['"]/gm),
      ...text.matchAll(/\bimport\(['"]([^'"]+)['"]\)/g),
      ...text.matchAll(/\bcreateRequire\(import\.meta\.url\)(?:\.resolve)?\(['"]([^'"]+)['"]\)/g),
    ]
    for (const [, specifier = ''] of specifiers) {
      const name = /^(?:@[\w.-]+\/)?[\w-][\w.-]*/.exec(specifier)?.[0]
      if (!name || specifier.startsWith('node:') || builtinModules.includes(specifier)) continue
      packages.add(name)
    }
  }
  return [...packages].sort()
}

describe('package.json', () => {
  it('lists the entries of the library, each a file of src/api, and nothing else', async () => {
    expect(Object.keys(manifest.exports)).toEqual([
      '.',
      './dataset',
      './phrases',
      './teach',
      './filter',
      './verify',
      './train',
      './evaluate',
      './graph',
      './package.json',
    ])
    for (const entry of entries) {
      expect(manifest.exports[nameOf(entry).replace('groundmill', '.')]).toEqual({
        types: `./dist/api/${entry}.d.ts`,
        default: `./dist/api/${entry}.js`,
      })
    }
    expect((await readdir('src/api')).sort()).toEqual(entries.map((entry) => `${entry}.ts`).sort())
  })

  it('has one command', () => {
    expect(manifest.bin).toEqual({ groundmill: 'dist/cli/main.js' })
  })
})

describe('the packed package', () => {
  it('holds what is listed, and no map, test or source', async () => {
    expect([...manifest.files].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'assets', 'datasets', 'dist', 'pipelines'].sort(),
    )
    const files = await packedFiles()
    expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(
      new Set([...manifest.files, 'package.json']),
    )
    for (const file of ['assets/icons/LICENSE', 'assets/fonts/LICENSE', 'datasets/toy.yaml'])
      expect(files).toContain(file)
    expect(files.filter((file) => /\.map$|(?<!\.d)\.ts$|\.tsx$/.test(file))).toEqual([])
    for (const file of files.filter((name) => name.startsWith('dist/')))
      expect(await readFile(join(root, file), 'utf8'), file).not.toContain('sourceMappingURL')
  })

  it('depends on what it imports and on nothing else', async () => {
    const files = await packedFiles()
    const scripts = files.filter((file) => file.endsWith('.js') && !file.startsWith('dist/inspect/page/'))
    const known = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)].sort()
    expect(await importedBy(scripts)).toEqual(known)
    const types = await importedBy(files.filter((file) => file.endsWith('.d.ts')))
    expect(known).toEqual(expect.arrayContaining(types))
  })

  it('refuses what is not an entry', async () => {
    for (const path of ['pipeline/run-pipeline', 'dist/cli/main.js', 'api/graph']) {
      const script = `await import('groundmill/${path}')`
      await expect(run('node', ['--input-type=module', '-e', script], { cwd: app })).rejects.toThrow(
        /ERR_PACKAGE_PATH_NOT_EXPORTED/,
      )
    }
  })

  it('says its version, and which icons it needs a package for', async () => {
    const command = join(root, manifest.bin.groundmill ?? '')
    const { stdout } = await run('node', [command, '--version'], { cwd: app })
    expect(stdout.trim()).toBe(manifest.version)
    const recipe = await readFile('datasets/toy.yaml', 'utf8')
    await writeFile(join(app, 'paw.yaml'), recipe.replace('mdiCat', 'mdiPaw'))
    const made = run('node', [command, 'world', 'make', 'world', '--recipe', 'paw.yaml'], { cwd: app })
    await expect(made).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/"mdiPaw" is not among the icons .*: npm install @mdi\/js/),
    })
  })
})

/** The programs in the docs of the entries, by the name of the entry. */
async function docExamples(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const entry of entries) {
    const text = await readFile(`src/api/${entry}.ts`, 'utf8')
    const code = /^ \* @example\n \* ```ts\n([\s\S]*?)^ \* ```$/m.exec(text)?.[1]
    if (code) found.set(entry, code.replaceAll(/^ \* ?/gm, ''))
  }
  return found
}

describe('a program that has it installed', () => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const exampleFiles = ['make-shards', 'ask-a-teacher', 'refilter', 'train-a-few-steps']
  let server: Awaited<ReturnType<typeof serveFolder>>

  /** What a program of the app prints. */
  async function outputOf(...args: string[]): Promise<string> {
    return (await run('node', [...nodeFlags, '--import', tsx, ...args], { cwd: app })).stdout
  }

  beforeAll(async () => {
    const made = join(app, 'runs/quickstart')
    await makeSmallWorld(join(made, 'world'))
    server = await serveFolder(join(made, 'world/web'))
    const quick = ['teacher.steps=2', 'teacher.batch=2', 'rounds.train.steps=1', 'rounds.train.batch=2']
    const weak = ['rounds.teach.floor=0.001', 'rounds.filter.rules=[{rule: score, min: 0.002}]']
    const few = ['web.limit=12', ...oneHeldOut]
    const pipeline = await readPipeline('pipelines/quickstart.yaml', {
      set: [`world=${made}/world`, `web_url=${server.url}`, ...quick, ...weak, ...few],
    })
    await runPipeline(pipeline, made)
    for (const name of exampleFiles) await cp(`examples/${name}.ts`, join(app, 'examples', `${name}.ts`))
    await writeFile(join(app, 'package.json'), '{ "type": "module" }')
    await mkdir(join(app, 'docs'))
    for (const [entry, code] of await docExamples()) await writeFile(join(app, 'docs', `${entry}.ts`), code)
    return () => server.close()
  })

  it('is checked with every type of every entry, strictly', async () => {
    // Types of Node, as every program for it has; nothing else that groundmill does not bring.
    await mkdir(join(app, 'node_modules/@types'), { recursive: true })
    await symlink(resolve('node_modules/@types/node'), join(app, 'node_modules/@types/node'))
    const imports = entries.map((entry, at) => `import * as entry${at} from '${nameOf(entry)}'`)
    await writeFile(
      join(app, 'all.ts'),
      `${imports.join('\n')}\nexport const all = [${entries.map((_, at) => `entry${at}`)}]\n`,
    )
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: false },
      ...{ noEmit: true, types: ['node'] },
    }
    await writeFile(
      join(app, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.ts', 'docs', 'examples'] }),
    )
    const tsc = run('node_modules/.bin/tsc', ['-p', app]).catch(({ stdout }: { stdout: string }) => ({
      stdout,
    }))
    expect((await tsc).stdout).toBe('')
  })

  it('runs the example of each entry', async () => {
    const examples = await docExamples()
    expect([...examples.keys()]).toEqual(entries)
    const lines = [...examples.keys()].map(
      (entry) => `console.log('# ${entry}')\nawait import('./docs/${entry}.ts')`,
    )
    await writeFile(join(app, 'all-examples.mts'), lines.join('\n'))
    const printed = await outputOf('all-examples.mts')
    const parts = Object.fromEntries(
      printed
        .split(/^# /m)
        .slice(1)
        .map((part) => [part.split('\n', 1)[0], part]),
    )
    expect(parts.pipeline).toMatch(/phrases: 30 of 30[\s\S]*^0 shards failed$/m)
    expect(parts.dataset).toMatch(/^\d{9} .+ \[/m)
    expect(parts.phrases).toMatch(/text: 'Two red dolphins', head: 'dolphin', count: 2/)
    expect(parts.phrases).toMatch(/a Sunday: /)
    expect(parts.teach).toBeTypeOf('string')
    expect(parts.filter).toMatch(/^1 \{ score: 1, nms: 1 \}$/m)
    expect(parts.verify).toBeTypeOf('string')
    expect(parts.train).toMatch(/^2 of 2: \d/m)
    expect(parts.evaluate).toMatch(/^0\.900 1\.000$/m)
    expect(parts.graph).toMatch(/^Float32Array\(1\) \[ 2 \] Float32Array\(3\) \[ 2, 0, -2 \]$/m)
  })

  it('runs the examples', async () => {
    expect(
      (await readdir('examples'))
        .filter((file) => file.endsWith('.ts'))
        .map((file) => basename(file, '.ts'))
        .sort(),
    ).toEqual([...exampleFiles].sort())
    const made = join(app, 'runs/quickstart')
    const outputs = await Promise.all([
      outputOf('examples/make-shards.ts', `${made}/world/web/pairs.tsv`, 'runs/pairs', server.url),
      outputOf(
        'examples/ask-a-teacher.ts',
        `${made}/models/teacher`,
        `${made}/world/known/images/000000.jpg`,
        'a red dolphin beside two owls',
      ),
      outputOf('examples/refilter.ts'),
      outputOf('examples/train-a-few-steps.ts'),
    ])
    expect(outputs[0]).toMatch(
      /^1 shards, of which 0 failed\nweb: 36 of 40 pairs \{[\s\S]*phrases: 36 of 36 captions/,
    )
    expect(outputs[1]).toMatch(/^a red dolphin: [\s\S]*^two owls: /m)
    expect(outputs[2]).toMatch(/^\{ kept: \d+, lost: \d+, added: \d+ \}$/m)
    expect(outputs[3]).toMatch(/^step 10 of 10: loss \d+\.\d{3}\nruns\/few-steps: loss \d/m)
  })
})
