import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { filesBelow } from '../base/files/files-below.js'
import { isInside, outsideAdvice } from '../base/files/inside.js'
import { parseConfig } from '../base/files/parse-config.js'
import { parseYaml } from '../base/files/parse-yaml.js'
import { readListText, readText, unreadable } from '../base/files/read-file.js'
import { nameList, pathList, shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { isThere, listedPictures, tailsOf } from './picture-places.js'
import { linesOf } from './text-lines.js'

/** A split of a dataset in YOLO's form. */
export interface YoloDataset {
  /** By the class's number. */
  readonly names: ReadonlyMap<number, string>
  /** The pictures' files. */
  readonly pictures: readonly string[]
  /** How many numbers of keypoints stand behind a box; undefined where nothing says it. */
  readonly keypoints: number | undefined
  /** The folder of the whole, and that of the pictures where no file names it. */
  readonly roots: readonly string[]
}

/** Endings of what Ultralytics takes for pictures, and what else can be read here. */
const pictureEndings = new Set(
  [
    'bmp',
    'dng',
    'jpeg',
    'jpg',
    'mpo',
    'png',
    'tif',
    'tiff',
    'webp',
    'pfm',
    'heic',
    'gif',
    'avif',
    'jfif',
  ].map((ending) => `.${ending}`),
)

const nameSchema = z.union([z.string(), z.number(), z.boolean(), z.null()])
const namesExpected = 'expected a list of names, or a map such as {0: person}'
const isShape = (value: unknown) =>
  Array.isArray(value) &&
  value.length === 2 &&
  Number.isInteger(value[0]) &&
  value[0] >= 0 &&
  [2, 3].includes(value[1])

const yamlSchema = z.looseObject({
  path: z.string().nullish(),
  names: z.union([z.array(nameSchema), z.record(z.string(), nameSchema)], { error: namesExpected }).nullish(),
  nc: z.number().nullish(),
  kpt_shape: z
    .custom<readonly [number, number]>(isShape, {
      error: 'expected how many keypoints there are and how many numbers each has, such as [17, 3]',
    })
    .nullish(),
})

/**
 * A split of a dataset: of Ultralytics' `data.yaml`, of Darknet's `obj.data`, or of a folder of pictures with
 * a list of the classes' names (`classes.txt`, `obj.names`), as labelImg, Label Studio and Roboflow write it.
 *
 * @param path one of these files, or the folder that it is in
 * @param split the key that names the pictures, or a folder beside the list of names
 * @param outside whether the description may name what lies outside of its folder
 * @throws UserError that says what is missing and where it was looked for
 */
export async function readYoloDataset(
  path: string,
  split: string | undefined,
  outside = false,
): Promise<YoloDataset> {
  const found = await stat(path).catch(unreadable(path))
  const file = found.isDirectory() ? await descriptionIn(path) : path
  const ending = extname(file).toLowerCase()
  if (['.json', '.xml', '.csv'].includes(ending))
    throw new UserError(`${file} is no data.yaml, no obj.data and no list of names.`)
  const dataset =
    ending === '.data'
      ? await readDarknet(file, split ?? 'train', outside)
      : ['.txt', '.names', '.labels'].includes(ending)
        ? await readNamed(file, split)
        : await readDataYaml(file, split ?? 'train', outside)
  if (dataset.pictures.length === 0) throw new UserError(`${file}: ${split ?? 'its folder'} has no pictures.`)
  return dataset
}

/** The file of a folder that describes the dataset. */
async function descriptionIn(folder: string): Promise<string> {
  const names = (await readdir(folder).catch(unreadable(folder))).sort()
  const ending = (pattern: RegExp) => names.filter((name) => pattern.test(name))
  const named = names.find((name) => /^(data|dataset)\.ya?ml$/i.test(name))
  if (named !== undefined) return join(folder, named)
  const lists = [...ending(/\.data$/i), ...ending(nameLists)]
  const all = ending(/\.ya?ml$/i)
  // Others' YAML, such as a pipeline's, may lie there too.
  const described = await withNames(folder, all)
  const yamls = described.length > 0 || lists.length > 0 ? described : all
  if (yamls.length > 1) throw new UserError(`${folder} has several: ${pathList(yamls)}. Say which.`)
  const [file] = [...yamls, ...lists]
  if (file !== undefined) return join(folder, file)
  throw new UserError(
    `${folder} has no data.yaml, no obj.data and no classes.txt: what its classes are is not said.`,
  )
}

/** Those of some files that have a key `names`. */
async function withNames(folder: string, files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readText(join(folder, file)).catch(() => '')))
  return files.filter((_, at) => /^["']?names["']?\s*:/m.test(texts[at] as string))
}

/** Of labelImg and Label Studio, of Darknet, and of Roboflow's export for it. */
const nameLists = /^(classes\.txt|.*\.names|_darknet\.labels)$/i

async function readDataYaml(file: string, split: string, outside: boolean): Promise<YoloDataset> {
  const text = await readText(file)
  const yaml = parseConfig(yamlSchema, parseYaml(text, file), file)
  const key = yaml[split] == null && split === 'val' ? 'validation' : split
  const said = [yaml[key]].flat().filter((entry) => entry != null)
  const entries = said.filter((entry): entry is string => typeof entry === 'string')
  if (entries.length < said.length)
    throw new UserError(
      `${file}: ${key}: expected a folder of pictures, a list of them, or several of these.`,
    )
  if (entries.length === 0) {
    const known = Object.keys(yaml).filter((name) => yaml[name] != null)
    throw new UserError(`${file} has no split "${split}"; it has: ${nameList(known)}.`)
  }
  const roots = rootsOf(file, yaml.path ?? '')
  const names = namesOf(yaml, writtenNames(text, file), file)
  const pictures = (await Promise.all(entries.map((entry) => picturesOf(file, roots, entry, outside)))).flat()
  return {
    names,
    pictures,
    roots: [dirname(file)],
    keypoints: yaml.kpt_shape?.reduce((points, numbers) => points * numbers),
  }
}

/**
 * Where the paths of a data.yaml may start: from its `path`, which may start from its folder or, as
 * Ultralytics has it, from the working directory; where there is nothing, as in a dataset that was moved,
 * from its folder.
 */
function rootsOf(file: string, path: string): string[] {
  const slashed = path.replaceAll('\\', '/')
  const folder = dirname(file)
  if (slashed === '') return [folder]
  return [...new Set([...(isAbsolute(slashed) ? [slashed] : [join(folder, slashed), slashed]), folder])]
}

/** The names as they are written: 007 and 1.0 are names, and no numbers. */
function writtenNames(text: string, file: string): Readonly<Record<string, unknown>> {
  const { names } = parseYaml(text, file, 'failsafe') as { readonly names?: object }
  return Object.fromEntries(Object.entries(names ?? {}))
}

function namesOf(
  { names, nc }: z.infer<typeof yamlSchema>,
  written: Readonly<Record<string, unknown>>,
  file: string,
): ReadonlyMap<number, string> {
  if (!names)
    throw new UserError(`${file} has no \`names\`: phrases are made of them, so each class must have one.`)
  const found = new Map<number, string>()
  for (const [key, name] of Object.entries(names)) {
    const id = Number(key)
    if (!Number.isInteger(id) || id < 0)
      throw new UserError(
        `${file}: names: ${shownName(key)}: expected the number of a class, as in {0: person}.`,
      )
    const text = String(written[key] ?? name).trim()
    if (name !== null && text !== '') found.set(id, text)
  }
  const count = Object.keys(names).length
  if (nc != null && nc !== count)
    throw new UserError(`${file} has ${count} names and nc: ${nc}: which of them is right cannot be known.`)
  return found
}

/** The pictures that one entry of a split names: a folder, or a list of files. */
async function picturesOf(
  file: string,
  roots: readonly string[],
  entry: string,
  outside: boolean,
): Promise<string[]> {
  const slashed = entry.replaceAll('\\', '/')
  // Roboflow's paths begin with ../ although they start from the folder of the file itself.
  const relative = [slashed, ...(slashed.startsWith('../') ? [slashed.slice(3)] : [])]
  const isElsewhere = isAbsolute(slashed) || /^[a-z]:\//i.test(slashed)
  const tried = isElsewhere
    ? [slashed, ...roots.flatMap((root) => tailsOf(slashed, root))]
    : relative.flatMap((path) => roots.map((root) => join(root, path)))
  let leading: string | undefined
  for (const path of new Set(tried)) {
    const found = await stat(path).catch(() => undefined)
    if (!found) continue
    if (!outside && !(await isInside(path, [dirname(file)]))) {
      leading ??= path
      continue
    }
    if (found.isDirectory()) return picturesIn(path)
    if (found.isFile()) return isPicture(path) ? [path] : listedPictures(path, roots)
  }
  if (leading !== undefined) throw leadsOut(file, entry, leading)
  throw new UserError(
    `${file}: ${shownName(entry, 200)} is neither a folder of pictures nor a list of them (looked for: ${pathList(new Set(tried))}).`,
  )
}

/** The error for what a description names and does not hold. */
const leadsOut = (file: string, entry: string, path: string) =>
  new UserError(
    `${file}: ${shownName(entry, 200)} (${shownName(path, 400)}) is not in the folder of the file, or is a link that leads out of it: ${outsideAdvice}.`,
  )

const isPicture = (path: string) => pictureEndings.has(extname(path).toLowerCase())

/** Pictures in a folder and below it, sorted; what is hidden (`._a.jpg` of macOS) is none. */
async function picturesIn(folder: string): Promise<string[]> {
  const names = await filesBelow(folder).catch(unreadable(folder))
  return names
    .filter((name) => isPicture(name) && !/(^|[\\/])(\.|__MACOSX[\\/])/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** Darknet's description: `train = data/train.txt`, `names = data/obj.names`. */
async function readDarknet(file: string, split: string, outside: boolean): Promise<YoloDataset> {
  const said = new Map(
    linesOf(await readText(file)).map((line) => {
      const [key = '', ...value] = line.split('=')
      return [key.trim(), value.join('=').trim()] as const
    }),
  )
  const entry = said.get(split) ?? (split === 'val' ? said.get('valid') : undefined)
  const names = said.get('names')
  if (!entry || !names)
    throw new UserError(
      `${file} has no ${names ? `split "${split}"` : 'names'}; it has: ${nameList(said.keys())}.`,
    )
  const folder = dirname(file)
  const places = (path: string) => {
    const slashed = path.replaceAll('\\', '/')
    return [slashed, slashed.replace(/^(\.\/)?data\//, '')].map((one) =>
      isAbsolute(one) ? one : join(folder, one),
    )
  }
  const [list, nameFile] = await Promise.all(
    [entry, names].map(async (path) => {
      let leading: string | undefined
      for (const place of [...places(path), path])
        if (await isThere(place)) {
          if (outside || (await isInside(place, [folder]))) return place
          leading ??= place
        }
      if (leading !== undefined) throw leadsOut(file, path, leading)
      throw new UserError(
        `${file}: ${shownName(path, 200)} is not there (looked for: ${pathList(places(path))}).`,
      )
    }),
  )
  return {
    names: await readNames(nameFile as string),
    pictures: await picturesOf(file, [folder], list as string, outside),
    roots: [folder],
    keypoints: undefined,
  }
}

/** The classes' names, a line each. */
async function readNames(file: string): Promise<ReadonlyMap<number, string>> {
  const lines = (await readListText(file)).split(/\r\n|\n|\r/)
  const names = lines.map((line) => line.trim())
  if (names.some(isPicture))
    throw new UserError(
      `${file} is a list of pictures, not of names: give the data.yaml or obj.data it belongs to.`,
    )
  return new Map([...names.entries()].filter(([, name]) => name !== ''))
}

/**
 * The pictures of the folder of a list of names; those beside it where it lies in `labels`, as labelImg
 * leaves it there.
 */
async function readNamed(file: string, split: string | undefined): Promise<YoloDataset> {
  const own = dirname(file)
  const beside = join(own, '..', 'images')
  const folder = basename(own) === 'labels' && (await isThere(beside)) ? beside : own
  const places = split === undefined ? [folder] : [join(folder, split), join(folder, 'images', split)]
  for (const place of places)
    if (await isThere(place))
      return {
        names: await readNames(file),
        pictures: await picturesIn(place),
        roots: [...new Set([own, folder])],
        keypoints: undefined,
      }
  throw new UserError(`${folder} has no folder "${split}" (looked for: ${places.join(', ')}).`)
}
