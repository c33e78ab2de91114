import { readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { unreadable } from '../base/files/read-file.js'
import { hashBytes } from '../base/hash.js'
import { nameList, shortLine, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { Device } from '../graph/device.js'
import { type HashOptions, hashModelFiles } from '../model/hash-model-files.js'
import type { Picture } from '../pictures/picture.js'
import { type Detection, detectAll } from './closed-vocabulary.js'
import { keepBest } from './keep-best.js'
import type { DetectOptions, PhraseDetection, Query, Teacher } from './teacher.js'

/** What a file of your own exports as `teacher`: a model of any kind, which a pipeline names by the file's path. */
export interface TeacherModule {
  /** Written into proposals. */
  readonly name: string
  /** Files that decide its answers, such as weights and what it imports, from the folder of the file: they are hashed with it. */
  readonly files?: readonly string[]
  open(options: OwnTeacherOptions): OwnTeacher | Promise<OwnTeacher>
}

/** What a teacher of your own is opened with. */
export interface OwnTeacherOptions {
  /** The folder of its file. */
  readonly folder: string
  /** As `device` of the stage asks for them. */
  readonly devices: readonly Device[]
  /** Of a session; as it likes where not given. */
  readonly threads?: number
  /** Tells the user something. */
  readonly notice: (text: string) => void
}

/** What both kinds of a teacher of your own may say of themselves. */
export interface OwnTeacherSettings {
  /** Longer side to which pictures are best decoded; as they are where not given. */
  readonly pictureSide?: number
  /** Queries that are best asked together; 1 where not given. */
  readonly batch?: number
  /** Calls that may run at once; 1 where not given. */
  readonly parallel?: number
  close?(): void | Promise<void>
}

/** A model that reads phrases: it gives one list of boxes for each query. */
export interface OwnPhraseTeacher extends OwnTeacherSettings {
  detect(
    queries: readonly Query[],
    options: DetectOptions,
  ): Promise<readonly (readonly PhraseDetection[])[]> | readonly (readonly PhraseDetection[])[]
}

/** A detector with a fixed list of labels: it gives one list of labelled boxes for each picture. */
export interface OwnDetector extends OwnTeacherSettings {
  /** All labels that a box can have. */
  readonly labels: readonly string[]
  detectLabels(
    pictures: readonly Picture[],
    options: DetectOptions,
  ): Promise<readonly (readonly Detection[])[]> | readonly (readonly Detection[])[]
}

/** A teacher of your own that is open. Boxes are in pixels of the pictures, scores 0 to 1; weak and overlapping ones may stay. */
export type OwnTeacher = OwnPhraseTeacher | OwnDetector

const endings = ['.mjs', '.js', '.cjs', '.mts', '.ts', '.cts']

/**
 * Whether a path is that of a file with a teacher of your own. A folder is never one, whatever lies in it: what is run
 * is only what somebody has named.
 */
export async function isTeacherFile(path: string): Promise<boolean> {
  return endings.includes(extname(path)) && !(await stat(path).catch(() => undefined))?.isDirectory()
}

/**
 * Runs the file of a teacher and gives what it exports.
 *
 * @throws UserError where it is not there, cannot be run, or exports no teacher
 */
export async function loadTeacherModule(path: string): Promise<TeacherModule> {
  const file = resolve(path)
  const bytes = await readFile(file).catch(unreadable(path))
  let exported: Readonly<Record<string, unknown>>
  try {
    // By its content: a file that was changed is not the one that was run before.
    exported = await import(`${pathToFileURL(file).href}?sha256=${hashBytes(bytes)}`)
  } catch (error) {
    const { code, message } = Object(error) as NodeJS.ErrnoException
    const isTypeScript = code === 'ERR_UNKNOWN_FILE_EXTENSION'
    throw new UserError(
      isTypeScript
        ? `${path} is TypeScript, which this Node (${process.version}) does not run: compile it to a .mjs file, or install tsx and set NODE_OPTIONS="--import tsx".`
        : shortLine(`${path} cannot be run: ${message ?? error}`),
      { cause: error },
    )
  }
  const { default: whole, teacher = Object(whole).teacher } = exported
  if (isModule(teacher)) return teacher
  throw new UserError(
    `${path} exports no teacher: expected \`export const teacher = { name, open }\` (docs/teachers.md); it exports: ${nameList(Object.keys(exported)) || 'nothing'}.`,
  )
}

function isModule(value: unknown): value is TeacherModule {
  const { name, files = [], open } = Object(value) as Partial<TeacherModule>
  const isText = (text: unknown) => typeof text === 'string' && text !== ''
  return isText(name) && typeof open === 'function' && Array.isArray(files) && files.every(isText)
}

/** SHA-256 of the file of a teacher and of those that it names. Throws a UserError where one is missing. */
export async function hashTeacherFile(path: string, onFile?: HashOptions['onFile']): Promise<string> {
  const { files = [] } = await loadTeacherModule(path)
  const folder = dirname(resolve(path))
  const paths = files.map((file) => join(folder, file))
  for (const file of paths)
    if (!(await stat(file).catch(() => undefined))?.isFile())
      throw new UserError(
        `${path}: its \`files\` name ${relative(folder, file)}, and there is no file ${file}.`,
      )
  return hashModelFiles(folder, [resolve(path), ...paths], { withNames: true, ...(onFile && { onFile }) })
}

/**
 * Opens a teacher of your own. Its boxes are held against what a teacher may give, and the weak and overlapping ones
 * are left out as of any other.
 *
 * @throws UserError as `loadTeacherModule` and `hashTeacherFile` do, and where it cannot be opened
 */
export async function openTeacherFile(
  path: string,
  name: string | undefined,
  options: Omit<OwnTeacherOptions, 'folder'>,
): Promise<Teacher> {
  const module = await loadTeacherModule(path)
  const hash = await hashTeacherFile(path)
  const told = (what: string, error: unknown) => shortLine(`${path}: ${what} failed: ${reasonOf(error)}`)
  let opened: OwnTeacher
  try {
    opened = await module.open({ ...options, folder: dirname(resolve(path)) })
  } catch (error) {
    throw new UserError(told('open', error), { cause: error })
  }
  const refuse = (problem: string): never => {
    throw new UserError(`${path}: ${problem}.`)
  }
  const isDetector = typeof Object(opened).detectLabels === 'function'
  if (!isDetector && typeof Object(opened).detect !== 'function')
    refuse('what `open` gives has neither `detect` nor `detectLabels`')
  const labels = isDetector ? (opened as OwnDetector).labels : undefined
  if (
    isDetector &&
    !(Array.isArray(labels) && labels.length > 0 && labels.every((one) => typeof one === 'string'))
  )
    refuse('what `open` gives has `detectLabels`, and no `labels`: all names that a box can have')
  /** Asks it, and says who failed. What may pass, such as a server's trouble, is tried again by who asked. */
  const ask = async <T>(what: string, work: () => T): Promise<Awaited<T>> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof UserError) throw error
      throw new Error(told(what, error), { cause: error })
    }
  }
  const { pictureSide = Number.POSITIVE_INFINITY, batch = 1, parallel = 1 } = opened
  return {
    name: name ?? module.name,
    hash,
    ...{ pictureSide, batch, parallel },
    ...(labels && { labels }),
    tokensOf: () => 0,
    maxTokens: Number.POSITIVE_INFINITY,
    async detect(queries, detect) {
      if (isDetector)
        return detectAll(queries, detect, async (pictures) => {
          const found = await ask('detectLabels', () =>
            (opened as OwnDetector).detectLabels(pictures, detect),
          )
          const isLabel = (box: Detection) => labels?.includes(box.label)
          const lists = checked<Detection>(found, 'detectLabels', pictures.length, refuse, (box) =>
            isLabel(box) ? undefined : `the label ${shownValue(box.label)}, which is not among its labels`,
          )
          return lists.map((boxes) => boxes.filter(({ score }) => score >= detect.floor))
        })
      const found = await ask('detect', () => (opened as OwnPhraseTeacher).detect(queries, detect))
      const lists = checked<PhraseDetection>(found, 'detect', queries.length, refuse, ({ phrase }, at) =>
        queries[at]?.phrases[phrase]
          ? undefined
          : `the phrase ${shownValue(phrase)} of a query with ${queries[at]?.phrases.length}`,
      )
      return lists.map((boxes) => bestOf(boxes, detect))
    },
    close: async () => ask('close', () => opened.close?.()),
  }
}

