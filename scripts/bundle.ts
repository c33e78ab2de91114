/**
 * Puts the program, Node and all that they need into one archive, for a Linux machine without network or Node.
 *
 *     npm run bundle -- [--out FILE] [--model FOLDER]
 *
 * FILE is groundmill-VERSION-linux-ARCH.tar.xz in the working folder where it is not named. A model's folder goes to
 * `models/` of the bundle, whole. Node is the one that runs this script. The same files give the same bytes.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { transformWithEsbuild } from 'vite'
import { isNeededFile } from './bundle/is-needed-file.js'
import { launcher } from './bundle/launcher.js'
import { neededPackages, type Platform } from './bundle/needed-packages.js'

const usage = 'npm run bundle -- [--out FILE] [--model FOLDER]'
const { help, out: named, model } = given()
if (help) {
  process.stdout.write(`${usage}\n`)
  process.exit()
}

const platform: Platform = { os: process.platform, cpu: process.arch, libc: 'glibc' }
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const name = `groundmill-${version}-${platform.os}-${platform.cpu}`
const out = resolve(named ?? `${name}.tar.xz`)
if (platform.os !== 'linux') throw new Error(`a bundle is made on Linux, for Linux: this is ${platform.os}`)
if (model !== undefined && !existsSync(join(model, 'config.json')))
  refuse(`--model ${model} is not a model folder: config.json is missing`)

/** The options; an unknown one, or one without its value, makes no bundle. */
function given() {
  const text = { type: 'string' } as const
  try {
    return parseArgs({ options: { help: { type: 'boolean' }, out: text, model: text } }).values
  } catch (error) {
    return refuse((error as Error).message)
  }
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n${usage}\n`)
  process.exit(2)
}

const scratch = mkdtempSync(join(tmpdir(), 'groundmill-bundle-'))
try {
  const folder = join(scratch, name)
  mkdirSync(folder)
  copyProgram(folder)
  copyPackages(folder)
  await compileBench(folder)
  copyFileSync(process.execPath, join(folder, 'node'))
  const libraries = filesOf(folder, true).filter((path) => /\.(node|so(\.[\d.]+)?)$/.test(path))
  const native = ['node', ...libraries].map((path) => join(folder, path))
  for (const path of native) chmodSync(path, 0o755)
  strip(native)
  for (const [script, program] of [
    ['groundmill', 'dist/cli/main.js'],
    ['bench-device', 'bench/device.js'],
  ] as const) {
    writeFileSync(join(folder, script), launcher(program))
    chmodSync(join(folder, script), 0o755)
  }
  if (model !== undefined)
    cpSync(model, join(folder, 'models', basename(resolve(model))), { recursive: true, dereference: true })
  const parts = readdirSync(folder).map((part) => [part, bytesOf(join(folder, part))] as const)
  for (const [part, bytes] of parts.sort(([, a], [, b]) => b - a))
    if (bytes > 100_000) process.stdout.write(`${(bytes / 1e6).toFixed(1).padStart(8)} MB  ${part}\n`)
  pack(scratch, name, out)
  process.stdout.write(`${(statSync(out).size / 1e6).toFixed(1).padStart(8)} MB  ${out}\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** What the package publishes, but for what only compilers read. */
function copyProgram(folder: string): void {
  const files = [
    'package.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'assets',
    'datasets',
    'pipelines',
    'dist',
  ]
  for (const file of files)
    cpSync(file, join(folder, file), {
      recursive: true,
      filter: (path) => !path.endsWith('.d.ts') && !path.endsWith('.map'),
    })
}

function copyPackages(folder: string): void {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  for (const at of neededPackages(packages, platform)) {
    const packageName = at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length)
    for (const path of filesOf(at)) {
      if (!isNeededFile(packageName, path, platform)) continue
      const to = join(folder, at, path)
      mkdirSync(dirname(to), { recursive: true })
      copyFileSync(join(at, path), to)
    }
  }
}

/** The files of a folder; without `node_modules` in it where they are not wanted. */
function filesOf(folder: string, withPackages = false): string[] {
  const visit = (below: string): string[] =>
    readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) return entry.name === 'node_modules' && !withPackages ? [] : visit(path)
      return [path]
    })
  return visit('')
}

/** The benchmark of a device, which is no part of the package. */
async function compileBench(folder: string): Promise<void> {
  for (const file of ['device.ts', 'report.ts', 'train-batch.ts']) {
    const source = readFileSync(join('bench', file), 'utf8')
    const { code } = await transformWithEsbuild(source, file, { target: 'node20', sourcemap: false })
    // --help prints the first comment, which the compiler takes out.
    const [help = ''] = /^\/\*\*.*?\*\//s.exec(source) ?? []
    const to = join(folder, 'bench', file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, `${help}\n${code.replaceAll('../src/', '../dist/')}`)
  }
  mkdirSync(join(folder, 'bench/parity'))
  for (const file of ['time_device.py', 'toy_glip.py', 'glip_reference.py'])
    copyFileSync(join('bench/parity', file), join(folder, 'bench/parity', file))
}

/** Node, and libraries, without the names of their own functions, which are a sixth of some. */
function strip(files: readonly string[]): void {
  try {
    execFileSync('strip', ['--strip-unneeded', ...files], { stdio: 'ignore' })
  } catch {
    process.stdout.write('There is no strip here: programs and libraries stay as large as they are.\n')
  }
}

function bytesOf(path: string): number {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.size
  return readdirSync(path).reduce((sum, entry) => sum + bytesOf(join(path, entry)), 0)
}

/** Names in order, one time and one owner: the same files make the same archive. */
function pack(folder: string, name: string, to: string): void {
  const same = [
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u=rwX,go=rX',
  ]
  const filters = platform.cpu === 'x64' ? '--x86 ' : ''
  const compress = `xz -T2 ${filters}--lzma2=preset=6,dict=128MiB,nice=200`
  execFileSync('tar', [...same, '-C', folder, '-I', compress, '-cf', to, name], { stdio: 'inherit' })
}
