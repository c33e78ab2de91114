import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { filesBelow } from '../base/files/files-below.js'
import { readListText, unreadable } from '../base/files/read-file.js'
import { nameList, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { linesOf } from './text-lines.js'

/** The files of a dataset in Pascal VOC's form. */
export interface VocFolder {
  /** The folder of the whole: annotations lie in it or below. */
  readonly root: string
  /** The folder of the pictures. */
  readonly pictures: string
  /** One a picture. */
  readonly annotations: readonly string[]
  /**
   * The picture of an annotation: the one of the annotation's own name, as MMDetection has it; else the one
   * that the annotation names.
   *
   * @returns its path and its name in the folder of pictures, or why there is none
   */
  picture(
    annotation: string,
    filename: string | undefined,
  ): { readonly file: string; readonly name: string } | { readonly problem: string }
}

const pictureEndings = /\.(jpe?g|png|webp|gif|tiff?|avif|bmp|jfif|heic)$/i
const annotationFolders = /^(annotations?|xmls?)$/i
const pictureFolders = /^(jpegimages|images?|imgs?)$/i

/**
 * Finds annotations and pictures: `Annotations` beside `JPEGImages` and `ImageSets`, as VOC has them; or XML
 * beside the pictures, in a folder and those below it, as labelImg and Roboflow write it.
 *
 * @param path the folder, that of the annotations, or one annotation
 * @param images the folder of pictures, where it is elsewhere
 * @param split `ImageSets/Main/SPLIT.txt`, such a list above it, or a folder of that name
 * @throws UserError where there are none
 */
export async function readVocFolder(
  path: string,
  images: string | undefined,
  split: string | undefined,
): Promise<VocFolder> {
  const isFolder = (await stat(path).catch(unreadable(path))).isDirectory()
  if (!isFolder && !/\.xml$/i.test(path))
    throw new UserError(`${path} is neither a folder nor an annotation (.xml).`)
  const root = isFolder && !isOfAnnotations(path) ? path : dirname(path)
  const ids = isFolder && split !== undefined ? await idsOf(root, split) : undefined
  const start = isFolder && split !== undefined && !ids ? await folderOf(path, split) : path
  const folder = isFolder ? await annotationFolderIn(start) : dirname(path)
  const listed =
    ids?.map((id) => annotationOf(id, root, folder)) ?? (isFolder ? await annotationsIn(folder) : [path])
  if (listed.length === 0) throw new UserError(`${folder} has no annotations (.xml).`)
  const pictures = images ?? (await picturesBeside(folder))
  return {
    root: isOfAnnotations(root) ? dirname(resolve(root)) : root,
    pictures,
    annotations: listed,
    picture: await pictureFinder(folder, pictures),
  }
}

/** A line of a split may name a picture, or, as PaddleDetection's, a picture and its annotation. */
function annotationOf(id: string, root: string, folder: string): string {
  const [, named] = /\.\w+\s+(\S.*\.xml)$/i.exec(id) ?? []
  return named === undefined ? join(folder, `${stemOf(id)}.xml`) : join(root, named)
}

const isOfAnnotations = (path: string) => annotationFolders.test(basename(resolve(path)))

async function annotationFolderIn(path: string): Promise<string> {
  const inner = isOfAnnotations(path) ? undefined : (await foldersOf(path)).find(isOfAnnotations)
  return inner === undefined ? path : join(path, inner)
}

/** Where the pictures of a folder of annotations are: in a folder beside it, or among the annotations. */
async function picturesBeside(folder: string): Promise<string> {
  const beside = isOfAnnotations(folder)
    ? (await foldersOf(dirname(resolve(folder)))).find((name) => pictureFolders.test(name))
    : undefined
  return beside === undefined ? folder : join(dirname(resolve(folder)), beside)
}

async function foldersOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(unreadable(path))
  return entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .sort()
}

const isHidden = (name: string) => /(^|[\\/])(\.|__MACOSX[\\/])/.test(name)

