import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unreadable } from '../base/files/read-file.js'
import { openRegularFile } from '../base/files/regular-file.js'
import { shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { ProtoReader } from './proto-reader.js'

/** Fields of ModelProto, GraphProto, TensorProto and StringStringEntryProto (onnx.proto). */
const fields = { graph: 7, operators: 8, initializer: 5, externalData: 13, key: 1, value: 2 } as const

/**
 * Holds an ONNX file against the lengths that stand in it, and the files of weights that it names against what it
 * wants of them. Of the weights nothing is read: this takes as long for a large model as for a small one.
 *
 * @throws UserError where the file is no ONNX model or is cut short, or where a file of weights is missing or too short
 */
export async function checkOnnxFile(path: string): Promise<void> {
  for (const [name, needed] of await externalWeights(path)) await checkWeights(path, name, needed)
}

/**
 * The files of weights that an ONNX file names, by their place beside it, and how many bytes it reads of each.
 *
 * @throws UserError where the file is no ONNX model or is cut short, or names files outside of its folder
 */
export async function externalWeights(path: string): Promise<ReadonlyMap<string, number>> {
  const file = await openRegularFile(path).catch(unreadable(path))
  try {
    const { size } = await file.stat()
    const reader = new ProtoReader(file, path, size)
    const wanted = new Map<string, number>()
    const found = new Set<number>()
    await reader.each(size, async (field, end) => {
      found.add(field)
      if (field !== fields.graph) return
      await reader.each(end, async (part, partEnd) => {
        if (part !== fields.initializer) return
        const { location, offset = '0', length = '0' } = await externalData(reader, partEnd)
        if (location === undefined) return
        if (!isBeside(location))
          throw new UserError(
            `${path} keeps its weights in ${shownName(location)}, which is not in its own folder: it is damaged, or not to be trusted.`,
          )
        const needed = Number(offset) + Number(length)
        wanted.set(location, Math.max(wanted.get(location) ?? 0, Number.isFinite(needed) ? needed : 0))
      })
    })
    // Which operators it takes stands in every model, behind the graph in most.
    if (!found.has(fields.graph) || !found.has(fields.operators)) throw reader.damaged()
    return wanted
  } finally {
    await file.close()
  }
}

/** Where the values of a tensor lie, if not in the model: `location`, `offset` and `length`. */
async function externalData(reader: ProtoReader, end: number): Promise<Readonly<Record<string, string>>> {
  const entries: Record<string, string> = {}
  await reader.each(end, async (field, entryEnd) => {
    if (field !== fields.externalData) return
    const pair = { key: '', value: '' }
    await reader.each(entryEnd, async (part, partEnd) => {
      if (part === fields.key) pair.key = await reader.text(partEnd)
      if (part === fields.value) pair.value = await reader.text(partEnd)
    })
    entries[pair.key] = pair.value
  })
  return entries
}

/** As ONNX has it: a path from the model's folder on that does not leave it. A stranger's model would have others' files read. */
const isBeside = (location: string): boolean =>
  !/^[/\\]|^[a-z]:|\0|^[./\\]*$/i.test(location) && !location.split(/[/\\]/).includes('..')

async function checkWeights(model: string, name: string, needed: number): Promise<void> {
  const found = await stat(join(dirname(model), name)).catch(() => undefined)
  if (!found?.isFile())
    throw new UserError(`${model} keeps its weights in ${shownName(name)} beside it, which is missing.`)
  if (found.size < needed)
    throw new UserError(
      `${join(dirname(model), name)} is cut short: it has ${found.size} bytes, and ${model} reads ${needed} of it.`,
    )
}