const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)) || 'it does not say why'

/** The boxes of each phrase that are strong enough and do not overlap, best first. */
function bestOf(boxes: readonly PhraseDetection[], options: DetectOptions): PhraseDetection[] {
  const strong = boxes.filter(({ score }) => score >= options.floor)
  return [...new Set(strong.map(({ phrase }) => phrase))]
    .flatMap((phrase) =>
      keepBest(
        strong.filter((box) => box.phrase === phrase),
        options,
      ),
    )
    .sort((a, b) => b.score - a.score)
}

/** What a teacher gave, where it is one list of boxes for each of what was asked. */
function checked<Box extends Detection | PhraseDetection>(
  found: unknown,
  what: string,
  count: number,
  refuse: (problem: string) => never,
  problemOf: (box: Box, at: number) => string | undefined,
): readonly (readonly Box[])[] {
  if (!Array.isArray(found) || found.length !== count || !found.every(Array.isArray))
    refuse(
      `${what} was asked for ${count} list${count === 1 ? '' : 's'} of boxes, and gave ${shownValue(found)}`,
    )
  const lists = found as readonly (readonly Box[])[]
  for (const [at, boxes] of lists.entries())
    for (const box of boxes) {
      const { xyxy, score } = Object(box) as Partial<Box>
      const isBox = Array.isArray(xyxy) && xyxy.length === 4 && xyxy.every(Number.isFinite)
      if (!isBox) refuse(`${what} gave ${shownValue(box)}, which has no \`xyxy\` of four numbers`)
      if (!(typeof score === 'number' && score >= 0 && score <= 1))
        refuse(`${what} gave a box with the score ${shownValue(score)}: it must be 0 to 1`)
      const problem = problemOf(box, at)
      if (problem !== undefined) refuse(`${what} gave a box with ${problem}`)
    }
  return lists
}
