/** An entry of package-lock.json's `packages`, by the folder of the package. */
export interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}

export interface Platform {
  readonly os: string
  readonly cpu: string
  readonly libc: 'glibc' | 'musl'
}

/**
 * What a package depends on for what groundmill does not use of it: of `natural` it uses the tagger alone, and
 * onnxruntime-node fetches CUDA's libraries with the others when it is installed.
 */
const unused: Readonly<Record<string, readonly string[] | 'all'>> = {
  natural: 'all',
  'onnxruntime-node': ['adm-zip', 'global-agent'],
}

/** What a package's user installs beside it for some commands, and a bundle has. */
const beside = ['@duckdb/node-api']

/**
 * The folders of the packages that the program needs to run on a platform, as package-lock.json has them: the
 * dependencies of the root and theirs, but none for development, of other platforms, or of a part that is not used.
 *
 * @throws Error where a dependency that is not optional is not in the lock file
 */
export function neededPackages(
  packages: Readonly<Record<string, LockedPackage>>,
  platform: Platform,
): string[] {
  const needed = new Set<string>()
  const visit = (folder: string) => {
    const { dependencies = {}, optionalDependencies = {} } = packages[folder] ?? {}
    const without = unused[nameOf(folder)] ?? []
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (without === 'all' || without.includes(name)) continue
      const found = resolveFrom(folder, name, packages)
      if (found === undefined) {
        if (name in optionalDependencies) continue
        throw new Error(`package-lock.json has no ${name}, which ${folder || 'the program'} needs`)
      }
      if (needed.has(found) || !suits(packages[found] ?? {}, platform)) continue
      needed.add(found)
      visit(found)
    }
  }
  visit('')
  for (const name of beside) {
    const folder = resolveFrom('', name, packages)
    if (folder === undefined) continue
    needed.add(folder)
    visit(folder)
  }
  return [...needed].sort()
}

const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf('node_modules/') + 13)

/** Where Node finds a package that is asked for in a folder: in it, or in one above. */
function resolveFrom(
  folder: string,
  name: string,
  packages: Readonly<Record<string, LockedPackage>>,
): string | undefined {
  for (let above = folder; ; above = above.slice(0, Math.max(0, above.lastIndexOf('/node_modules/')))) {
    const candidate = `${above === '' ? '' : `${above}/`}node_modules/${name}`
    if (packages[candidate]) return candidate
    if (above === '') return undefined
  }
}

function suits({ os, cpu, libc }: LockedPackage, platform: Platform): boolean {
  const allows = (list: readonly string[] | undefined, value: string) =>
    list === undefined || list.includes(value) || (list[0]?.startsWith('!') && !list.includes(`!${value}`))
  return [allows(os, platform.os), allows(cpu, platform.cpu), allows(libc, platform.libc)].every(Boolean)
}