async function annotationsIn(folder: string): Promise<string[]> {
  const names = await filesBelow(folder).catch(unreadable(folder))
  return names
    .filter((name) => /\.xml$/i.test(name) && !isHidden(name))
    .sort()
    .map((name) => join(folder, name))
}

/** The names of a split's list; undefined where there is no such list. */
async function idsOf(root: string, split: string): Promise<string[] | undefined> {
  for (const path of [
    join(root, 'ImageSets', 'Main', `${split}.txt`),
    join(root, 'ImageSets', `${split}.txt`),
    join(root, `${split}.txt`),
  ])
    if (await stat(path).catch(() => undefined)) return linesOf(await readListText(path)).map(idOf)
  return undefined
}

/** A line of a split: a name, quoted where it has spaces, behind which a class's list has 1, 0 or -1. */
function idOf(line: string): string {
  const name = line.replace(/\s+(-1|0|1)$/, '')
  return (/^"(.*)"$/.exec(name)?.[1] ?? name).replaceAll('\\', '/')
}

async function folderOf(path: string, split: string): Promise<string> {
  const folder = join(path, split)
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return folder
  const lists = await readdir(join(path, 'ImageSets', 'Main')).catch(() => [])
  const known = [...lists.map((name) => name.replace(/\.txt$/, '')), ...(await foldersOf(path))]
  throw new UserError(`${path} has no split "${split}"; it has: ${nameList(known)}.`)
}

async function pictureFinder(annotationFolder: string, pictureFolder: string): Promise<VocFolder['picture']> {
  const listed = await filesBelow(pictureFolder).catch(unreadable(pictureFolder))
  const names = listed
    .filter((name) => pictureEndings.test(name) && !isHidden(name))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
  /** By their paths without the ending, and by their names alone without it. */
  const byPath = grouped(names, stemOf)
  /** By their paths without the folders in which all pictures, or all annotations, are. */
  const byPlace = grouped(names, (name) => placeOf(stemOf(name)))
  const byName = grouped(names, (name) => stemOf(basename(name)))
  return (annotation, filename = '') => {
    const own = stemOf(relative(annotationFolder, annotation).replaceAll('\\', '/'))
    const said = filename.replaceAll('\\', '/')
    const saidName = basename(said)
    const stems = [saidName, stemOf(saidName)].filter((name) => name !== '')
    const inFolder = (name: string) => join(dirname(own), name).replaceAll('\\', '/')
    const candidates = [
      byPath.get(own),
      byPlace.get(placeOf(own)),
      byName.get(basename(own)),
      ...stems.flatMap((stem) => [byPath.get(inFolder(stem)), byName.get(stem)]),
    ].find((group) => group !== undefined)
    if (!candidates) {
      const also =
        saidName === '' || stemOf(saidName) === basename(own) ? '' : `, none is named ${shownValue(saidName)}`
      return { problem: `no picture of its name in ${pictureFolder}${also}` }
    }
    const chosen =
      candidates.length === 1 ? candidates : candidates.filter((name) => basename(name) === saidName)
    const [one] = chosen
    if (one !== undefined && chosen.length === 1) return { file: join(pictureFolder, one), name: one }
    return { problem: `it may be of ${nameList(candidates)}` }
  }
}

const placeOf = (path: string) =>
  path
    .split('/')
    .filter(
      (part, at, { length }) =>
        at === length - 1 || !(annotationFolders.test(part) || pictureFolders.test(part)),
    )
    .join('/')

/** A path without the ending of a picture or an annotation; dots within a name are no ending. */
function stemOf(name: string): string {
  const ending = extname(name)
  return pictureEndings.test(name) || /\.xml$/i.test(name) ? name.slice(0, name.length - ending.length) : name
}

function grouped(
  names: readonly string[],
  key: (name: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const group = groups.get(key(name))
    if (group) group.push(name)
    else groups.set(key(name), [name])
  }
  return groups
}
