import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { nameList, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { type Device, type DeviceChoice, resolveDevice } from '../graph/device.js'
import { SessionPool } from '../graph/session-pool.js'
import { fetchModelFile } from '../hub/fetch-model.js'
import { hubName, isHub, parseHub } from '../hub/hub-address.js'
import { localModelFolder, onnxName, requireOnnx, soleOnnx } from '../model/fetch-onnx.js'
import { hashModelFiles } from '../model/hash-model-files.js'
import { hashModel, modelFiles, ownFiles, readModelConfig } from '../model/model-folder.js'
import { noModelFolder } from '../model/no-model-folder.js'
import { checkOnnxFile } from '../weights/check-onnx-file.js'
import { openSafetensors } from '../weights/safetensors.js'
import type { SizeMode } from './config.js'
import { readDetr } from './detr-teacher.js'
import {
  configFiles,
  exists,
  modelFile,
  optionalModelFile,
  readJson,
  requireJson,
  soleModelFile,
  weightFiles,
} from './folder/hf-folder.js'
import { isYoloExport } from './folder/yolo-export.js'
import { readGlipTeacher } from './glip-teacher.js'
import { readGroundingDino } from './grounding-dino-teacher.js'
import type { FamilyFolder, ReadFamily } from './model-family.js'
import { readOmDet } from './omdet-teacher.js'
import { readOwl } from './owl-teacher.js'
import { hashTeacherFile, isTeacherFile, loadTeacherModule, openTeacherFile } from './own-teacher.js'
import { readSam } from './sam-teacher.js'
import { splitLongTexts } from './split-long-texts.js'
import type { Teacher } from './teacher.js'
import { readTorchvision } from './torchvision-teacher.js'
import { readYolo } from './yolo-teacher.js'

export interface OpenOptions {
  /** Name written into proposals; the folder's own where it is not given. */
  readonly name?: string
  /** Threads inside one operator; as onnxruntime chooses where not given. */
  readonly threads?: number
  /** One device, or one for each session. */
  readonly device?: DeviceChoice | readonly DeviceChoice[]
  /** Sessions on each device, which run batches at once. */
  readonly sessions?: number
  /** Which ONNX file of a Hugging Face folder, without `.onnx`. */
  readonly file?: string
  /** Pictures in a run, where the file leaves that open. */
  readonly batch?: number
  /** Input sizes of a model that has several, whose sessions stay open at once; 2 where not given. */
  readonly open_sizes?: number
  /**
   * How pictures are padded for a model with inputs of several sizes; `fast` where not given. `auto`: exactly, where
   * it is an official network.
   */
  readonly sizes?: SizeMode | 'auto'
  /** Told what a user should know, such as which device `auto` found. */
  readonly notice?: (text: string) => void
}

/** By `model_type`. */
const families: ReadonlyMap<string, ReadFamily> = new Map([
  ['groundmill-glip', readGlipTeacher],
  ['grounding-dino', readGroundingDino],
  ['mm-grounding-dino', readGroundingDino],
  ['omdet-turbo', readOmDet],
  ['owlvit', readOwl],
  ['owlv2', readOwl],
  ['sam3', readSam],
  ['sam3_video', readSam],
  ['detr', readDetr],
  ['rt_detr', readDetr],
  ['rt_detr_v2', readDetr],
  ['torchvision-detector', readTorchvision],
  ['yolo', readYolo],
])

/**
 * Opens a model folder, or a model of the Hub (`hf://ORG/MODEL`), by the `model_type` of its `config.json`: one of this program's own, a Hugging Face
 * folder as it is (`onnx/model.onnx`, `config.json`, `preprocessor_config.json` or `processor_config.json`,
 * `tokenizer.json`), a detector of torchvision, or an export of Ultralytics or its folder; or, where the path is that of a JavaScript file, what that exports
 * (`TeacherModule`). All of a folder's files are read and checked before the first session
 * is opened.
 *
 * @throws UserError where the family is not known, a file or a device is missing, or the model does not fit
 * its family
 */
export async function openTeacher(model: string, given: OpenOptions = {}): Promise<Teacher> {
  const options = isHub(model) ? { ...given, name: given.name ?? nameOnHub(model) } : given
  const notice = options.notice ?? (() => {})
  const devices = await devicesOf(options)
  const path = await localFolder(model, options, devices)
  if ([options.device].flat().includes('auto')) notice(`device: ${[...new Set(devices)].join(', ')}`)
  if (await isTeacherFile(path)) {
    const { name, threads } = options
    return openTeacherFile(path, name, { devices, notice, ...(threads && { threads }) })
  }
  const { open, found } = await readFolder(path, options, devices)
  const hash = await hashOf(path, found)
  const pools: SessionPool[] = []
  const opened = open({
    hash,
    notice,
    async openPool(file, of) {
      const pool = await SessionPool.open(file, of)
      pools.push(pool)
      return pool
    },
  })
  // A model that does not fit its folder leaves no session open.
  const teacher = await opened.catch(async (error: unknown) => {
    await Promise.all(pools.map((pool) => pool.close()))
    throw error
  })
  return splitLongTexts(teacher)
}

/**
 * Reads and checks what a model folder says, without opening its models: of these only whether they are whole.
 *
 * @throws UserError as `openTeacher` does of all but the models and devices
 */
export async function checkTeacherFolder(model: string, options: OpenOptions = {}): Promise<void> {
  // Which of its files are needed depends on the devices; that one is missing is told elsewhere.
  const path = await localFolder(model, options, await devicesOf(options).catch(() => ['cpu' as const]))
  if (await isTeacherFile(path)) {
    await loadTeacherModule(path)
    return
  }
  const { found } = await readFolder(path, options, ['cpu'])
  const { kind, files } = found
  const isOwn = kind === 'groundmill-glip'
  if (isOwn) await (await openSafetensors(join(path, 'model.safetensors'))).close()
  const models = isOwn ? modelFiles(await readModelConfig(path)).map((name) => join(path, name)) : files
  for (const file of models) await checkOnnxFile(file)
}

async function readFolder(path: string, options: OpenOptions, devices: readonly Device[]) {
  const { read, ...found } = await findFiles(path, options, devices)
  const { name, threads, sessions = 1, batch = 1, open_sizes: openSizes = 2, sizes = 'fast' } = options
  const seats = devices.flatMap((device) => Array.from({ length: sessions }, () => device))
  const open = await read({
    ...found,
    path,
    options: { name, threads, batch, openSizes, sizes, devices: seats },
  })
  return { open, found }
}

/**
 * The hash of the teacher that `openTeacher` would open, without opening it: it changes whenever its answers
 * could.
 *
 * @param onFile is told the SHA-256 of each file that decides them, by its name in the folder
 * @throws UserError where the folder is not whole, and where a file of a model that a run has made is damaged
 */
export async function hashTeacher(
  model: string,
  options: OpenOptions = {},
  onFile?: (name: string, sha256: string) => void,
): Promise<string> {
  if (await isTeacherFile(model)) return hashTeacherFile(model, onFile)
  const devices = await devicesOf(options)
  const path = await localFolder(model, options, devices)
  return hashOf(path, await findFiles(path, options, devices), onFile)
}

/** Throws a UserError where a device is not there. */
export async function requireDevices(options: Pick<OpenOptions, 'device'>): Promise<void> {
  await devicesOf(options)
}

/** Of a model of the Hub: its repository's, or that of the file that is named. */
const nameOnHub = (address: string): string =>
  address.endsWith('.onnx') ? basename(address, '.onnx') : hubName(parseHub(address))

/** What a teacher is called that nobody gives a name: as its folder, or as a file of your own or its repository says. */
export async function teacherName(path: string): Promise<string> {
  if (isHub(path)) return nameOnHub(path)
  return (await isTeacherFile(path))
    ? (await loadTeacherModule(path)).name
    : basename(resolve(path)).replace(/\.onnx$/, '')
}

async function devicesOf({ device = 'cpu' }: OpenOptions): Promise<Device[]> {
  return Promise.all([device].flat().map((choice) => resolveDevice(choice as DeviceChoice)))
}

type FolderFiles = Pick<FamilyFolder, 'kind' | 'files'>

async function findFiles(
  path: string,
  { file }: OpenOptions,
  devices: readonly Device[],
  optional: (name: string) => Promise<string | undefined> = (name) => optionalModelFile(path, name),
  required: (name: string) => Promise<string> = (name) => modelFile(path, name),
): Promise<FolderFiles & { readonly read: ReadFamily }> {
  if (extname(path) === '.onnx' && (await stat(path).catch(() => undefined))?.isFile()) {
    if (await isYoloExport(path)) return { read: readYolo, kind: 'yolo', files: [path] }
    throw await noModelFolder(path)
  }
  const config = await readJson(path, 'config.json')
  if (!config || config.model_type === 'yolo') {
    // What Ultralytics exports lies alone, under the name of its checkpoint.
    const model =
      (await optional(file ?? 'model')) ?? (file === undefined ? await soleModelFile(path) : undefined)
    const words = await optional('text_model')
    if (model && (config || ((await exists(model)) && (await isYoloExport(model)))))
      return { read: readYolo, kind: 'yolo', files: words ? [model, words] : [model] }
  }
  if (!config) throw await noModelFolder(path)
  const { model_type: type = null } = config
  const kind = typeof type === 'string' ? type : ''
  const read = families.get(kind)
  if (!read) {
    const what = type === null ? 'there is no model_type' : `model_type ${shownValue(type)}`
    throw new UserError(
      `${path}/config.json: ${what}${type === null ? '; it must be one' : ' is not a family'} that groundmill knows (${[...families.keys()].join(', ')}).`,
    )
  }
  if (kind === 'groundmill-glip') return { read, kind, files: [join(path, 'model.onnx')] }
  // Half precision is for devices that compute in it; the CPU would only convert back and forth.
  const isHalf = file === undefined && devices.every((device) => device !== 'cpu')
  const find = async (name: string) => (isHalf && (await optional(`${name}_fp16`))) || optional(name)
  if ((kind === 'owlvit' || kind === 'owlv2') && file === undefined) {
    const parts = await Promise.all(['vision_model', 'text_model'].map(find))
    if (parts[0] && parts[1]) return { read, kind, files: [parts[0], parts[1]] }
  }
  if (read === readSam && file === undefined) {
    const parts = await Promise.all(['vision_encoder', 'text_encoder', 'decoder'].map(findPart(find)))
    const [vision, words, decoder] = parts
    if (vision && words && decoder) return { read, kind, files: [vision, words, decoder] }
  }
  return {
    read,
    kind,
    files: [(file === undefined && (await find('model'))) || (await required(file ?? 'model'))],
  }
}

/** Some exporters join the words of a name with a hyphen. */
const findPart = (find: (name: string) => Promise<string | undefined>) => async (name: string) =>
  (await find(name)) ?? find(name.replace('_', '-'))

/** The folder of a model on this machine: of one of the Hub, where the files lie that its family opens on these devices. */
async function localFolder(model: string, options: OpenOptions, devices: readonly Device[]): Promise<string> {
  if (isHub(model) && model.endsWith('.onnx')) return fetchModelFile(model)
  return localModelFolder(model, async (listing) => {
    const { folder } = listing
    const config = await readJson(folder, 'config.json')
    if (!config || config.model_type === 'yolo') {
      const { file } = options
      const words = onnxName(listing, 'text_model')
      const named = file === undefined ? undefined : requireOnnx(model, listing, file)
      const sole = named === undefined ? soleOnnx(listing) : [named, ...(words === undefined ? [] : [words])]
      if (sole) return sole
      throw new UserError(
        `${model} is not a model folder: it has no ${config ? 'single ONNX file' : 'config.json, nor a single ONNX file'}. It has: ${nameList(listing.names)}. A folder or an ONNX file of it is named behind a slash.`,
      )
    }
    const at = (name: string | undefined) => name && join(folder, name)
    const { kind, files } = await findFiles(
      folder,
      options,
      devices,
      async (name) => at(onnxName(listing, name)),
      async (name) => join(folder, requireOnnx(model, listing, name)),
    )
    const names = files.map((file) => relative(folder, file).replaceAll('\\', '/'))
    return kind === 'groundmill-glip' ? [...names, ...ownFiles(await readModelConfig(folder))] : names
  })
}

async function hashOf(
  path: string,
  { kind, files }: FolderFiles,
  onFile?: (name: string, sha256: string) => void,
): Promise<string> {
  if (kind === 'groundmill-glip') return hashModel(path, onFile)
  if (files[0] === path) {
    const own = (await weightFiles(path)).filter((name) => name.startsWith(path.replace(/\.onnx$/, '')))
    return hashModelFiles(dirname(path), [path, ...own], { withNames: true, ...(onFile && { onFile }) })
  }
  if (kind !== 'yolo') await requireJson(path, 'config.json')
  const names = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json']
  const configs = await configFiles(path, names)
  return hashModelFiles(path, [...configs, ...files, ...(await weightFiles(...files))], {
    withNames: true,
    ...(onFile && { onFile }),
  })
}
