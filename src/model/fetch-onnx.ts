import { join, posix } from 'node:path'
import { fetchModel, type ModelListing, noOnnxFile } from '../hub/fetch-model.js'
import { isHub } from '../hub/hub-address.js'
import { externalWeights } from '../weights/check-onnx-file.js'

/**
 * A model folder on this machine: itself, or of one of the Hub where it lies in the cache, with its texts, the files that
 * `choose` names and the weights that its ONNX files name.
 *
 * @param choose names below the folder
 * @throws as `fetchModel` does
 */
export async function localModelFolder(
  folder: string,
  choose: (listing: ModelListing) => readonly string[] | Promise<readonly string[]>,
): Promise<string> {
  if (!isHub(folder)) return folder
  return fetchModel(folder, async (listing) => {
    const names = await choose(listing)
    const weights = await Promise.all(names.map((name) => weightsOf(listing, name)))
    return [...names, ...weights.flat()]
  })
}

/** Files of weights that an ONNX file names; of one that is not there yet nobody knows. */
async function weightsOf(listing: ModelListing, name: string): Promise<string[]> {
  const path = join(listing.folder, name)
  // One that is half there is fetched first.
  if (!name.endsWith('.onnx') || !(await listing.isThere(name))) return []
  const weights = await externalWeights(path).catch(async (error: unknown) => {
    if (await listing.mend(name)) return externalWeights(path)
    throw error
  })
  return [...weights.keys()].map((file) => posix.join(posix.dirname(name), file))
}

/** Where a repository has an ONNX file, in `onnx/` or beside `config.json`; undefined where it has none of that name. */
export const onnxName = ({ names }: ModelListing, name: string): string | undefined =>
  [`onnx/${name}.onnx`, `${name}.onnx`].find((one) => names.includes(one))

/** As `onnxName`. Throws a UserError that says what there is instead. */
export function requireOnnx(address: string, listing: ModelListing, name: string): string {
  const found = onnxName(listing, name)
  if (found === undefined) throw noOnnxFile(address, listing, name)
  return found
}

/**
 * The one ONNX file of a repository that lies under a name of its own, as exports of Ultralytics do, and a `text_model`
 * beside it; undefined where there are several, or none.
 */
export function soleOnnx(listing: ModelListing): string[] | undefined {
  const all = listing.names.filter((name) => /^(onnx\/)?[^/]+\.onnx$/.test(name))
  const [first, ...others] = all.filter((name) => !/text_model[^/]*$/.test(name))
  const model = onnxName(listing, 'model') ?? (others.length === 0 ? first : undefined)
  const words = onnxName(listing, 'text_model')
  return model === undefined ? undefined : [model, ...(words === undefined ? [] : [words])]
}
